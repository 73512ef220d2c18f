# SPDX-License-Identifier: BSD-2-Clause
# One fuzz_NAME.c with LLVMFuzzerTestOneInput and one corpus folder per target:
#	check_PROGRAMS += tests/fuzz/replay_NAME
#	tests_fuzz_replay_NAME_SOURCES = tests/fuzz/fuzz_NAME.c $(fuzz_replay)
#	EXTRA_DIST += tests/fuzz/corpus/NAME
# `make check` replays the corpus, `make fuzz` builds the same programs with
# --enable-fuzzing (libFuzzer's main instead of ours) and searches.
if FUZZING
fuzz_replay =
else
fuzz_replay = tests/fuzz/main.c
endif
EXTRA_DIST += tests/fuzz/main.c tests/fuzz/run

check_PROGRAMS += tests/fuzz/replay_cbor
tests_fuzz_replay_cbor_SOURCES = tests/fuzz/fuzz_cbor.c $(fuzz_replay)
EXTRA_DIST += tests/fuzz/corpus/cbor

check_PROGRAMS += tests/fuzz/replay_conf
tests_fuzz_replay_conf_SOURCES = tests/fuzz/fuzz_conf.c $(fuzz_replay)
EXTRA_DIST += tests/fuzz/corpus/conf tests/fuzz/conf.dict

check_PROGRAMS += tests/fuzz/replay_coapmsg
tests_fuzz_replay_coapmsg_SOURCES = tests/fuzz/fuzz_coapmsg.c $(fuzz_replay)
EXTRA_DIST += tests/fuzz/corpus/coapmsg

check_PROGRAMS += tests/fuzz/replay_router
tests_fuzz_replay_router_SOURCES = tests/fuzz/fuzz_router.c $(fuzz_replay)
EXTRA_DIST += tests/fuzz/corpus/router

check_PROGRAMS += tests/fuzz/replay_client
tests_fuzz_replay_client_SOURCES = tests/fuzz/fuzz_client.c $(fuzz_replay)
EXTRA_DIST += tests/fuzz/corpus/client
check_PROGRAMS += tests/fuzz/replay_inform
tests_fuzz_replay_inform_SOURCES = tests/fuzz/fuzz_inform.c $(fuzz_replay)
EXTRA_DIST += tests/fuzz/corpus/inform
check_PROGRAMS += tests/fuzz/replay_gather
tests_fuzz_replay_gather_SOURCES = tests/fuzz/fuzz_gather.c $(fuzz_replay)
EXTRA_DIST += tests/fuzz/corpus/gather
check_PROGRAMS += tests/fuzz/replay_oscoreopt
tests_fuzz_replay_oscoreopt_SOURCES = tests/fuzz/fuzz_oscoreopt.c $(fuzz_replay)
EXTRA_DIST += tests/fuzz/corpus/oscoreopt
check_PROGRAMS += tests/fuzz/replay_oscoremsg
tests_fuzz_replay_oscoremsg_SOURCES = tests/fuzz/fuzz_oscoremsg.c $(fuzz_replay)
EXTRA_DIST += tests/fuzz/corpus/oscoremsg

check_PROGRAMS += tests/fuzz/replay_decode
tests_fuzz_replay_decode_SOURCES = tests/fuzz/fuzz_decode.c $(fuzz_replay)
EXTRA_DIST += tests/fuzz/corpus/decode
