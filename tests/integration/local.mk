# SPDX-License-Identifier: BSD-2-Clause
# The real daemon and a real coap-client on loopback; TAP, see tests/lib.sh.
dist_check_SCRIPTS += \
	tests/integration/smoke.sh \
	tests/integration/access.sh \
	tests/integration/addresses.sh \
	tests/integration/blockwise.sh \
	tests/integration/cli_group.sh \
	tests/integration/cli_output.sh \
	tests/integration/cli_restart.sh \
	tests/integration/cli_sub.sh \
	tests/integration/cli_topic.sh \
	tests/integration/cli_topics.sh \
	tests/integration/client.sh \
	tests/integration/conditions.sh \
	tests/integration/count.sh \
	tests/integration/flood.sh \
	tests/integration/introspect.sh \
	tests/integration/limits.sh \
	tests/integration/pace.sh \
	tests/integration/signals.sh \
	tests/integration/startup.sh \
	tests/integration/unaware.sh

# Modules that are sockets and nothing else, with real ones.
if HAVE_CHECK
udp_test_sources = tests/unit/unit.h \
	tests/integration/host.c tests/integration/host.h \
	tests/integration/peer.c tests/integration/peer.h
check_PROGRAMS += tests/integration/test_udp tests/integration/test_udpgroup
tests_integration_test_udp_SOURCES = tests/integration/test_udp.c $(udp_test_sources)
tests_integration_test_udpgroup_SOURCES = tests/integration/test_udpgroup.c $(udp_test_sources)
endif
