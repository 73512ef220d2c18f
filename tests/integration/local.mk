# SPDX-License-Identifier: BSD-2-Clause
# The real daemon and a real coap-client on loopback; TAP, see tests/lib.sh.
dist_check_SCRIPTS += \
	tests/integration/smoke.sh
