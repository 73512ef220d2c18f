# SPDX-License-Identifier: BSD-2-Clause
# How tests are run; the tests themselves are in the folders below.
TEST_EXTENSIONS = .sh
tap_driver = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
LOG_DRIVER = $(tap_driver)
SH_LOG_DRIVER = $(tap_driver)
SH_LOG_COMPILER = timeout -k 10 600 bash
AM_TESTS_ENVIRONMENT = \
	top_srcdir='$(abs_top_srcdir)'; top_builddir='$(abs_top_builddir)'; \
	COAP_CLIENT='$(COAP_CLIENT)'; \
	export top_srcdir top_builddir COAP_CLIENT;

EXTRA_DIST += tests/lib.sh tests/certificates.sh tests/disk.sh
dist_check_SCRIPTS += tests/layers.sh tests/calls.sh tests/docs.sh

# Everything `make check` runs, built but not run. (Not `all`: that is a make of
# its own, which would compile the same files at the same time.)
tests: config.h all-am $(check_PROGRAMS) $(check_tools) $(check_DATA) $(bench_programs)
.PHONY: tests

# --- memcheck: unit tests, corpora and one tour of the daemon under valgrind ----
memcheck_scripts = tests/integration/smoke.sh
memcheck_command = $(VALGRIND) -q --error-exitcode=99 --leak-check=full \
	--errors-for-leak-kinds=definite,indirect --show-leak-kinds=definite,indirect
memcheck: tests
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(check_PROGRAMS)' LOG_COMPILER='$(memcheck_command)'
	COAPCASTD_WRAPPER='$(memcheck_command)' TEST_TIME_FACTOR=10 \
		$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(memcheck_scripts)'
.PHONY: memcheck

# --- sanitize, coverage: `make check` in a second build, below this one ---------
second_configure = $(abs_top_srcdir)/configure -q --enable-werror CC='$(CC)' \
	PKG_CONFIG_PATH='$(PKG_CONFIG_PATH)'

sanitize:
	$(MKDIR_P) sanitize
	cd sanitize && { test -f Makefile || $(second_configure) --enable-sanitizers \
		CFLAGS='-O1 -g'; }
	cd sanitize && $(MAKE) $(AM_MAKEFLAGS) check
.PHONY: sanitize

# --- tsan: the store and the daemon in a build with ThreadSanitizer --------------
# What a daemon that is killed found is in its report as well.
# Not signals.sh: many signals at once make ThreadSanitizer run handlers within handlers, masked
# or not, and libuv's waits there for a lock that the outer one has.
tsan_tests = $(store_tests) tests/integration/smoke.sh \
	tests/integration/keep.sh tests/integration/keep_fault.sh tests/integration/promise.sh \
	tests/integration/announce.sh tests/integration/powercut.sh \
	tests/integration/oscore_restart.sh tests/integration/reload.sh \
	tests/integration/farewell.sh tests/netns/resume.sh
tsan:
	$(MKDIR_P) tsan
	cd tsan && { test -f Makefile || $(second_configure) --enable-sanitizers=thread \
		CFLAGS='-O1 -g'; }
	rm -f tsan/report.*
	cd tsan && TEST_TIME_FACTOR=5 TSAN_OPTIONS=log_path="$$PWD/report" \
		$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(tsan_tests)'
	cat tsan/report.* 2>/dev/null && exit 1 || exit 0
.PHONY: tsan

coverage:
	$(MKDIR_P) coverage
	cd coverage && { test -f Makefile || $(second_configure) --enable-coverage \
		CFLAGS='-O0 -g'; }
	find coverage -name '*.gcda' -exec rm -f {} +
	-cd coverage && $(MAKE) $(AM_MAKEFLAGS) check
	$(SHELL) $(srcdir)/scripts/coverage '$(abs_top_srcdir)' coverage
.PHONY: coverage

# --- fuzz: search for FUZZ_SECONDS per target, starting from the corpora ---------
fuzz:
	CLANG='$(CLANG)' bash $(srcdir)/tests/fuzz/run '$(abs_top_srcdir)' fuzz-build
.PHONY: fuzz

# --- bench: numbers, never a verdict ---------------------------------------------
bench: config.h all-am $(bench_programs)
	top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' \
		bash $(srcdir)/tests/bench/run
bench-quick: config.h all-am $(bench_programs)
	top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)' \
		bash $(srcdir)/tests/bench/run --quick
# Rough counting: estimate against truth, as a table and a picture.
count-sim: config.h all-am tests/bench/count_sim$(EXEEXT)
	top_builddir='$(abs_top_builddir)' bash $(srcdir)/tests/bench/count_sim.sh
.PHONY: bench bench-quick count-sim

lint:
	bash $(srcdir)/scripts/lint
.PHONY: lint

distclean-local:
	rm -rf sanitize tsan coverage fuzz-build
