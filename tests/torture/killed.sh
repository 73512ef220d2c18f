#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# TORTURE_ROUNDS lives of the daemon that end with kill -9 at a random moment, half of them
# with commit-interval 0 and half with 1 s: tests/torture/witness.h says what has to hold.
# TORTURE_SEED makes other moments of it.
. "${srcdir:-.}/tests/lib.sh"
: "${TORTURE_ROUNDS:=6}"
: "${TORTURE_SEED:=1}"
: "${TORTURE_INTERVALS:=1000}"
mkdir "$tmp/work"

configure() { # COMMIT-INTERVAL-MS
	local i interval=", commit-interval: ${1}ms"
	# The default.
	[ "$1" != 1000 ] || interval=
	cat >"$tmp/coapcast.yaml" <<-END
		listen: [ "coap://127.0.0.1:$port" ]
		state: { directory: "$tmp/work/$1"$interval }
		groups:
		  - { name: all, address: 239.255.17.9, port: $((port + 1)), interface: lo, topics: [ "g/*" ], threshold: 1 }
		topics:
	END
	for i in {0..7}; do
		echo "  - { name: t/$i, content-format: 0, initialize: \"00000000\" }"
		echo "  - { name: g/$i, content-format: 0, initialize: \"00000000\" }"
	done >>"$tmp/coapcast.yaml"
}

figure() { # KEY
	awk -F '\t' -v key="$1" '$1 == key { print $2 }' "$tmp/kill9.out"
}

read -ra intervals <<<"$TORTURE_INTERVALS"
for ms in "${intervals[@]}"; do
	free_port
	configure "$ms"
	rc=0
	"$top_builddir/tests/torture/kill9" -n "$TORTURE_ROUNDS" -i "$ms" -x "$TORTURE_SEED" -m $((ms * 3 + 1000)) \
		-s "127.0.0.1:$port" -g "239.255.17.9:$((port + 1))" -d "$tmp/work/$ms" \
		-l "$tmp/daemon.log" ${TORTURE_RESUMES:+-R} -- \
		"$coapcastd" -c "$tmp/coapcast.yaml" >"$tmp/kill9.out" 2>&1 || rc=$?
	is "$rc" 0 "$ms ms: $TORTURE_ROUNDS lives, and what was promised held in all of them"
	comment <"$tmp/kill9.out"
	[ "$rc" -eq 0 ] || tail -n 30 "$tmp/daemon.log" | comment
	ok $(($(figure acknowledged) < 100 * TORTURE_ROUNDS)) "$ms ms: there were publishes"
	ok $(($(figure unicast) < 100 * TORTURE_ROUNDS)) "$ms ms: and notifications"
	ok $(($(figure multicast) < 100 * TORTURE_ROUNDS)) "$ms ms: to the group, too"
	is "$(figure moved)" 8 "$ms ms: whose observers were moved"
done
done_testing
