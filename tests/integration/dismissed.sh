#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A reload while something is published all the time takes away identities, gives them other keys,
# or takes their rights: whoever observes as one of them is told by a 4.03, whatever it came
# by, and nothing more; its session ends, and who stayed misses nothing.
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/certificates.sh"
need openssl
free_port
plain=$port
free_port
secure=$port
{
	authority ca && certificate broker localhost ca && certificate gateway gateway.example ca
} || bail "openssl makes no certificates"

stays='  - { name: stays, psk: { identity: stays, key: "text:the key that stays" } }'
publisher='  - { name: publisher, psk: { identity: publisher, key: "text:that of the publisher" } }'
psk='  - { name: panel, psk: { identity: panel, key: "text:the first key" } }'
other_psk=${psk/first/second}
cert='  - { name: gateway, certificate: { cn: gateway.example } }'
oscore='  - { name: sensor, oscore: { sender-id: hex:00, recipient-id: hex:01, master-secret: "text:the first secret" } }'
other_oscore=${oscore/first/second}
configure() { # LINE-OF-ACCESS LINE-OF-AN-IDENTITY...
	{
		cat <<-END
			listen: [ "coaps://127.0.0.1:$secure", "coaps+tcp://127.0.0.1:$secure", "coap://127.0.0.1:$plain" ]
			security: { nosec: deny, certificate: { file: broker.crt, key: broker.key, ca: ca.crt } }
			topics: [ { name: demo, content-format: 0, initialize: hello } ]
			access:
			  - { who: stays, topics: "*", may: [ discover, read, subscribe ] }
			  - { who: publisher, topics: "*", may: [ discover, publish ] }
			$1
			identities:
			$stays
			$publisher
		END
		shift
		printf '%s\n' "$@"
	} >"$tmp/coapcast.yaml"
	chmod 600 "$tmp/coapcast.yaml"
}
{
	echo "identities:"
	echo "$stays"
	echo "$publisher"
	echo "$psk"
	echo "  - { name: gateway, certificate: { file: gateway.crt, key: gateway.key, ca: ca.crt } }"
	echo "${oscore/sender-id: hex:00, recipient-id: hex:01/sender-id: hex:01, recipient-id: hex:00}"
} >"$tmp/credentials.yaml"
chmod 600 "$tmp/credentials.yaml"
all='  - { who: "*", topics: demo, may: [ discover, read, subscribe ] }'

declare -A at=([udp]=coap://127.0.0.1:$plain/demo [dtls]=coaps://localhost:$secure/demo
	[tls]=coaps+tcp://localhost:$secure/demo)
observe() { # NAME IDENTITY TRANSPORT
	spawn "$1" "$coapcast" sub -v --credentials "$tmp/credentials.yaml" --identity "$2" "${at[$3]}"
	wait_line "$tmp/$1.out" hello
	ok $? "$1 observes"
}
gone=(panel-dtls panel-tls gateway-dtls gateway-tls sensor)
has_printed() { # NAME VALUE
	[ "$(tail -n 1 "$tmp/$1.out")" = "$2" ]
}
# trial NAME LINE-OF-ACCESS LINE-OF-AN-IDENTITY...: what they are taken away by.
trial() {
	local name=$1 who
	shift
	configure "$all" "$psk" "$cert" "$oscore"
	start_broker "$tmp/coapcast.yaml" -v
	for who in panel-dtls panel-tls gateway-dtls gateway-tls; do
		observe "$who" "${who%-*}" "${who#*-}"
	done
	observe sensor sensor udp
	observe stays stays dtls
	# One value a line, as fast as they are taken.
	mkfifo "$tmp/values"
	(exec "$coapcast" pub -l --credentials "$tmp/credentials.yaml" --identity publisher \
		"${at[dtls]}") <"$tmp/values" >"$tmp/publisher.out" 2>&1 &
	spawned[publisher]=$!
	exec 4>"$tmp/values"
	printf 'before %s\n' {1..20} >&4
	configure "$@"
	kill -HUP "${spawned[broker]}"
	printf 'during %s\n' {1..50} >&4
	wait_line "$tmp/broker.log" 'server: reloaded'
	ok $? "$name: the reload works out"
	for who in "${gone[@]}"; do
		finish "$who" 20
		is "$? $(grep -c '4\.03 Forbidden' "$tmp/$who.err")" "4 1" "$name: $who is told by a 4.03"
	done
	printf 'after %s\n' {1..5} >&4
	exec 4>&-
	wait_until 20 has_printed stays "after 5"
	ok $? "$name: who stays hears what is published"
	finish publisher
	rm "$tmp/values"
	wait_until 10 counter_is sessions open 1
	ok $? "$name: it has the only session that is left"
	stop stays INT
	stop_broker
}
trial "identities that are gone" "$all"
trial "other keys" "$all" "$other_psk" "$other_oscore"
trial "rights that are gone" "" "$psk" "$cert" "$oscore"
done_testing
