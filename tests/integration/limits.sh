#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What happens at each limit of the configuration, and that it is over when there is room
# again: 4.29 past a rate, 5.03 past a limit, both with Max-Age, 4.13 with Size1 past the
# payload, and a registration that is answered without Observe. Each refusal is counted.
. "${srcdir:-.}/tests/lib.sh"
need_coap_client
free_port
at=127.0.0.1:$port

cat >"$tmp/coapcast.yaml" <<END
broker:
  create-on-publish: true
  limits: { topics: 3, payload: 32, observers: 3, observers-per-peer: 2, publish-rate: 5 }
listen: [ "coap://[::]:$port" ]
topics:
  - { name: demo, content-format: 0, initialize: "hello" }
  - { name: other }
END
start_broker "$tmp/coapcast.yaml"

# answers MESSAGE...: what one peer is answered, without addresses.
answers() {
	"$talk" "$at" "$@" | sed -n 's/^< [^ ]* ack \([0-9.]*\) mid=[0-9a-f]*/\1/p'
}

# --- payload ------------------------------------------------------------------------------
is "$(answers "con put /ps/data/demo format=0 text=$(printf %032d 0)")" 2.04 "as long as may be"
is "$(answers "con put /ps/data/demo format=0 text=$(printf %033d 0)")" "4.13 size1=32" \
	"RFC 7959 2.9.3: too long, 4.13 with Size1"

# A datagram that is longer than can be received: RFC 7252 4.6, not silence.
exec 3<>"/dev/udp/${at%:*}/${at#*:}"
{
	printf '\x41\x03\x12\x34\x07'
	printf %08000d 0
} | dd bs=8005 count=1 iflag=fullblock status=none >&3
is "$(timeout 10 dd bs=64 count=1 status=none <&3 | od -An -tx1)" \
	" 61 8d 12 34 07 d1 0e 06 d1 14 20" "a datagram of 8005 bytes: 4.13, in blocks, with Size1"
exec 3>&-
is "$(broker_counter broker publishes-refused)" 1 "a value that is too long is a publish refused"

# --- topics -------------------------------------------------------------------------------
is "$(answers "con put /ps/data/third text=x")" 2.01 "a third topic"
like "$(answers "con put /ps/data/fourth text=x")" '^5\.03 max-age=[1-9]' \
	"no room for a fourth: 5.03 with Max-Age"
is "$(broker_counter broker publishes-refused)" 2 "that is one more publish refused"
like "$(answers "con post /ps format=606 hex=a2006666756c6c6564026c636f72652e70732e64617461")" \
	'^5\.03 max-age=[1-9]' "nor by POST"
is "$(answers "con delete /ps/third" "con put /ps/data/fourth text=x")" $'2.02\n2.01' \
	"room again for another"

# --- observers ----------------------------------------------------------------------------
# register PEER TOKEN: the Observe option of the answer, if there is one.
free_port
first=$port
free_port
second=$port
register() {
	"$talk" -a "127.0.0.1:$1" "$at" "con get token=$2 observe=0 /ps/data/demo" |
		sed -n 's/^< [^ ]* ack \(2\.05\) .*\(observe\)=.*/\1 \2/p;t;s/^< [^ ]* ack \([0-9.]*\).*/\1/p'
}
is "$(register "$first" 01), $(register "$first" 02)" "2.05 observe, 2.05 observe" "two of one peer"
is "$(register "$first" 03)" 2.05 "no third of that peer: answered without Observe"
is "$(register "$first" 01)" "2.05 observe" "a registration that is there already is renewed"
is "$(register "$second" 01), $(register "$second" 02)" "2.05 observe, 2.05" \
	"three in all, then answered without Observe"
is "$("$talk" -a "127.0.0.1:$first" "$at" "con get token=01 observe=1 /ps/data/demo" |
	grep -c ' ack 2\.05 .*observe=')" 0 "one leaves"
is "$(register "$second" 02)" "2.05 observe" "and there is room for another"

# --- publish-rate, coap-pubsub "Rate Limiting" ------------------------------------------------
messages=()
for i in {1..12}; do
	messages+=("con put /ps/data/demo format=0 text=$i")
done
answers "${messages[@]}" >"$tmp/rate"
# Twelve take much less than a second, but may meet the turn of one.
like "$(grep -c '^2\.04$' "$tmp/rate")" '^([5-9]|10)$' "five in a second"
is "$(grep -cvE '^2\.04$|^4\.29 max-age=1$' "$tmp/rate")" 0 "the others get 4.29 with Max-Age"
allowed_again() {
	[ "$("$talk" -a "127.0.0.1:$first" "$at" "con put /ps/data/demo format=0 text=again" |
		grep -c ' ack 2\.04 ')" = 1 ]
}
wait_until 5 allowed_again
ok $? "a second later it may publish again"
like "$(broker_counter broker publishes-refused)" '^[1-9]' "refusals are counted"

# What is refused is sent again when that time is over, and not before: a second's worth of
# lines is accepted, then there is one refusal.
refused_before=$(broker_counter broker publishes-refused)
accepted_before=$(broker_counter broker publishes)
printf '%s\n' {1..12} | "$coapcast" pub -l "coap://$at/demo" 2>"$tmp/pub.err"
is $? 0 "coap-pubsub 3.4: pub -l waits after a 4.29 and goes on"
is "$(broker_counter broker publishes)" $((accepted_before + 12)) "no line is lost"
like "$(($(broker_counter broker publishes-refused) - refused_before))" '^[123]$' \
	"and it asks no sooner than it was told"
printf '%s\n' {1..12} | "$coapcast" pub -l -W 0.9 "coap://$at/demo" 2>"$tmp/pub.err"
is $? 4 "but not for longer than -W"

# --- counted, each under the name of its limit --------------------------------------------
is "$(broker_counter refused payload)" 1 "counted: payload"
is "$(broker_counter udp truncated)" 1 "counted: a datagram that was too long"
is "$(broker_counter refused topics)" 2 "counted: topics"
is "$(broker_counter refused observers-per-peer)" 1 "counted: observers-per-peer"
is "$(broker_counter refused observers)" 1 "counted: observers"
like "$(broker_counter refused rate)" '^[1-9]' "counted: publish-rate"
is "$(broker_counter broker registrations-refused)" 2 "and registrations that were answered without"
stop_broker

# --- a payload limit below any name ---------------------------------------------------------
cat >"$tmp/coapcast.yaml" <<END
broker:
  limits: { payload: 5 }
listen: [ "coap://[::]:${at##*:}" ]
topics:
  - { name: demo, content-format: 0, initialize: "hello" }
END
start_broker "$tmp/coapcast.yaml"
is "$("$coapcast" get "coap://$at/demo")" hello "payload: 5: a topic is found by its name"
"$coapcast" pub -m 12345 "coap://$at/demo"
is $? 0 "payload: 5: five bytes are published"
"$coapcast" pub -m 123456 "coap://$at/demo" 2>"$tmp/pub.err"
is $? 4 "payload: 5: six are not"
like "$(cat "$tmp/pub.err")" '4\.13' "payload: 5: for being too many"
"$coapcast" topic create --ct 0 --initialize 12345 "coap://$at/a-rather-long-name" >/dev/null
is $? 0 "payload: 5: a topic is made, with a first value of five"
is "$("$coapcast" get "coap://$at/a-rather-long-name")" 12345 "payload: 5: which it has"
"$coapcast" topic create --ct 0 --initialize 123456 "coap://$at/other" 2>"$tmp/pub.err"
is $? 4 "payload: 5: a first value of six is refused"
like "$(cat "$tmp/pub.err")" '4\.13' "payload: 5: for the same reason"
is "$(broker_counter refused payload)" 2 "payload: 5: both are counted"
stop_broker

# --- memory -----------------------------------------------------------------------------------
cat >"$tmp/coapcast.yaml" <<END
broker:
  limits: { payload: 600K, memory: 1M }
listen: [ "coap://[::]:${at##*:}" ]
topics:
  - { name: one }
  - { name: two }
END
start_broker "$tmp/coapcast.yaml"
head -c 600000 /dev/urandom >"$tmp/large"
is "$(client_codes -b 1024 -m put -f "$tmp/large" "coap://$at/ps/data/one" | tail -n 1)" 2.01 \
	"600 kB of 1 MB"
is "$(client_codes -b 1024 -m put -f "$tmp/large" "coap://$at/ps/data/two" | tail -n 1)" 5.03 \
	"there is no room for another 600 kB"
is "$(broker_counter refused memory)" 1 "counted: memory"
is "$(broker_counter broker bodies) $(broker_counter broker body-bytes)" "0 0" \
	"what was received of it is given back"
# A property takes as much: one in CBOR of 600,000 bytes, h'a2' name, initialize.
{
	printf '\xa3\x00\x65three\x02\x6ccore.ps.data\x08\x5a\x00\x09\x27\xc0'
	cat "$tmp/large"
} >"$tmp/topic"
is "$(client_codes -b 1024 -m post -t 606 -f "$tmp/topic" "coap://$at/ps" | tail -n 1)" 5.03 \
	"nor for a topic whose \"initialize\" is of 600 kB"
is "$(broker_counter refused memory) $(broker_counter broker topics)" "2 2" "counted: memory"
is "$(client_codes -m delete "coap://$at/ps/data/one")" 2.02 "the first goes"
is "$(client_codes -b 1024 -m put -f "$tmp/large" "coap://$at/ps/data/two" | tail -n 1)" 2.01 \
	"and there is"
stop_broker

# --- peers --------------------------------------------------------------------------------
cat >"$tmp/coapcast.yaml" <<END
broker:
  limits: { peers: 3, exchanges: 16, bodies: 2 }
listen: [ "coap://[::]:${at##*:}" ]
topics:
  - { name: demo, content-format: 0, initialize: "hello" }
  - { name: other, content-format: 0, initialize: "hello" }
END
start_broker "$tmp/coapcast.yaml"
peers=()
for i in 1 2 3 4; do
	free_port
	peers+=("127.0.0.1:$port")
done
# from PEER MESSAGE...: what that peer is answered.
from() {
	"$talk" -a "$1" "$at" "${@:2}" | sed -n 's/^< [^ ]* ack \([0-9.]*\) mid=[0-9a-f]*/\1/p'
}
for i in 0 1 2; do
	like "$(from "${peers[i]}" "con get token=01 observe=0 /ps/data/demo")" '^2\.05 .*observe=' \
		"peer $i of 3 observes, and is held on to"
done
like "$(from "${peers[3]}" "con get /ps/data/demo")" '^5\.03 max-age=[1-9]' \
	"no room for a fourth: 5.03 with Max-Age"
like "$(from "${peers[1]}" "con get /ps/data/demo")" '^2\.05' "one that is known is served"
is "$(broker_counter messages refused-peers)" 1 "counted: peers"
like "$(from "${peers[0]}" "con get token=01 observe=1 /ps/data/demo")" '^2\.05' "one leaves"
like "$(from "${peers[3]}" "con get /ps/data/demo")" '^2\.05' "there is room for the fourth"
like "$(broker_counter messages evicted-peers)" '^[1-9]' \
	"counted: who was forgotten to make room"

# --- exchanges: what is kept for duplicates ------------------------------------------------
posts=()
for i in {1..16}; do
	posts+=("con post /ps format=606 hex=a0 mid=70$(printf %02x "$i")")
done
is "$(from "${peers[1]}" "${posts[@]}" | sort -u | cut -c1-4)" 4.00 "sixteen POSTs are remembered"
is "$(broker_counter messages evicted-duplicates)" 0 "as many as may be"
from "${peers[1]}" "con post /ps format=606 hex=a0 mid=7100" >/dev/null
is "$(broker_counter messages evicted-duplicates)" 1 "counted: the oldest gives way to another"

# --- exchanges: confirmable messages of ours ------------------------------------------------
for i in {1..17}; do
	messages[i]="con get token=$(printf %02x "$i") observe=0 /ps/data/other"
done
"$talk" -q -a "${peers[1]}" "$at" "${messages[@]:1:17}" >/dev/null
is "$(broker_counter messages refused-exchanges)" 0 "seventeen observations of one peer"
is "$(from "${peers[3]}" "con delete /ps/other")" 2.02 "each is owed a confirmable 4.04"
is "$(broker_counter messages refused-exchanges)" 1 "counted: sixteen at once, not seventeen"

# --- bodies -------------------------------------------------------------------------------
first_block="con put /ps/data/demo format=0 27=08 text=0123456789abcdef"
like "$(from "${peers[1]}" "$first_block"), $(from "${peers[2]}" "$first_block")" \
	'^2\.31.*, 2\.31' "two bodies begin"
like "$(from "${peers[3]}" "$first_block")" '^5\.03 max-age=[1-9]' "no third: 5.03 with Max-Age"
is "$(broker_counter refused bodies) $(broker_counter broker bodies)" "1 2" "counted: bodies"
is "$(broker_counter broker body-bytes)" 32 "and their bytes"
like "$(from "${peers[1]}" "con put /ps/data/demo format=0 27=10 text=end")" '^2\.04' "one is complete"
like "$(from "${peers[3]}" "$first_block")" '^2\.31' "and there is room for another"
stop_broker
done_testing
