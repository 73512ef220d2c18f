#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# DTLS, TLS and TCP (RFC 7252 9, RFC 8323) with a real coap-client: each of them takes the
# way of UDP through the broker, with keys and with certificates.
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/certificates.sh"
need coap-client-openssl openssl
COAP_CLIENT=coap-client-openssl
free_port
plain=$port
free_port
secure=$port

{
	authority ca && authority stranger && certificate broker localhost ca &&
		certificate gateway gateway.example ca && certificate unlisted unlisted.example ca &&
		certificate foreign gateway.example stranger
} || bail "openssl makes no certificates"

cat >"$tmp/coapcast.yaml" <<END
listen:
  - coap://127.0.0.1:$plain
  - coap+tcp://[::]:$plain
  - coaps://[::]:$secure
  - coaps+tcp://127.0.0.1:$secure
security: { certificate: { file: broker.crt, key: broker.key, ca: ca.crt } }
identities:
  - { name: sensor-1, psk: { identity: sensor-1, key: "text:the first key" } }
  - { name: sensor-2, psk: { identity: sensor-2, key: "text:another key" } }
  - { name: gateway, certificate: { cn: gateway.example } }
topics:
  - { name: demo, content-format: 0, initialize: hello }
END
chmod 600 "$tmp/coapcast.yaml"
start_broker "$tmp/coapcast.yaml"
like "$(cat "$tmp/broker.log")" \
	"ready listen=coap://127.0.0.1:$plain,coap\+tcp://\[::\]:$plain,coaps://\[::\]:$secure,coaps\+tcp://127" \
	"the addresses, with their schemes"

head -c 45000 /dev/urandom | base64 -w0 >"$tmp/large" # 60,000 bytes

first=(-u sensor-1 -k "the first key")
second=(-u sensor-2 -k "another key")
gateway=(-c "$tmp/gateway.crt" -j "$tmp/gateway.key" -C "$tmp/ca.crt")

# talks NAME BASE-URI OPTION...: GET, PUT, Observe and block-wise transfer.
talks() {
	local name=$1 at=$2
	shift 2
	is "$(client "$@" "$at/ps/data/demo")" "$(cat "$tmp/value")" "$name: read"
	is "$(client_codes "$@" -m put -t 0 -e "by $name" "$at/ps/data/demo")" 2.04 "$name: publish"
	echo "by $name" >"$tmp/value"
	is "$(client_codes "$@" "$at/ps/data/nothing")" 4.04 "$name: an error"
	like "$(client "$@" "$at/.well-known/core")" 'core\.ps\.coll' "$name: /.well-known/core"
	is "$(client_codes "$@" -m delete "$at/nothing")" 4.04 "$name: DELETE of nothing"
	is "$(client_codes "$@" -O 35,x "$at/ps/data/demo")" 5.05 "$name: is no proxy"

	spawn sub "$COAP_CLIENT" "$@" -w -s 1000 "$at/ps/data/demo"
	wait_lines "$tmp/sub.out" 1
	for i in 1 2 3; do
		client -m put -t 0 -e "value $i" "coap://127.0.0.1:$plain/ps/data/demo"
		wait_lines "$tmp/sub.out" $((i + 1)) || break
	done
	is "$(cat "$tmp/sub.out")" "by $name"$'\nvalue 1\nvalue 2\nvalue 3' "$name: subscribe"
	stop sub INT
	wait_until 10 counter_is broker observers 0
	ok $? "$name: which ends with the session"
	echo "value 3" >"$tmp/value"

	is "$(client_codes "$@" -b 1024 -m put -t 0 -f "$tmp/large" "$at/ps/data/demo" | tail -n 1)" \
		2.04 "$name: publish 60,000 bytes"
	client "$@" -b 1024 -o "$tmp/got" "$at/ps/data/demo" >/dev/null
	is "$(cksum <"$tmp/got")" "$(cksum <"$tmp/large")" "$name: and read them back"
	client -m put -t 0 -e "value 3" "coap://127.0.0.1:$plain/ps/data/demo"
}

echo hello >"$tmp/value"
talks TCP "coap+tcp://127.0.0.1:$plain"
talks "TCP over IPv6" "coap+tcp://[::1]:$plain"
talks DTLS-PSK "coaps://127.0.0.1:$secure" "${first[@]}"
talks "DTLS-PSK over IPv6" "coaps://[::1]:$secure" "${second[@]}"
talks TLS-PSK "coaps+tcp://127.0.0.1:$secure" "${second[@]}"
talks DTLS-PKI "coaps://127.0.0.1:$secure" "${gateway[@]}"
talks TLS-PKI "coaps+tcp://127.0.0.1:$secure" "${gateway[@]}"

# --- our own client -------------------------------------------------------------------------
cat >"$tmp/credentials.yaml" <<END
identities:
  - { name: first, psk: { identity: sensor-1, key: "text:the first key" } }
  - { name: wrong, psk: { identity: sensor-1, key: "text:another key" } }
  - { name: unknown, psk: { identity: sensor-3, key: "text:the first key" } }
  - { name: gateway, certificate: { file: gateway.crt, key: gateway.key, ca: ca.crt } }
  - name: mistaken
    certificate: { file: gateway.crt, key: gateway.key, ca: ca.crt, server: elsewhere }
  - name: distrustful
    certificate: { file: gateway.crt, key: gateway.key, ca: stranger.crt }
END
chmod 600 "$tmp/credentials.yaml"

# coapcast ARG...: sets `status`.
cast() {
	status=0
	"$coapcast" "$@" 2>"$tmp/cast.err" </dev/null || status=$?
	comment <"$tmp/cast.err" >&2
}

# casts NAME BASE-URI OPTION...
casts() {
	local name=$1 at=$2
	shift 2
	is "$(cast get "$@" "$at/demo")" "value 3" "coapcast, $name: get"
	is "$(cast ls "$@" "$at/")" demo "coapcast, $name: ls"
	cast pub "$@" -f "$tmp/large" "$at/demo"
	is "$status" 0 "coapcast, $name: pub of 60,000 bytes"
	is "$(cast get "$@" "$at/demo" | cksum)" "$(cksum <"$tmp/large")" "coapcast, $name: and get"
	cast pub "$@" -m "value 3" "$at/demo"
	cast topic create "$@" --ct 0 "$at/own"
	is "$status" 0 "coapcast, $name: topic create"
	cast topic rm "$@" "$at/own"
	is "$status" 0 "coapcast, $name: topic rm"
	spawn cast "$coapcast" sub "$@" -C 3 "$at/demo"
	wait_lines "$tmp/cast.out" 1
	for i in 4 3; do
		client -m put -t 0 -e "value $i" "coap://127.0.0.1:$plain/ps/data/demo"
		wait_lines "$tmp/cast.out" $((6 - i)) || break
	done
	finish cast
	is "$? $(paste -sd, "$tmp/cast.out")" "0 value 3,value 4,value 3" "coapcast, $name: sub"
}
casts TCP "coap+tcp://127.0.0.1:$plain"
for identity in first gateway; do
	for scheme in coaps coaps+tcp; do
		casts "$scheme as $identity" "$scheme://localhost:$secure" \
			--credentials "$tmp/credentials.yaml" --identity "$identity"
	done
done

# fails STATUS NAME ARG...
fails() {
	local wanted=$1 name=$2
	shift 2
	cast get --credentials "$tmp/credentials.yaml" "$@"
	is "$status" "$wanted" "coapcast, $name: status $wanted"
}
fails 6 "a wrong key" --identity wrong "coaps+tcp://127.0.0.1:$secure/demo"
for scheme in coaps coaps+tcp; do
	fails 6 "$scheme, an unknown identity" --identity unknown "$scheme://127.0.0.1:$secure/demo"
	fails 6 "$scheme, a server of another name" --identity mistaken \
		"$scheme://127.0.0.1:$secure/demo"
	fails 6 "$scheme, the host is an address, which is no name" --identity gateway \
		"$scheme://127.0.0.1:$secure/demo"
	fails 6 "$scheme, a server of strangers" --identity distrustful \
		"$scheme://localhost:$secure/demo"
done
fails 2 "no such identity" --identity nobody "coaps://127.0.0.1:$secure/demo"
fails 2 "which identity" "coaps://127.0.0.1:$secure/demo"
chmod 644 "$tmp/credentials.yaml"
fails 2 "others can read the keys" --identity first "coaps://127.0.0.1:$secure/demo"
chmod 600 "$tmp/credentials.yaml"
cast get "coaps://127.0.0.1:$secure/demo"
is "$status" 2 "coapcast: no credentials: status 2"
cast get "coap+tcp://127.0.0.1:1/demo"
is "$status" 1 "coapcast: nobody there: status 1"

# --- who is let in --------------------------------------------------------------------
# refused NAME SCHEME OPTION...
refused() {
	local name=$1 scheme=$2
	shift 2
	"$COAP_CLIENT" -B 2 "$@" -o "$tmp/refused" "$scheme://127.0.0.1:$secure/ps/data/demo" 2>&1 |
		grep -v '^$' | comment
	is "$(cat "$tmp/refused" 2>/dev/null)" "" "$name: refused"
	rm -f "$tmp/refused"
}

for scheme in coaps coaps+tcp; do
	refused "$scheme, a wrong key" "$scheme" -u sensor-1 -k "another key"
	refused "$scheme, an unknown identity" "$scheme" -u sensor-3 -k "the first key"
	refused "$scheme, no certificate" "$scheme" -C "$tmp/ca.crt"
	refused "$scheme, a certificate of a stranger" "$scheme" -c "$tmp/foreign.crt" \
		-j "$tmp/foreign.key" -R "$tmp/ca.crt"
	refused "$scheme, a certificate of nobody's" "$scheme" -c "$tmp/unlisted.crt" \
		-j "$tmp/unlisted.key" -C "$tmp/ca.crt"
done
is "$(client "${first[@]}" "coaps://127.0.0.1:$secure/ps/data/demo")" "value 3" \
	"and the others are served as before"

# --- a connection is cut, and with it what was asked for by it ----------------------------------
for how in "coap+tcp://127.0.0.1:$plain" "coaps+tcp://127.0.0.1:$secure"; do
	spawn sub "$COAP_CLIENT" "${first[@]}" -w -s 1000 "$how/ps/data/demo"
	wait_lines "$tmp/sub.out" 1
	is "$(broker_counter broker observers)" 1 "${how%%:*}: an observer"
	stop sub KILL 2>/dev/null
	wait_until 10 counter_is broker observers 0
	ok $? "${how%%:*}: which is gone with its connection"
done
# --- the broker goes, and comes back -------------------------------------------------------------
spawn tcp "$coapcast" sub -v "coap+tcp://127.0.0.1:$plain/demo"
spawn dtls "$coapcast" sub -v --credentials "$tmp/credentials.yaml" --identity first \
	"coaps://127.0.0.1:$secure/demo"
wait_lines "$tmp/tcp.out" 1
wait_lines "$tmp/dtls.out" 1
stop_broker
for name in tcp dtls; do
	wait_line "$tmp/$name.err" 'does not answer; still trying'
	ok $? "$name: a subscriber finds out at once"
done
start_broker "$tmp/coapcast.yaml"
for name in tcp dtls; do
	wait_line "$tmp/$name.err" 'registered again' 30
	ok $? "$name: it connects and registers again"
done
client -m put -t 0 -e afterwards "coap://127.0.0.1:$plain/ps/data/demo"
for name in tcp dtls; do
	wait_line "$tmp/$name.out" '^afterwards$'
	ok $? "$name: and hears what comes then"
	stop "$name" INT
done
stop_broker

# --- nosec: TCP is as unprotected as UDP -------------------------------------------------------
{
	echo "security: { nosec: deny }"
	grep -v '^security' "$tmp/coapcast.yaml"
} >"$tmp/deny.yaml"
chmod 600 "$tmp/deny.yaml"
start_broker "$tmp/deny.yaml"
is "$(client_codes "coap://127.0.0.1:$plain/ps/data/demo")" 4.01 "nosec: deny: UDP"
is "$(client_codes "coap+tcp://127.0.0.1:$plain/ps/data/demo")" 4.01 "nosec: deny: TCP"
is "$(client "${first[@]}" "coaps://127.0.0.1:$secure/ps/data/demo")" hello "but not DTLS"
is "$(client "${first[@]}" "coaps+tcp://127.0.0.1:$secure/ps/data/demo")" hello "nor TLS"
stop_broker

# --- limits.sessions -----------------------------------------------------------------------------
{
	echo "broker: { limits: { sessions: 2 } }"
	cat "$tmp/coapcast.yaml"
} >"$tmp/two.yaml"
chmod 600 "$tmp/two.yaml"
start_broker "$tmp/two.yaml"
for i in 1 2; do
	spawn "sub$i" "$COAP_CLIENT" -w -s 1000 "coap+tcp://127.0.0.1:$plain/ps/data/demo"
	wait_lines "$tmp/sub$i.out" 1
done
is "$("$COAP_CLIENT" -B 2 "coap+tcp://127.0.0.1:$plain/ps/data/demo" 2>/dev/null)" "" \
	"the third session: refused"
is "$(broker_counter sessions refused)" 1 "and counted"
stop sub1 KILL
wait_until 10 counter_is sessions open 1
is "$(client "coap+tcp://127.0.0.1:$plain/ps/data/demo")" hello "there is room again"
stop sub2 KILL
stop_broker

# --- what no handshake could succeed with ----------------------------------------------------------
echo "listen: coaps://127.0.0.1:$secure" >"$tmp/bad.yaml"
"$coapcastd" -t -c "$tmp/bad.yaml" 2>"$tmp/err"
is "$?" 78 "coaps without a key: status 78"
like "$(cat "$tmp/err")" 'listen\[0\]: needs security.certificate or an identity' "and why"
done_testing
