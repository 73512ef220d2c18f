#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Observers that OSCORE protects outlive a broker that is killed, or stopped, and started
# again: the next publish reaches them, in answer to the registration they know, with a
# Partial IV that was never used (RFC 8613 8.3, B.1.1). Whose keys are others by then hears
# nothing.
. "${srcdir:-.}/tests/lib.sh"
free_port
at=coap://127.0.0.1:$port

cat >"$tmp/coapcast.yaml" <<END
listen: [ "coap://127.0.0.1:$port" ]
security: { nosec: deny }
identities:
  - name: panel
    oscore: { sender-id: "hex:03", recipient-id: "hex:01", master-salt: "hex:9e7c",
              master-secret: "hex:0102030405060708090a0b0c0d0e0f10", id-context: "hex:37cb" }
  - name: lamp
    oscore: { sender-id: "hex:03", recipient-id: "hex:02", master-salt: "hex:9e7d",
              master-secret: "hex:0102030405060708090a0b0c0d0e0f10" }
access:
  - { who: "*", topics: "*", may: [ read, subscribe, publish, discover ] }
topics:
  - { name: demo, content-format: 0, initialize: hello }
END
cat >"$tmp/credentials.yaml" <<END
identities:
  - name: panel
    oscore: { sender-id: "hex:01", recipient-id: "hex:03", master-salt: "hex:9e7c",
              master-secret: "file:secret", id-context: "hex:37cb" }
  - name: lamp
    oscore: { sender-id: "hex:02", recipient-id: "hex:03", master-salt: "hex:9e7d",
              master-secret: "file:secret" }
END
printf '\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20' >"$tmp/secret"
chmod 600 "$tmp"/*.yaml "$tmp/secret"
as=(--credentials "$tmp/credentials.yaml" --identity)
keep_state=1

pub() { # VALUE
	"$coapcast" pub "${as[@]}" panel -m "$1" "$at/demo"
}

# has_value VALUE NAME...: all of them were told, and could verify it.
has_value() {
	local name
	for name in "${@:2}"; do
		has_line "$tmp/$name.out" "\"$1\".*\"verified\":true" || return 1
	done
}

restart() { # SIGNAL FILE
	wait_until 10 counter_is store waiting 0
	if [ "$1" = KILL ]; then
		stop broker KILL
	else
		stop_broker
	fi
	start_broker "$2" -v
}

start_broker "$tmp/coapcast.yaml" -v
for name in panel lamp; do
	spawn "$name" "$coapcast" sub --json -v "${as[@]}" "$name" "$at/demo"
	wait_line "$tmp/$name.out" hello || bail "$name gets no value"
done
pub before
wait_until 10 has_value before panel lamp
ok $? "two observers"
round=0
for signal in KILL TERM KILL; do
	round=$((round + 1))
	restart "$signal" "$tmp/coapcast.yaml"
	has_line "$tmp/broker.log" 'observers resumed n=2$'
	ok $? "$signal: both are there again"
	for i in 1 2; do
		pub "round $round.$i"
		wait_until 10 has_value "round $round.$i" panel lamp
		ok $? "$signal: publish $i reaches both"
	done
	is "$(broker_counter broker registrations)" 0 "$signal: who did not register again"
	is "$(broker_counter oscore shields)" 2 "$signal: what protects them is held"
done

sed 's/9e7d/9e7e/' "$tmp/coapcast.yaml" >"$tmp/other.yaml"
chmod 600 "$tmp/other.yaml"
restart KILL "$tmp/other.yaml"
has_line "$tmp/broker.log" 'observers resumed n=1$'
ok $? "whose keys are others is not resumed"
has_line "$tmp/broker.log" 'observers whose keys are gone hear nothing more n=1$'
ok $? "which the log says"
pub others
wait_until 10 has_value others panel
ok $? "the other one is"
has_value others lamp
is $? 1 "and alone is told"
stop_broker
done_testing
