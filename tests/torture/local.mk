# SPDX-License-Identifier: BSD-2-Clause
# What takes minutes: make torture, make flood, make soak. Some rounds of each are
# tests, too; the rest is a matter of the figures in the environment.
torture_programs = tests/torture/spoof tests/torture/probe \
	tests/torture/kill9 tests/torture/crowd
check_tools += $(torture_programs)
torture_common = tests/bench/endpoints.c tests/bench/endpoints.h \
	tests/bench/meter.c tests/bench/meter.h \
	tests/bench/packet.c tests/bench/packet.h
tests_torture_spoof_SOURCES = tests/torture/spoof.c $(torture_common)
tests_torture_spoof_LDADD = libcoapcast.a
tests_torture_probe_SOURCES = tests/torture/probe.c $(torture_common)
tests_torture_probe_LDADD = libcoapcast.a

tests_torture_kill9_SOURCES = tests/torture/kill9.c \
	tests/torture/witness.c tests/torture/witness.h \
	tests/torture/veil.c tests/torture/veil.h $(torture_common)
tests_torture_kill9_LDADD = $(LDADD) $(SQLITE_LIBS)

tests_torture_crowd_SOURCES = tests/torture/crowd.c $(torture_common)
tests_torture_crowd_LDADD = libcoapcast.a
EXTRA_DIST += tests/torture/soaked.sh

dist_check_SCRIPTS += tests/torture/spoofed.sh tests/torture/killed.sh

torture_run = top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' \
	COAP_CLIENT='$(COAP_CLIENT)' srcdir='$(srcdir)' bash

# A million datagrams from spoofed addresses; needs root.
flood: tests
	FLOOD_COUNT=$${FLOOD_COUNT:-1000000} FLOOD_LATE=$${FLOOD_LATE:-1} \
		$(torture_run) $(srcdir)/tests/torture/spoofed.sh
.PHONY: flood

# Hundreds of lives that end with kill -9: twice so many, and once more, at each commit-interval.
torture: tests
	TORTURE_ROUNDS=$${TORTURE_ROUNDS:-100} $(torture_run) $(srcdir)/tests/torture/killed.sh
.PHONY: torture

# SOAK_SECONDS of everything at once, with 5 % loss; needs root.
soak: tests
	$(torture_run) $(srcdir)/tests/torture/soaked.sh
.PHONY: soak
