#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Group OSCORE from end to end: subscribers by OSCORE and DTLS are moved, verify what comes,
# follow the broker to its next keys; who is not protected stays behind.
. "${srcdir:-.}/tests/lib.sh"
free_port
group=$port
free_port
secure=$port
free_port

head -c 32 /dev/urandom >"$tmp/key"
keys='master-secret: "hex:0102030405060708090a0b0c0d0e0f10"'
cat >"$tmp/coapcast.yaml" <<END
listen: [ "coap://127.0.0.1:$port", "coaps://127.0.0.1:$secure" ]
state: { directory: "$tmp/state" }
identities:
  - { name: one, oscore: { sender-id: "hex:03", recipient-id: "hex:01", $keys } }
  - { name: two, oscore: { sender-id: "hex:03", recipient-id: "hex:02", $keys } }
  - { name: three, psk: { identity: three, key: "text:the key" } }
groups:
  - { name: hall, address: 239.255.17.4, port: $group, interface: lo, topics: [ "*" ],
      threshold: 1, oscore: keys }
oscore-groups:
  - { name: keys, sender-id: "hex:05", private-key: "file:key", lifetime: 12s }
topics:
  - { name: demo, content-format: 0, initialize: start }
END
cat >"$tmp/credentials.yaml" <<END
identities:
  - { name: one, oscore: { sender-id: "hex:01", recipient-id: "hex:03", $keys } }
  - { name: two, oscore: { sender-id: "hex:02", recipient-id: "hex:03", $keys } }
  - { name: three, psk: { identity: three, key: "text:the key" } }
END
chmod 600 "$tmp"/*.yaml "$tmp/key"
start_broker "$tmp/coapcast.yaml"

uri=coap://127.0.0.1:$port/demo
spawn bare "$coapcast" sub --json "$uri"
wait_lines "$tmp/bare.out" 1
for who in one two three; do
	at=$uri
	[ "$who" != three ] || at=coaps://127.0.0.1:$secure/demo
	spawn "$who" "$coapcast" sub -v --json --credentials "$tmp/credentials.yaml" \
		--identity "$who" "$at"
	wait_line "$tmp/$who.err" "moved to 239\.255\.17\.4:$group token [0-9a-f]{8}, protected"
	ok $? "$who is moved"
done

# values FIRST LAST: published, they reach everybody.
values() {
	local who
	seq "$1" "$2" | "$coapcast" pub -l "$uri"
	for who in one two three; do
		wait_lines "$tmp/$who.out" $(($2 + 1))
		is "$(grep -cE '"via":"multicast".*"verified":true,"missed":0' "$tmp/$who.out")" "$2" \
			"$who has every value up to $2 by multicast, verified"
	done
}
values 1 5
wait_lines "$tmp/bare.out" 6
is "$(grep -c '"via":"unicast"' "$tmp/bare.out")" 6 "who is not protected stays where it was"
is "$(grep -c moved "$tmp/bare.err")" 0 "and is told nothing of keys"

# --- the next keys --------------------------------------------------------------------
for who in one two three; do
	wait_line "$tmp/$who.err" "the group has new keys" 30
	ok $? "$who is told the new keys"
done
values 6 10
wait_line "$tmp/broker.err" "keys replaced oscore-group=keys" 30
ok $? "the broker says so"
done_testing
