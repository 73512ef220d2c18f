# SPDX-License-Identifier: BSD-2-Clause
# Programs that tests/bench/run needs: bench_programs += tests/bench/NAME.
bench_programs = tests/bench/load tests/bench/limits tests/bench/count_sim \
	tests/bench/store tests/bench/secure
EXTRA_PROGRAMS += $(bench_programs)

# What the load generator and the limits share.
bench_common = \
	tests/bench/endpoints.c tests/bench/endpoints.h \
	tests/bench/packet.c tests/bench/packet.h
tests_bench_load_SOURCES = $(bench_common) \
	tests/bench/flow.c tests/bench/flow.h \
	tests/bench/load.c tests/bench/load.h tests/bench/load_create.c \
	tests/bench/load_fanout.c tests/bench/load_get.c tests/bench/load_group.c \
	tests/bench/load_idle.c tests/bench/load_main.c tests/bench/load_move.c \
	tests/bench/load_mqtt.c tests/bench/load_observe.c tests/bench/load_start.c \
	tests/bench/meter.c tests/bench/meter.h
tests_bench_load_LDADD = libcoapcast.a
tests_bench_limits_SOURCES = $(bench_common) tests/bench/limits.c
tests_bench_limits_LDADD = libcoapcast.a
tests_bench_count_sim_SOURCES = tests/bench/count_sim.c
tests_bench_count_sim_LDADD = libcoapcast.a
tests_bench_store_SOURCES = tests/bench/store.c
tests_bench_store_LDADD = libcoapcast.a $(SQLITE_LIBS)

tests_bench_secure_SOURCES = tests/bench/secure.c
tests_bench_secure_LDADD = $(coapcast_libs)

CLEANFILES += $(bench_programs)
CLEANFILES += count-sim.tsv count-sim-loss.tsv count-sim.svg
EXTRA_DIST += tests/bench/run tests/bench/count_sim.sh
