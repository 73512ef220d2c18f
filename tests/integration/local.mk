# SPDX-License-Identifier: BSD-2-Clause
# The real daemon and a real coap-client on loopback; TAP, see tests/lib.sh.
dist_check_SCRIPTS += \
	tests/integration/smoke.sh

# Modules that are sockets and nothing else, with real ones.
if HAVE_CHECK
check_PROGRAMS += tests/integration/test_udp
tests_integration_test_udp_SOURCES = tests/integration/test_udp.c tests/unit/unit.h
endif
