#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# broker.limits.handshakes and broker.limits.unread at their edges: what DTLS, TLS and TCP cost
# before they are sessions, and streams that are not read. limits.sessions: transports.sh.
. "${srcdir:-.}/tests/lib.sh"
free_pair
at=127.0.0.1
halfway=$top_builddir/tests/tools/halfway
[ -x "$halfway" ] || bail "$halfway is not built"

configure() { # LIMITS
	cat >"$tmp/coapcast.yaml" <<-END
		broker: { limits: { $1 } }
		listen: [ "coap://$at:$port", "coap+tcp://$at:$port", "coaps://$at:$((port + 1))" ]
		identities: [ { name: one, psk: { identity: one, key: "text:a key" } } ]
		topics: [ { name: demo, content-format: 0, initialize: "hello" } ]
	END
	chmod 600 "$tmp/coapcast.yaml"
}
cat >"$tmp/credentials.yaml" <<END
identities: [ { name: one, psk: { identity: one, key: "text:a key" } } ]
END
chmod 600 "$tmp/credentials.yaml"

# by_dtls: what a client with a handshake of its own gets.
by_dtls() {
	"$coapcast" get -W 20 --credentials "$tmp/credentials.yaml" "coaps://$at:$((port + 1))/demo" 2>&1
}
# begin NAME udp|tcp PORT N: how many handshakes it could begin; they stay as they are.
begin() {
	spawn "$1" "$halfway" "$2" "$at" "$3" "$4"
	wait_lines "$tmp/$1.out" 1 60
	begun=$(cat "$tmp/$1.out")
}

configure "handshakes: 4"
start_broker "$tmp/coapcast.yaml"

# --- handshakes: DTLS --------------------------------------------------------------------
begin four udp $((port + 1)) 4
is "$begun" 4 "four handshakes are under way"
is "$(broker_counter sessions refused)" 0 "as many as may be"
begin fifth udp $((port + 1)) 1
is "$begun" 0 "a fifth is not begun"
counter_reaches sessions refused 1
ok $? "which is counted"
is "$("$coapcast" get "coap://$at:$port/demo")" hello "UDP is served"
configure "handshakes: 5"
kill -HUP "${spawned[broker]}"
wait_line "$tmp/broker.log" 'server: reloaded'
is "$(by_dtls)" hello "where five may be, a reload is enough, one is let in"
stop four TERM
stop fifth TERM

# --- handshakes: TCP -----------------------------------------------------------------------
refused=$(broker_counter sessions refused)
begin five tcp "$port" 5
is "$begun" 5 "five connections that say nothing"
is "$("$coapcast" get "coap+tcp://$at:$port/demo" 2>&1)" hello "a sixth is served"
is "$(broker_counter sessions refused)" $((refused + 1)) "counted: for which the oldest made room"
stop five TERM
stop_broker

# --- unread ----------------------------------------------------------------------------------
configure "unread: 16K"
start_broker "$tmp/coapcast.yaml"
head -c 32768 /dev/zero | tr '\0' x >"$tmp/large"
"$coapcast" pub -f "$tmp/large" "coap://$at:$port/demo"
# ask N: a stream that asks for N blocks of 1024 bytes and reads nothing.
ask() {
	local i message=
	for ((i = 0; i < $1; i++)); do
		message+='\xd0\x00\x01\xb2ps\x04data\x04demo'
	done
	exec {greedy}<>"/dev/tcp/$at/$port"
	printf '%b' "\x00\xe1$message" >&"$greedy"
}
ask 100
wait_until 30 counter_is sessions unread 1
ok $? "counted: who leaves 100 KiB unread for ten seconds is cut off"
wait_until 10 counter_is sessions open 0
ok $? "and gone"
exec {greedy}>&-
is "$("$coapcast" get "coap+tcp://$at:$port/demo" | cksum)" "$(cksum <"$tmp/large")" \
	"who reads is served"
is "$(broker_counter sessions unread)" 1 "and not cut off"
stop_broker
done_testing
