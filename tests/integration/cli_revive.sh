#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A subscriber over DTLS whose broker is killed and started again: it makes a new session once
# nobody answers in the old one (RFC 6347 4.1.2.7: what cannot be decrypted is dropped without a
# word), long before retransmissions end. And one whose identity is gone ends with status 6.
. "${srcdir:-.}/tests/lib.sh"
free_port
group=$port
free_port
secure=$port
free_port

"$coapcast" keygen identity -o "$tmp/keys" --psk panel-1 >/dev/null
"$coapcast" keygen identity -o "$tmp/keys" --psk panel-2 >/dev/null # coaps wants somebody
"$coapcast" keygen group -o "$tmp/keys" --managed self yard >/dev/null
cp -a "$tmp/keys/broker/." "$tmp/"
cat >"$tmp/coapcast.yaml" <<END
listen: [ "coap://127.0.0.1:$port", "coaps://127.0.0.1:$secure" ]
groups:
  - { name: hall, address: 239.255.17.8, port: $group, interface: lo, topics: "hall/*",
      threshold: 1, max-age: 2s, oscore: yard }
topics:
  - { name: hall/demo, content-format: 0, initialize: "start" }
  - { name: demo, content-format: 0, initialize: "start" }
END
as=(--credentials "$tmp/keys/panel-1/panel-1.yaml")
start_broker "$tmp/coapcast.yaml" -v
spawn sub "$coapcast" sub -v -i lo "${as[@]}" "coaps://127.0.0.1:$secure/hall/demo"
wait_line "$tmp/sub.err" 'moved to .*239\.255\.17\.8'
ok $? "a subscriber over DTLS is in the group"

# With nothing of its state, so that neither the session nor the group is known any more.
stop broker KILL 2>/dev/null
start_broker "$tmp/coapcast.yaml" -v
"$coapcast" pub -m revived "coap://127.0.0.1:$port/hall/demo"
wait_line "$tmp/sub.out" '^revived$' 40
ok $? "the broker is killed and started again: it has the new value in less than 40 s"
like "$(cat "$tmp/sub.err")" 'no answer: making a new connection' "over another session"
wait_until 40 counter_reaches groups moved 1
ok $? "and is in the group of the new one"

stop sub INT
is "$?" 0 "SIGINT ends it"

spawn plain "$coapcast" sub -v "${as[@]}" "coaps://127.0.0.1:$secure/demo"
wait_line "$tmp/plain.out" start
ok $? "another one, traditional"
# Nobody tells it that its session is gone: it asks, long before Max-Age is over.
stop broker KILL 2>/dev/null
start_broker "$tmp/coapcast.yaml" -v
"$coapcast" pub -m again "coap://127.0.0.1:$port/demo"
wait_line "$tmp/plain.out" '^again$' 58
ok $? "the broker is killed and started again: it has the new value in less than a minute"
is "$(grep -c 'no answer: making a new connection' "$tmp/plain.err")" 0 \
	"without a registration that nobody answers"
stop_broker
rm "$tmp/conf.d/panel-1.yaml"
start_broker "$tmp/coapcast.yaml" -v
finish plain 60
is "$?" 6 "its identity is gone: it ends with status 6"
like "$(cat "$tmp/plain.err")" 'no secure connection' "and says so"
stop_broker
done_testing
