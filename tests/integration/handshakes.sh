#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Handshakes that come to nothing (RFC 7252 9, RFC 6347 4.1.2.7): whoever has a wrong key or
# certificate is told so at once, and knows that from a host that does not answer.
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/certificates.sh"
need coap-client-openssl coap-server-openssl openssl
COAP_CLIENT=coap-client-openssl
free_port
secure=$port
free_pair
foreign=$((port + 1)) # coap-server has the one before it, too

{
	authority ca && authority stranger && certificate broker localhost ca &&
		certificate gateway gateway.example ca && certificate unlisted unlisted.example ca &&
		certificate stray gateway.example stranger &&
		certificate expired gateway.example ca -days -1
} || bail "openssl makes no certificates"

cat >"$tmp/coapcast.yaml" <<END
listen: [ "coaps://127.0.0.1:$secure", "coaps+tcp://127.0.0.1:$secure" ]
security: { certificate: { file: broker.crt, key: broker.key, ca: ca.crt } }
identities:
  - { name: sensor-1, psk: { identity: sensor-1, key: "text:the first key" } }
  - { name: gateway, certificate: { cn: gateway.example } }
topics:
  - { name: demo, content-format: 0, initialize: hello }
END
cat >"$tmp/credentials.yaml" <<END
identities:
  - { name: first, psk: { identity: sensor-1, key: "text:the first key" } }
  - { name: wrong, psk: { identity: sensor-1, key: "text:another key" } }
  - { name: nobody, psk: { identity: nobody, key: "text:the first key" } }
  - { name: gateway, certificate: { file: gateway.crt, key: gateway.key, ca: ca.crt } }
  - { name: trusting, certificate: { file: gateway.crt, key: gateway.key, ca: stranger.crt } }
  - { name: unlisted, certificate: { file: unlisted.crt, key: unlisted.key, ca: ca.crt } }
  - { name: stray, certificate: { file: stray.crt, key: stray.key, ca: ca.crt } }
  - { name: expired, certificate: { file: expired.crt, key: expired.key, ca: ca.crt } }
END
chmod 600 "$tmp/coapcast.yaml" "$tmp/credentials.yaml"
start_broker "$tmp/coapcast.yaml"

# cast IDENTITY SCHEME COMMAND...: its status, and how many seconds it took.
cast() {
	local who=$1 at=$2 from=$EPOCHREALTIME rc=0
	shift 2
	"$coapcast" "$@" --credentials "$tmp/credentials.yaml" --identity "$who" "$at" \
		>"$tmp/cast.out" 2>"$tmp/cast.err" </dev/null || rc=$?
	status=$rc
	took_ms=$(((${EPOCHREALTIME/./} - ${from/./}) / 1000))
	comment <"$tmp/cast.err"
}

# told STATUS MS NAME: of the last one, within so many milliseconds, in one line. Who is not told
# asks for seven seconds, and if not so then for fifteen: in less than five is at once.
told() {
	is "$status" "$1" "$3: status $1"
	ok $((took_ms >= $2 * TEST_TIME_FACTOR)) "$3: within $2 ms ($took_ms)"
	is "$(wc -l <"$tmp/cast.err")" 1 "$3: a line says why"
}

# The broker's log says who was refused, and for what.
for refused in "wrong coaps it has another key" "nobody coaps its identity is nobody's" \
	"unlisted coaps+tcp its certificate is nobody's" \
	"stray coaps its certificate is not of an authority that is believed"; do
	read -r who scheme why <<<"$refused"
	cast "$who" "$scheme://localhost:$secure/demo" get
	wait_line "$tmp/broker.log" "session: refused: $why peer=127\.0\.0\.1:[0-9]+ "
	ok $? "$scheme: the log tells of $who: $why"
done

for scheme in coaps coaps+tcp; do
	at=$scheme://localhost:$secure/demo
	cast first "$at" get
	is "$status $(cat "$tmp/cast.out")" "0 hello" "$scheme: who has the key gets in"
	for command in get "sub -C 1" "pub -m x" "topic show"; do
		# shellcheck disable=SC2086 # words
		cast wrong "$at" $command
		told 6 5000 "$scheme, $command with a wrong key"
	done
	cast wrong "$scheme://localhost:$secure/ps/data/demo" sub
	told 6 5000 "$scheme, sub by a full URI with a wrong key"
	cast nobody "$at" get
	told 6 5000 "$scheme, an unknown identity"
	for who in unlisted stray expired; do
		cast "$who" "$at" get
		told 6 5000 "$scheme, the broker does not take the certificate: $who"
	done
	cast trusting "$at" get
	told 6 5000 "$scheme, the broker's certificate is not believed"
	cast gateway "$at" get
	is "$status $(cat "$tmp/cast.out")" "0 hello" "$scheme: who has a certificate gets in"
done

# RFC 6347 4.1.2.7 lets a server drop what it cannot decrypt, and then a client waits for half
# a minute. Ours tells, and any client understands.
from=$EPOCHREALTIME
like "$("$COAP_CLIENT" -v 6 -B 20 -u sensor-1 -k bad "coaps://127.0.0.1:$secure/demo" 2>&1)" \
	'read:fatal:decrypt error' "another's client with a wrong key: an alert"
took_ms=$(((${EPOCHREALTIME/./} - ${from/./}) / 1000))
ok $((took_ms >= 5000 * TEST_TIME_FACTOR)) "at once ($took_ms ms)"
n=$(broker_counter sessions failed)
cast wrong "coaps://127.0.0.1:$secure/demo" get
is "$(broker_counter sessions failed)" $((n + 1)) "a wrong key is a failed handshake"

# --- a server that drops it without a word -------------------------------------------------
spawn foreign coap-server-openssl -A 127.0.0.1 -p $((foreign - 1)) -k "the real key"
wait_until 10 port_is_used "$foreign"
cast wrong "coaps://127.0.0.1:$foreign/demo" get -W 1
told 6 5000 "a server that does not tell, and -W"
cast wrong "coaps://127.0.0.1:$foreign/demo" get
told 6 13000 "a server that does not tell"
ok $((took_ms < 6000)) "but not before it was asked several times"
stop foreign INT

# --- a client that starts anew, from the same port -----------------------------------------
# RFC 6347 4.2.8: a session that it knows nothing of is not in its way, once it has shown by a
# cookie of a later second that it is there.
free_port
mkfifo "$tmp/hold"
exec 3<>"$tmp/hold"
# again NAME: the handshake of a client that stays.
again() {
	# shellcheck disable=SC2016 # expanded in there
	spawn "$1" sh -c 'exec <"$1" && shift && exec "$@"' sh "$tmp/hold" \
		openssl s_client -dtls1_2 -bind "127.0.0.1:$port" -connect "127.0.0.1:$secure" \
		-psk_identity sensor-1 -psk "$(printf 'the first key' | od -An -tx1 | tr -d ' \n')" \
		-cipher PSK
}
later_than() { # SECOND
	[ "$SECONDS" -gt $(($1 + 1)) ]
}
again before
wait_line "$tmp/before.out" 'Cipher is .*PSK'
ok $? "a client with a port of its own"
stop before KILL 2>/dev/null
n=$(broker_counter sessions open)
began=$SECONDS
wait_until 5 later_than "$began"
again after
wait_line "$tmp/after.out" 'Cipher is .*PSK'
ok $? "that was killed, is let in again"
is "$(broker_counter sessions open)" "$n" "in place of what it was"
stop after KILL 2>/dev/null

# --- a host that does not answer at all ---------------------------------------------------
kill -STOP "${spawned[broker]}"
for scheme in coaps coaps+tcp; do
	for command in "get -W 1" "sub -C 1 -W 1"; do
		# shellcheck disable=SC2086 # words
		cast wrong "$scheme://127.0.0.1:$secure/ps/data/demo" $command
		told 3 5000 "$scheme, $command of a host that does not answer"
	done
done
kill -CONT "${spawned[broker]}"
cast first "coaps://127.0.0.1:$secure/demo" get
is "$status $(cat "$tmp/cast.out")" "0 hello" "and then it does"
stop_broker
done_testing
