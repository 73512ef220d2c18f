#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# scripts/demo works, and its table says what it is there to say.
. "${srcdir:-.}/tests/lib.sh"
netns_begin "$@"
need tcpdump

rc=0
COAPCAST_IN_NETNS='' COAPCAST_BUILD=$top_builddir \
	bash "$top_srcdir/scripts/demo" >"$tmp/said" 2>&1 || rc=$?
is "$rc" 0 "it ends with status 0"
comment <"$tmp/said"
row() {
	awk -v n="$1" '$1 == n && /^ / { print $2, $3, $4 }' "$tmp/said"
}
is "$(row 8)" "traditional 8.0 0.0" "eight subscribers under the threshold: 8 packets per publish"
is "$(row 9)" "group 1.0 1.0" "nine, at the threshold: 1"
is "$(row 24)" "group 1.0 1.0" "24: 1"
like "$(tail -n 1 "$tmp/said")" '^24 of 24 subscribers missed nothing' "nobody missed anything"
done_testing
