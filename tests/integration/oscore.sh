#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# OSCORE (RFC 8613) with the real daemon: what a protected peer may do and sees, errors,
# replays, and what a restart leaves. tests/tools/ward protects what plain clients say.
. "${srcdir:-.}/tests/lib.sh"
need_coap_client
free_port
broker=$port
free_port
warded=$port
secret=0102030405060708090a0b0c0d0e0f10
ward=$top_builddir/tests/tools/ward

cat >"$tmp/coapcast.yaml" <<END
listen: "coap://127.0.0.1:$broker"
security: { nosec: deny }
identities:
  - { name: sensor-1, oscore: { sender-id: hex:03, recipient-id: hex:01,
      master-secret: hex:$secret, master-salt: hex:9e7c } }
  - { name: panel, oscore: { sender-id: hex:03, recipient-id: hex:02,
      master-secret: hex:$secret, id-context: hex:37cb } }
access:
  - { who: "sensor-*", topics: "*", may: [ discover, read, subscribe, publish, create, configure,
      delete ] }
  - { who: panel, topics: shown, may: [ read ] }
topics:
  - { name: shown, content-format: 0, initialize: s }
  - { name: value, content-format: 0, initialize: "v" }
END
chmod 600 "$tmp/coapcast.yaml"

# start_ward ARG...: what protects, for who asks at $warded.
start_ward() {
	spawn ward "$ward" "$@" "127.0.0.1:$warded" "127.0.0.1:$broker"
	wait_line "$tmp/ward.out" '^ready' || bail "no ward"
}

sensor=(-s 01 -r 03 -k "$secret" -l 9e7c)
panel=(-s 02 -r 03 -k "$secret" -c 37cb)

# say MESSAGE...: the codes of what comes back through the ward.
say() {
	"$talk" -e -w 5 "127.0.0.1:$warded" "$@" | sed -n 's/^< [^ ]* [a-z]* \([2-5]\.[0-9]*\) .*/\1/p' |
		paste -sd' '
}

# raw HEX...: what the broker says to a datagram, without a ward.
raw() {
	"$talk" -w 5 "127.0.0.1:$broker" "raw=$1" | sed -n 's/^< [^ ]* //p'
}

# again MID: the raw bytes of the last request, as another message.
again() {
	sed -n 's/^> .* raw=//p' "$tmp/ward.out" | tail -n 1 | sed "s/^\(....\)..../\1$1/"
}

# Partial IVs of the broker so far, as numbers.
pivs() {
	sed -n 's/^< piv=\([0-9a-f]*\) .*/\1/p' "$tmp/ward.out" | while read -r hex; do
		echo $((16#$hex))
	done
}

# opened N: the last N responses that the ward opened, without their Partial IVs.
opened() {
	sed -n 's/^< piv=[^ ]* outer=\([^ ]*\) inner=\([^ ]*\)$/\1\/\2/p' "$tmp/ward.out" |
		tail -n "$1" | paste -sd' '
}

n_notified() { # N: notifications in sub.out
	[ "$(grep -c '^< .* observe=' "$tmp/sub.out")" -ge "$1" ]
}

n_reloads() { # N
	[ "$(grep -c 'server: reloaded' "$tmp/broker.log")" -ge "$1" ]
}

restart() { # SIGNAL
	if [ "$1" = KILL ]; then
		stop broker KILL
	else
		stop_broker
	fi
	keep_state=1 start_broker "$tmp/coapcast.yaml"
}

start_broker "$tmp/coapcast.yaml"
start_ward "${sensor[@]}"

# --- requests -----------------------------------------------------------------------------
is "$(say 'con get /ps/data/value')" "4.01 2.05" "a first contact has to echo"
is "$(opened 2)" "2.04/4.01 2.04/2.05" "which is protected"
is "$(say 'con get /ps/data/value' 'con put /ps/data/value text=w' 'con get /ps/data/value')" \
	"2.05 2.04 2.05" "read and publish"
is "$(sed -n 's/^< piv=none //p' "$tmp/ward.out" | wc -l)" 4 "answered under the request's nonce"
"$coapcast" topic create "coap://127.0.0.1:$warded/made" >/dev/null
is $? 0 "create a topic"
"$coapcast" pub -m news "coap://127.0.0.1:$warded/made"
is "$("$coapcast" get "coap://127.0.0.1:$warded/made")" news "publish there"
head -c 45000 /dev/urandom | base64 -w0 >"$tmp/large" # 60,000 bytes
client -m put -t 0 -f "$tmp/large" "coap://127.0.0.1:$warded/ps/data/made" >/dev/null
client -o "$tmp/got" "coap://127.0.0.1:$warded/ps/data/made"
cmp "$tmp/large" "$tmp/got" | comment
cmp -s "$tmp/large" "$tmp/got"
ok $? "60 kB in inner blocks, both ways"
is "$("$coapcast" topic rm "coap://127.0.0.1:$warded/made"; echo $?)" 0 "remove it"
is "$(say 'con get /ps/data/none' 'con fetch /ps/data/value')" "4.04 4.05" "errors of the broker"
is "$(opened 2)" "2.04/4.04 2.04/4.05" "are protected"
is "$(say 'non get /ps/data/value')" "2.05" "a non-confirmable request"
like "$("$talk" -w 5 "127.0.0.1:$broker" 'con get /ps/data/value')" '< .* ack 4\.01 ' \
	"without OSCORE nobody is let in"

# --- errors of object security: unprotected, with Max-Age 0 (RFC 8613 8.2) ------------------
say 'con get /ps/data/value' >/dev/null
like "$(raw "$(again 0102)")" '^ack 4\.01 .*max-age=0 .*Replay detected' "a replay"
piv=$(sed -n 's/^> piv=\([^ ]*\) .*/\1/p' "$tmp/ward.out" | tail -n 1)
like "$(raw "$(again 0103 | sed "s/$piv/fffffffff0/")")" '^ack 4\.00 .*max-age=0 .*Decryption failed' "a forgery"
# An OSCORE option of four bytes: PIV 5, kid 77 63; the same without context, and reserved bits.
like "$(raw 400200019409057763ff00112233445566778899)" 'ack 4\.01 .*max-age=0 .*context not found' \
	"somebody else's keys"
like "$(raw 4002000291e7ff00112233445566778899)" 'ack 4\.02 .*max-age=0 .*Failed to decode COSE' \
	"an option with reserved bits"
like "$(raw 400200039409050163)" 'ack 4\.02 .*max-age=0' "a message without payload"
is "$(broker_counter oscore refused)" 5 "they are counted"
like "$(cat "$tmp/broker.log")" 'oscore: request refused: replay peer=127' "and told in the log"

# --- observation ------------------------------------------------------------------------------
n=$(grep -c '^< piv' "$tmp/ward.out")
spawn sub "$talk" -n 0 "127.0.0.1:$warded" "con get token=0b5e observe=0 /ps/data/value"
wait_until 10 n_notified 1
ok $? "register"
codes=
for i in 1 2 3 4 5 6; do
	codes+="$(say "con put /ps/data/value text=n$i") "
	wait_until 10 n_notified $((i + 1)) || break
done
is "$codes" "2.04 2.04 2.04 2.04 2.04 2.04 " "publish six times"
is "$(sed -n 's/^< .* observe=[0-9]* .*"\(n[0-9]\)".*/\1/p' "$tmp/sub.out" | paste -sd' ')" \
	"n1 n2 n3 n4 n5 n6" "six protected notifications in order"
numbers=$(tail -n "+$n" "$tmp/ward.out" | sed -n 's/^< piv=\([0-9a-f]*\) outer=2.05 .*/\1/p')
is "$(wc -l <<<"$numbers")" 7 "each with a Partial IV of its own, the first one too"
is "$(sort -u <<<"$numbers")" "$numbers" "which rise"
is "$(broker_counter oscore shields)" 1 "what protects them is counted"
"$coapcast" topic rm "coap://127.0.0.1:$warded/value"
wait_line "$tmp/sub.out" '^< .* 4\.04 '
ok $? "the topic's end is told"
is "$(opened 3 | tr ' ' '\n' | grep -c '2.05/4.04')" 1 "protected, in answer to a registration"
is "$(pivs | sort -n | uniq -d)" "" "no Partial IV came twice"
stop sub
wait_until 10 counter_is oscore shields 0
ok $? "nothing is left of it"

# --- access by identity --------------------------------------------------------------------------
stop ward
start_ward "${panel[@]}"
is "$(say 'con get /ps/data/shown' 'con put /ps/data/shown text=x' \
	'con get observe=0 /ps/data/shown')" "4.01 2.05 4.03 2.05" \
	"another identity, with an ID Context: other rights"
is "$(opened 2)" "2.04/4.03 2.05/2.05" "which is told protected"
is "$(broker_counter broker observers)" 0 "and who may not subscribe does not"
stop ward

# --- what a restart leaves (RFC 8613 B.1) -----------------------------------------------------
start_ward "${sensor[@]}"
is "$(say 'con get observe=0 token=01 /ps/data/shown' 'con get observe=1 token=01 /ps/data/shown')" \
	"2.05 2.05" "after a while without it"
last=$(pivs | tail -n 1)
restart TERM
like "$(raw "$(again 0104)")" '^ack 4\.01 .*Replay detected' "after a clean stop a replay is known"
is "$(say 'con get observe=0 token=01 /ps/data/shown')" "2.05" "and nobody has to echo"
is "$(pivs | tail -n 1)" "$((last + 1))" "numbers go on where they were"
spawn sub "$talk" -n 0 "127.0.0.1:$warded" "con get token=0d5e observe=0 /ps/data/shown"
wait_until 10 n_notified 1
last=$(pivs | tail -n 1)
wait_until 10 counter_is store waiting 0
restart KILL
is "$(say 'con get observe=0 token=01 /ps/data/shown')" "4.01 2.05" "after a crash everybody has to"
first=$(pivs | tail -n 2 | head -n 1)
ok $((first > last && first <= last + 3 * 4096 ? 0 : 1)) "and numbers go on past all that were used"
is "$(pivs | sort -n | uniq -d)" "" "no Partial IV came twice"

is "$(say 'con put /ps/data/shown text=t')" 2.04 "a publish"
wait_until 10 n_notified 2
ok $? "reaches who observes since before the crash"
ok $(($(pivs | sort -n | tail -n 1) > first ? 0 : 1)) "with a number past those"
is "$(pivs | sort -n | uniq -d)" "" "of its own"
stop sub
is "$(say 'con get observe=1 token=0d5e /ps/data/shown')" 2.05 "it leaves"

# --- a reload ---------------------------------------------------------------------------------
cp "$tmp/coapcast.yaml" "$tmp/before.yaml"
is "$(say 'con get observe=1 token=01 /ps/data/shown')" 2.05 "the one from before leaves"
spawn sub "$talk" -n 0 "127.0.0.1:$warded" "con get token=0c5e observe=0 /ps/data/shown"
wait_until 10 n_notified 1
ok $? "an observer before it"
sed -i 's/recipient-id: hex:01/recipient-id: hex:09/' "$tmp/coapcast.yaml"
kill -HUP "${spawned[broker]}"
wait_line "$tmp/broker.log" 'server: reloaded'
ok $? "a reload takes keys away"
wait_line "$tmp/sub.out" '^< .* 4\.03 '
ok $? "what was begun under them ends"
stop sub
is "$(say 'con get /ps/data/shown')" 4.01 "whose they were is nobody"
cp "$tmp/before.yaml" "$tmp/coapcast.yaml"
kill -HUP "${spawned[broker]}"
wait_until 10 n_reloads 2
ok $? "another one gives them back"
is "$(say 'con get /ps/data/shown')" "4.01 2.05" "and what came before them is not known"
stop ward
stop_broker

grep -rq "$secret" "$tmp"/*.err "$tmp"/*.out
is $? 1 "nobody wrote the key"
done_testing
