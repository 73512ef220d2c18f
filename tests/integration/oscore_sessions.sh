#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# OSCORE inside TCP and DTLS: whose request it is says OSCORE, not the session. The ward
# (tests/tools/ward.c) protects what plain clients say, and openssl is the way to DTLS.
. "${srcdir:-.}/tests/lib.sh"
need openssl
need_coap_client
free_port
plain=$port
free_port
secure=$port
free_port
warded=$port
secret=0102030405060708090a0b0c0d0e0f10

cat >"$tmp/coapcast.yaml" <<END
listen: [ "coap://127.0.0.1:$plain", "coap+tcp://127.0.0.1:$plain", "coaps://127.0.0.1:$secure" ]
security: { nosec: deny }
identities:
  - { name: sensor, oscore: { sender-id: hex:03, recipient-id: hex:01, master-secret: hex:$secret } }
  - { name: gateway, psk: { identity: gateway, key: hex:00112233445566778899 } }
access:
  - { who: sensor, topics: "*", may: [ read, subscribe, publish ] }
  - { who: gateway, topics: other, may: [ read ] }
topics:
  - { name: value, content-format: 0, initialize: v }
  - { name: other, content-format: 0, initialize: o }
END
chmod 600 "$tmp/coapcast.yaml"
start_broker "$tmp/coapcast.yaml"
head -c 45000 /dev/urandom | base64 -w0 >"$tmp/large" # 60,000 bytes

# say MESSAGE...: the codes of what comes back through the ward.
say() {
	"$talk" -e -w 10 "127.0.0.1:$warded" "$@" |
		sed -n 's/^< [^ ]* [a-z]* \([2-5]\.[0-9]*\) .*/\1/p' | paste -sd' '
}

n_notified() { # N: notifications in sub.out
	[ "$(grep -c '^< .* observe=' "$tmp/sub.out")" -ge "$1" ]
}

# talks NAME FIRST: what is asked by it; FIRST: what comes before the first answer.
talks() {
	is "$(say 'con get /ps/data/value')" "${2}2.05" "$1: read"
	is "$(say 'con put /ps/data/value text=v' 'con get /ps/data/none')" "2.04 4.04" \
		"$1: publish, and an error"
	is "$(tail -n 1 "$tmp/ward.out" | sed 's/.* outer/outer/')" "outer=2.04 inner=4.04" \
		"$1: which is protected"
	"$coapcast" pub -f "$tmp/large" "coap://127.0.0.1:$warded/ps/data/value"
	client -o "$tmp/got" "coap://127.0.0.1:$warded/ps/data/value"
	cmp -s "$tmp/large" "$tmp/got"
	ok $? "$1: 60 kB in inner blocks, both ways"
	say 'con put /ps/data/value text=n0' >/dev/null
	spawn sub "$talk" -n 0 "127.0.0.1:$warded" "con get token=0b5e observe=0 /ps/data/value"
	wait_until 10 n_notified 1
	for i in 1 2 3 4; do
		say "con put /ps/data/value text=n$i" >/dev/null
		wait_until 10 n_notified $((i + 1)) || break
	done
	is "$(sed -n 's/^< .* observe=[0-9]* .*"\(n[0-9]\)".*/\1/p' "$tmp/sub.out" | paste -sd' ')" \
		"n0 n1 n2 n3 n4" "$1: notifications in order"
	is "$(broker_counter broker observers)" 1 "$1: observed"
	stop sub
	is "$(say 'con get token=0b5e observe=1 /ps/data/value')" 2.05 "$1: deregister"
	is "$(broker_counter broker observers) $(broker_counter oscore shields)" "0 0" \
		"$1: nothing is left of it"
}

start_ward() { # SERVER-PORT ARG...
	local to=127.0.0.1:$1
	shift
	spawn ward "$top_builddir/tests/tools/ward" "$@" -s 01 -r 03 -k "$secret" \
		"127.0.0.1:$warded" "$to"
	wait_line "$tmp/ward.out" '^ready' || bail "no ward"
}

start_ward "$plain" -t
talks TCP "4.01 "
say 'con get token=0b5e observe=0 /ps/data/value' >/dev/null
is "$(broker_counter oscore shields)" 1 "TCP: observed once more"
stop ward
wait_until 10 counter_is oscore shields 0
ok $? "TCP: the end of the session is that of the observation"

start_ward "$secure" -x "exec openssl s_client -quiet -dtls1_2 -psk_identity gateway \
	-psk 00112233445566778899 -connect 127.0.0.1:$secure 2>/dev/null"
talks DTLS ""

stop_broker
done_testing
