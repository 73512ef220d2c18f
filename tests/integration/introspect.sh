#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The data of a group observation for who does not register, asked for by coap-client: at
# /.well-known/core/mc-sender by token, and at the topic by Accept. Then somebody withdraws
# who was never known by name.
. "${srcdir:-.}/tests/lib.sh"
need_coap_client
free_port
group=$port
free_port
uri=coap://127.0.0.1:$port

cat >"$tmp/coapcast.yaml" <<END
listen: [ "coap://127.0.0.1:$port" ]
groups:
  - { name: hall, address: 239.255.17.7, port: $group, interface: lo, threshold: 1 }
topics:
  - { name: demo, content-format: 0, initialize: "start" }
END
start_broker "$tmp/coapcast.yaml" -v
spawn aware "$coapcast" sub -v "$uri/demo"
wait_line "$tmp/aware.err" "moved to"
token=$(sed -n 's/.* group observation started .* token=\([0-9a-f]*\).*/\1/p' "$tmp/broker.log")

# A map with the keys 0, 1, 2 and 4: where from and to, token, phantom, latest, ending.
in_hex() { # FILE
	od -An -v -tx1 "$1" | tr -d ' \n'
}
"$COAP_CLIENT" -B 5 -m get -o "$tmp/sender" "$uri/.well-known/core/mc-sender?token=$token"
like "$(in_hex "$tmp/sender")" "^a400.*447f000001.*44efff1107.*44$token.*7374617274041a[0-9a-f]{8}$" \
	"mc-sender: server, group, token, latest notification, ending"
"$COAP_CLIENT" -B 5 -m get -A 65001 -o "$tmp/topic" "$uri/ps/demo"
is "$(in_hex "$tmp/topic")" "$(in_hex "$tmp/sender")" "the topic offers the same"
ending=$((16#$(in_hex "$tmp/sender" | tail -c 8)))
now=$(date +%s)
is $((ending > now + 86000 && ending < now + 86800)) 1 "it goes on for a day"
like "$(client -m get "$uri/.well-known/core/mc-sender?token=00")" "4.04" "another token: 4.04"
like "$(client -m get "$uri/.well-known/core/mc-sender")" "4.00" "no token: 4.00"

# Explicit withdrawal: answered as a plain GET, whoever says it.
"$talk" -n 1 "127.0.0.1:$port" "con get token=aa observe=1 /ps/data/demo" >"$tmp/talk.out"
like "$(cat "$tmp/talk.out")" '2\.05 .*token=aa.*"start"' "a withdrawal is answered"
is "$(grep -c 'observe=.*"start"' "$tmp/talk.out")" 0 "as a plain GET, without Observe"
is "$(broker_counter broker deregistrations) $(broker_counter groups observations)" "0 1" \
	"and changes nothing"
stop aware INT
stop_broker
done_testing
