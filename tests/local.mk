# SPDX-License-Identifier: BSD-2-Clause
# How tests are run; the tests themselves are in the folders below.
TEST_EXTENSIONS = .sh
tap_driver = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh --comments
LOG_DRIVER = $(tap_driver)
SH_LOG_DRIVER = $(tap_driver)
SH_LOG_COMPILER = bash
AM_TESTS_ENVIRONMENT = \
	top_srcdir='$(abs_top_srcdir)'; top_builddir='$(abs_top_builddir)'; \
	COAP_CLIENT='$(COAP_CLIENT)'; \
	export top_srcdir top_builddir COAP_CLIENT;


dist_check_SCRIPTS += tests/layers.sh

# The programs under test, for the scripts among the tests.
$(TEST_LOGS): $(bin_PROGRAMS) $(sbin_PROGRAMS)
