#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# TORTURE_ROUNDS lives of the daemon that end with kill -9 at a random moment, each with
# commit-interval 0 and 1 s, and with and without registering again, and
# once more with group keys that last TORTURE_LIFETIME: tests/torture/witness.h says what has
# to hold. TORTURE_SEED makes other moments of it.
. "${srcdir:-.}/tests/lib.sh"
: "${TORTURE_ROUNDS:=4}"
: "${TORTURE_SEED:=1}"
: "${TORTURE_LIFETIME:=1s}"
mkdir "$tmp/work"
head -c 32 /dev/urandom >"$tmp/own.key"

configure() { # COMMIT-INTERVAL-MS LIFETIME
	local i interval=", commit-interval: ${1}ms"
	# The default.
	[ "$1" != 1000 ] || interval=
	cat >"$tmp/coapcast.yaml" <<-END
		listen: [ "coap://127.0.0.1:$port" ]
		state: { directory: "$tmp/work/$1"$interval }
		groups:
		  - { name: all, address: 239.255.17.9, port: $((port + 1)), interface: lo, topics: [ "g/*" ], threshold: 1 }
		  - { name: veiled, address: 239.255.17.10, port: $((port + 1)), interface: lo, topics: [ "o/*" ], threshold: 1, oscore: own }
		oscore-groups:
		  - { name: own, sender-id: "hex:05", private-key: "file:own.key", lifetime: $2 }
		identities:
		  - { name: witness, oscore: { sender-id: "hex:03", recipient-id: "hex:01", master-secret: "hex:$secret" } }
		topics:
	END
	for i in {0..7}; do
		echo "  - { name: t/$i, content-format: 0, initialize: \"00000000\" }"
		echo "  - { name: g/$i, content-format: 0, initialize: \"00000000\" }"
	done >>"$tmp/coapcast.yaml"
	for i in {0..3}; do
		echo "  - { name: s/$i, content-format: 0, initialize: \"00000000\" }"
		echo "  - { name: o/$i, content-format: 0, initialize: \"00000000\" }"
	done >>"$tmp/coapcast.yaml"
	chmod 600 "$tmp/coapcast.yaml" "$tmp/own.key"
}

figure() { # KEY
	awk -F '\t' -v key="$1" '$1 == key { print $2 }' "$tmp/kill9.out"
}

# With -R who observes says nothing more after its registration: its observations outlive
# the kills.
lives() { # COMMIT-INTERVAL-MS LIFETIME [-R]
	local ms=$1 lifetime=$2 rc=0 what="$1 ms, keys for $2 ${*:3}"
	shift 2
	free_pair
	secret=$(od -An -v -tx1 -N16 /dev/urandom | tr -d ' \n')
	configure "$ms" "$lifetime"
	"$top_builddir/tests/torture/kill9" -n "$TORTURE_ROUNDS" -i "$ms" -x "$TORTURE_SEED" \
		-m $((ms * 3 + 1000)) -s "127.0.0.1:$port" -g "239.255.17.9:$((port + 1))" \
		-k "$secret" -o "239.255.17.10:$((port + 1))" \
		-d "$tmp/work/$ms" -l "$tmp/daemon.log" "$@" -- \
		"$coapcastd" -c "$tmp/coapcast.yaml" >"$tmp/kill9.out" 2>&1 || rc=$?
	is "$rc" 0 "$what: $TORTURE_ROUNDS lives, and what was promised held in all of them"
	comment <"$tmp/kill9.out"
	[ "$rc" -eq 0 ] || tail -n 30 "$tmp/daemon.log" | comment
	rm -rf "$tmp/work/$ms" "$tmp/work/$ms.copy"
	ok $(($(figure acknowledged) < 50 * TORTURE_ROUNDS)) "$what: there were publishes"
	ok $(($(figure unicast) < 20 * TORTURE_ROUNDS)) "$what: and notifications"
	ok $(($(figure multicast) < 20 * TORTURE_ROUNDS)) "$what: to the group, too"
	ok $(($(figure nonces) < 20 * TORTURE_ROUNDS)) "$what: protected ones"
	ok $(($(figure challenges) < TORTURE_ROUNDS / 2)) "$what: who was challenged after kills"
	ok $(($(figure again) < TORTURE_ROUNDS / 2)) "$what: and said again what it had said before them"
	is "$(figure moved)" 12 "$what: whose observers were moved"
}

read -ra intervals <<<"${TORTURE_INTERVALS:-0 1000}"
for ms in "${intervals[@]}"; do
	lives "$ms" 30d
	is "$(figure cancelled)" 0 "$ms ms: and which no kill ended"
	lives "$ms" 30d -R
	is "$(figure cancelled)" 0 "$ms ms -R: and which no kill ended"
	is "$(figure group_tokens)" 12 "$ms ms -R: with the tokens of the first life"
	is "$(figure gids)" 1 "$ms ms -R: and its keys"
	lives "$ms" "$TORTURE_LIFETIME"
	ok $(($(figure gids) < 2)) "$ms ms: keys were renewed"
done
done_testing
