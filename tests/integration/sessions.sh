#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What peers of DTLS and TCP may cost: handshakes that are begun and not gone on with,
# streams that are not read, connections that say nothing that makes sense.
. "${srcdir:-.}/tests/lib.sh"
need coap-client-openssl
COAP_CLIENT=coap-client-openssl
free_pair

cat >"$tmp/coapcast.yaml" <<END
broker: { limits: { sessions: 8 } }
listen: [ "coap://127.0.0.1:$port", "coap+tcp://127.0.0.1:$port", "coaps://127.0.0.1:$((port + 1))" ]
identities: [ { name: one, psk: { identity: one, key: "text:a key" } } ]
topics: [ { name: demo, content-format: 0, initialize: "hello" } ]
END
chmod 600 "$tmp/coapcast.yaml"
start_broker "$tmp/coapcast.yaml"
secure=coaps://127.0.0.1:$((port + 1))/ps/data/demo

# put DESCRIPTOR HEX: as bytes.
put() {
	local i text=
	for ((i = 0; i < ${#2}; i += 2)); do
		text+="\\x${2:i:2}"
	done
	printf '%b' "$text" >&"$1"
}

# --- ClientHellos without a cookie, each from a port of its own ---------------------------------
random=$(head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n')
hello=fefd${random}0000000400a800ff0100
n_hello=$(printf %06x $((${#hello} / 2)))
record=01${n_hello}0000000000${n_hello}$hello
record=16feff0000000000000000$(printf %04x $((${#record} / 2)))$record
put 1 "$record" >"$tmp/hello"
for _ in {1..300}; do
	cat "$tmp/hello" >"/dev/udp/127.0.0.1/$((port + 1))"
done
is "$(client -u one -k "a key" "$secure")" hello "300 ClientHellos do not keep others out"
is "$(broker_counter sessions opened)" 1 "and are no sessions"

# --- a stream whose peer asks and does not read -----------------------------------------------------
head -c 45000 /dev/urandom | base64 -w0 >"$tmp/large"
client -b 1024 -m put -t 0 -f "$tmp/large" "coap://127.0.0.1:$port/ps/data/demo"
exec {greedy}<>"/dev/tcp/127.0.0.1/$port"
put "$greedy" 00e1 # CSM
get=d00001b2707304646174610464656d6f
many=
for _ in {1..400}; do
	many+=$get
done
put "$greedy" "$many" 2>/dev/null
wait_until 30 counter_is sessions unread 1
ok $? "who leaves 256 KiB unread for ten seconds is cut off"
wait_until 10 counter_is sessions open 0
ok $? "and gone"
exec {greedy}>&-

# Who reads is not, however much it is.
for _ in 1 2 3 4 5 6; do
	client -b 1024 -o "$tmp/got" "coap+tcp://127.0.0.1:$port/ps/data/demo"
done
is "$(cksum <"$tmp/got") $(broker_counter sessions unread)" "$(cksum <"$tmp/large") 1" \
	"who reads is served"

# --- connections that make no sense -----------------------------------------------------------------
for nonsense in ffffffffff f0ffffffff01 d00001b27073 "$get" 01e1; do
	exec {odd}<>"/dev/tcp/127.0.0.1/$port"
	put "$odd" "$nonsense" 2>/dev/null
	exec {odd}>&-
done
for _ in {1..20}; do
	head -c 500 /dev/urandom 2>/dev/null >"/dev/tcp/127.0.0.1/$port"
	head -c 500 /dev/urandom >"/dev/udp/127.0.0.1/$((port + 1))"
done
is "$(client_codes "coap+tcp://127.0.0.1:$port/ps/data/demo" | sort -u)" 2.05 \
	"noise by TCP: others are served"
is "$(client_codes -u one -k "a key" "$secure" | sort -u)" 2.05 "noise by DTLS: others are served"
wait_until 10 counter_is sessions open 0
ok $? "and no session is left"
stop_broker
done_testing
