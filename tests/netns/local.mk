# SPDX-License-Identifier: BSD-2-Clause
# Several hosts in network namespaces; TAP, see tests/lib.sh. Need root.
dist_check_SCRIPTS += \
	tests/netns/selftest.sh
