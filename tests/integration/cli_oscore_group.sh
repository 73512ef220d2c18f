#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# coapcast sub in Group OSCORE over 127.0.0.1: keys of the broker's own and of a Group Manager,
# new keys, and who is not moved.
. "${srcdir:-.}/tests/lib.sh"
free_port
group=$port
free_port
secure=$port
free_port
at=coap://127.0.0.1:$port

"$coapcast" keygen group -o "$tmp/keys" --managed external --members lamp \
	--join-uri coap://gm.example/hall manager >/dev/null || bail "no keys"
head -c 32 /dev/urandom >"$tmp/keys/broker/own.key"
{
	cat <<END
listen: [ "coap://127.0.0.1:$port", "coaps://127.0.0.1:$secure" ]
state: { directory: "$tmp/state" }
identities:
  - name: panel
    oscore: { sender-id: "hex:03", recipient-id: "hex:01", master-secret: "text:sixteen bytes ok" }
  - { name: lamp, psk: { identity: lamp, key: "text:the key" } }
groups:
  - { name: own, address: 239.255.17.4, port: $group, interface: lo, topics: "own/*",
      threshold: 1, oscore: own }
  - { name: manager, address: 239.255.17.5, port: $group, interface: lo, topics: "manager/*",
      threshold: 1, oscore: manager }
  - { name: open, address: 239.255.17.6, port: $group, interface: lo, topics: "open/*",
      threshold: 1 }
topics:
  - { name: own/demo, content-format: 0, initialize: hello }
  - { name: manager/demo, content-format: 0, initialize: hello }
  - { name: open/demo, content-format: 0, initialize: hello }
END
	echo "oscore-groups:"
	echo "  - { name: own, sender-id: \"hex:05\", private-key: \"file:own.key\", lifetime: 5s }"
} >"$tmp/keys/broker/coapcast.yaml"
{
	cat <<END
identities:
  - name: panel
    oscore: { sender-id: "hex:01", recipient-id: "hex:03", master-secret: "text:sixteen bytes ok" }
  - { name: lamp, psk: { identity: lamp, key: "text:the key" } }
END
	cat "$tmp/keys/lamp/manager.yaml"
} >"$tmp/keys/lamp/credentials.yaml"
chmod 600 "$tmp"/keys/*/*
start_broker "$tmp/keys/broker/coapcast.yaml"
as=(--credentials "$tmp/keys/lamp/credentials.yaml" --identity)

# --- keys that the broker manages, over OSCORE and over DTLS; they change every 5 s -------------
spawn panel "$coapcast" sub -v --json "${as[@]}" panel "$at/own/demo"
spawn lamp "$coapcast" sub -v --json "${as[@]}" lamp "coaps://127.0.0.1:$secure/own/demo"
for i in panel lamp; do
	wait_line "$tmp/$i.err" "moved to 239\.255\.17\.4:$group token [0-9a-f]+, protected"
	ok $? "$i is moved"
	wait_line "$tmp/$i.out" '"payload":"hello".*"via":"informative".*"verified":true'
	ok $? "$i: the current value is verified"
done
"$coapcast" pub "${as[@]}" panel -m first "$at/own/demo"
for i in panel lamp; do
	wait_line "$tmp/$i.out" '"payload":"first".*"via":"multicast".*"verified":true'
	ok $? "$i: so is a notification"
	wait_line "$tmp/$i.err" 'the group has new keys' 30
	ok $? "$i hears of new keys"
done
"$coapcast" pub "${as[@]}" panel -m second "$at/own/demo"
for i in panel lamp; do
	wait_line "$tmp/$i.out" '"payload":"second".*"via":"multicast".*"verified":true'
	ok $? "$i: a notification under them"
	stop "$i" INT
	is "$?" 0 "$i ends"
done

# --- keys of a Group Manager ---------------------------------------------------------------
spawn panel "$coapcast" sub -v --json "${as[@]}" panel "$at/manager/demo"
wait_line "$tmp/panel.err" "moved to 239\.255\.17\.5:$group token [0-9a-f]+, protected"
ok $? "with keys of a Group Manager: moved"
"$coapcast" pub "${as[@]}" panel -m first "$at/manager/demo"
wait_line "$tmp/panel.out" '"payload":"first".*"via":"multicast".*"verified":true'
ok $? "and notifications are verified"
stop panel INT

# --- who is not moved -----------------------------------------------------------------------
spawn panel "$coapcast" sub -v --json "${as[@]}" panel "$at/open/demo"
wait_line "$tmp/panel.out" '"payload":"hello".*"via":"unicast".*"verified":true'
ok $? "what is protected does not go to an unprotected group"
spawn nobody "$coapcast" sub -v --json "$at/own/demo"
wait_line "$tmp/nobody.out" '"via":"unicast".*"verified":false'
ok $? "nor the reverse"
stop panel INT
stop nobody INT
stop_broker
done_testing
