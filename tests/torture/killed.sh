#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# TORTURE_ROUNDS lives of the daemon that end with kill -9 at a random moment, each with
# commit-interval 0 (where there is that) and 1 s, and with and without registering again: tests/torture/witness.h says what has to hold.
# TORTURE_SEED makes other moments of it.
. "${srcdir:-.}/tests/lib.sh"
: "${TORTURE_ROUNDS:=4}"
: "${TORTURE_SEED:=1}"
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

# In every other case who observes says nothing more after its registration: its
# observations outlive the kills.
lives() { # COMMIT-INTERVAL-MS [-R]
	local ms=$1 rc=0
	shift
	free_port
	configure "$ms"
	"$top_builddir/tests/torture/kill9" -n "$TORTURE_ROUNDS" -i "$ms" -x "$TORTURE_SEED" \
		-m $((ms * 3 + 1000)) -s "127.0.0.1:$port" -g "239.255.17.9:$((port + 1))" \
		-d "$tmp/work/$ms" -l "$tmp/daemon.log" "$@" -- \
		"$coapcastd" -c "$tmp/coapcast.yaml" >"$tmp/kill9.out" 2>&1 || rc=$?
	is "$rc" 0 "$ms ms $*: $TORTURE_ROUNDS lives, and what was promised held in all of them"
	comment <"$tmp/kill9.out"
	[ "$rc" -eq 0 ] || tail -n 30 "$tmp/daemon.log" | comment
	rm -rf "$tmp/work/$ms" "$tmp/work/$ms.copy"
	ok $(($(figure acknowledged) < 50 * TORTURE_ROUNDS)) "$ms ms $*: there were publishes"
	ok $(($(figure unicast) < 20 * TORTURE_ROUNDS)) "$ms ms $*: and notifications"
	ok $(($(figure multicast) < 20 * TORTURE_ROUNDS)) "$ms ms $*: to the group, too"
	is "$(figure moved)" 8 "$ms ms $*: whose observers were moved"
}

port=5683
configure 0
if [ -z "${TORTURE_INTERVALS:-}" ]; then
	TORTURE_INTERVALS=1000
	if "$coapcastd" -t -c "$tmp/coapcast.yaml" 2>/dev/null; then
		TORTURE_INTERVALS="0 1000"
	fi
fi
read -ra intervals <<<"$TORTURE_INTERVALS"
for ms in "${intervals[@]}"; do
	lives "$ms"
	lives "$ms" -R
	is "$(figure group_tokens)" 8 "$ms ms -R: with the tokens of the first life"
done
done_testing
