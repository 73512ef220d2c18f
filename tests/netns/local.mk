# SPDX-License-Identifier: BSD-2-Clause
# Several hosts in network namespaces; TAP, see tests/lib.sh. Need root. The bed is
# tested by its own selftest.
netns_tests = \
	tests/netns/selftest.sh \
	tests/netns/adversity.sh \
	tests/netns/cancel.sh \
	tests/netns/count.sh \
	tests/netns/crowded.sh \
	tests/netns/decode.sh \
	tests/netns/decode_blocks.sh \
	tests/netns/demo.sh \
	tests/netns/discover.sh tests/netns/disk.sh \
	tests/netns/doctor.sh \
	tests/netns/echo.sh \
	tests/netns/example.sh \
	tests/netns/figure.sh \
	tests/netns/group.sh \
	tests/netns/groupget.sh \
	tests/netns/groupreq.sh \
	tests/netns/loss.sh \
	tests/netns/matrix.sh \
	tests/netns/members.sh \
	tests/netns/moves.sh \
	tests/netns/network.sh \
	tests/netns/nosec.sh \
	tests/netns/numbers.sh \
	tests/netns/ssnfile.sh \
	tests/netns/refresh.sh \
	tests/netns/rekey.sh \
	tests/netns/rekey_restart.sh \
	tests/netns/restarts.sh \
	tests/netns/restarts_secure.sh \
	tests/netns/resume.sh \
	tests/netns/revoke.sh \
	tests/netns/revoke_killed.sh \
	tests/netns/several.sh \
	tests/netns/unheard.sh \
	tests/netns/source.sh \
	tests/netns/udp_multicast.sh
dist_check_SCRIPTS += $(netns_tests)
EXTRA_DIST += tests/netns/hall.sh tests/netns/keyed.sh tests/netns/pairs.sh

# transport/udp on a command line, for udp_multicast.sh; not a test by itself.
EXTRA_PROGRAMS += tests/netns/mcast_probe
CLEANFILES += tests/netns/mcast_probe$(EXEEXT)
tests_netns_mcast_probe_SOURCES = tests/netns/mcast_probe.c
tests/netns/udp_multicast.log: tests/netns/mcast_probe$(EXEEXT)
