# SPDX-License-Identifier: BSD-2-Clause
# Several hosts in network namespaces; TAP, see tests/lib.sh. Need root. The bed is
# tested by its own selftest.
netns_tests = \
	tests/netns/selftest.sh
dist_check_SCRIPTS += $(netns_tests)
