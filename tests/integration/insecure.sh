#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Why no secure connection came about: coapcast says which of the ends refused what.
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/certificates.sh"
need openssl
free_port
secure=$port
free_port
stale=$port

extensions names "subjectAltName=DNS:localhost,DNS:second.example,IP:127.0.0.1,IP:0:0:0:0:0:0:0:1"
extensions only "subjectAltName=DNS:only.example"
{
	authority root && authority stranger &&
		certificate broker nobody.example root -extfile "$tmp/names.ext" &&
		certificate old localhost root -extfile "$tmp/names.ext" -days -1 &&
		certificate member member.example root && certificate nobody other.example root &&
		certificate foreign member.example stranger
} || bail "openssl makes no certificates"
cat >"$tmp/coapcast.yaml" <<END
listen: [ "coaps://[::]:$secure", "coaps+tcp://[::]:$secure" ]
security: { nosec: allow, certificate: { file: broker.crt, key: broker.key, ca: root.crt } }
identities:
  - { name: member, certificate: { cn: member.example } }
  - { name: sensor, psk: { identity: sensor, key: "text:the key" } }
topics:
  - { name: demo, content-format: 0, initialize: hello }
END
cat >"$tmp/credentials.yaml" <<END
identities:
  - { name: member, certificate: { file: member.crt, key: member.key, ca: root.crt } }
  - { name: second, certificate: { file: member.crt, key: member.key, ca: root.crt,
      server: second.example } }
  - { name: mistaken, certificate: { file: member.crt, key: member.key, ca: root.crt,
      server: only.example } }
  - { name: distrustful, certificate: { file: member.crt, key: member.key, ca: stranger.crt } }
  - { name: nobody, certificate: { file: nobody.crt, key: nobody.key, ca: root.crt } }
  - { name: foreign, certificate: { file: foreign.crt, key: foreign.key, ca: root.crt } }
  - { name: sensor, psk: { identity: sensor, key: "text:the key" } }
  - { name: wrong, psk: { identity: sensor, key: "text:another" } }
  - { name: unknown, psk: { identity: lamp, key: "text:the key" } }
END
chmod 600 "$tmp"/*.yaml
start_broker "$tmp/coapcast.yaml"

# tell COMMAND IDENTITY URI: the status, and what is said.
tell() {
	"$coapcast" "$1" -W 10 --credentials "$tmp/credentials.yaml" --identity "$2" "$3" \
		>"$tmp/out" 2>"$tmp/err" </dev/null
	echo "$? $(tail -n 1 "$tmp/err")"
}
said_of() { # IDENTITY WHY
	local scheme
	for scheme in coaps coaps+tcp; do
		like "$(tell get "$1" "$scheme://localhost:$secure/demo")" \
			"^6 coapcast: .*: no secure connection: $2\$" "$scheme: $2"
	done
}
for scheme in coaps coaps+tcp; do
	for host in localhost 127.0.0.1 "[::1]"; do
		is "$(tell get member "$scheme://$host:$secure/demo") $(cat "$tmp/out")" "0  hello" \
			"$scheme: the certificate is for $host, too"
	done
	is "$(tell get second "$scheme://127.0.0.1:$secure/demo")" "0 " "$scheme: as is what is wanted of it"
	is "$(tell get sensor "$scheme://localhost:$secure/demo")" "0 " "$scheme: or a key"
done
said_of mistaken "the server's certificate has another name"
said_of distrustful "nobody who is believed vouches for the server's certificate"
said_of nobody "the server does not take our certificate"
said_of foreign "the server does not believe the authority of our certificate"
said_of unknown "the server does not know that identity"
said_of wrong "the server has another key"
for who in mistaken wrong; do
	like "$(tell sub "$who" "coaps://localhost:$secure/demo")" '^6 .*: no secure connection: the server.*' \
		"sub says so, too: $who"
done
# logged IDENTITY WHY: what the broker writes down, with the peer; it holds back what is too much.
logged() {
	local scheme
	for scheme in coaps coaps+tcp; do
		stop broker
		start_broker "$tmp/coapcast.yaml"
		tell get "$1" "$scheme://127.0.0.1:$secure/demo" >"$tmp/told"
		# The client may know before it is written down.
		wait_line "$tmp/broker.log" 'session: refused'
		comment <"$tmp/told"
		like "$(grep 'session: refused' "$tmp/broker.log" | tail -n 1)" \
			"session: refused: $2 peer=127\.0\.0\.1:[0-9]+ suppressed=0\$" "$scheme: the log: $2"
	done
}
logged nobody "its certificate is nobody's"
logged foreign "its certificate is not of an authority that is believed"
logged unknown "its identity is nobody's"
logged wrong "it has another key"
stop_broker

# An identity that is gone after a restart: its subscriber is not left to try for ever (of one
# that a reload takes away: dismissed.sh). Meanwhile:
start_broker "$tmp/coapcast.yaml"
for scheme in coaps coaps+tcp; do
	spawn "sub-$scheme" "$coapcast" sub --credentials "$tmp/credentials.yaml" --identity sensor \
		"$scheme://localhost:$secure/demo"
	wait_lines "$tmp/sub-$scheme.out" 1 || bail "$scheme: nothing is heard"
done
sed -i '/name: sensor/d' "$tmp/coapcast.yaml"
stop_broker
keep_state=1 start_broker "$tmp/coapcast.yaml"

# No broker starts with a certificate that has expired. The other one leaves when stdin ends.
mkfifo "$tmp/silence"
for option in -dtls -tls1_2 -tls1_3; do
	# shellcheck disable=SC2016 # expanded in there
	spawn stale bash -c 'exec "${@:2}" <>"$1"' sh "$tmp/silence" openssl s_server "$option" -accept "127.0.0.1:$stale" -cert "$tmp/old.crt" \
		-key "$tmp/old.key"
	wait_line "$tmp/stale.out" ACCEPT || bail "openssl s_server does not start"
	scheme=coaps+tcp
	[ "$option" != -dtls ] || scheme=coaps
	like "$(tell get member "$scheme://localhost:$stale/demo")" \
		"^6 .*: the server's certificate has expired\$" "$option: a certificate that has expired"
	stop stale KILL 2>/dev/null
done

for scheme in coaps coaps+tcp; do
	rc=0
	finish "sub-$scheme" 60 || rc=$?
	is "$rc $(tail -n 1 "$tmp/sub-$scheme.err")" \
		"6 coapcast: $scheme://localhost:$secure/demo: no secure connection: the server does not know that identity" \
		"$scheme: a subscriber whose key is gone ends, and says why"
done
stop_broker
done_testing
