#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Certificates: files of no use are refused at the start, chains are shown whole, and names
# are those that the certificate has.
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/certificates.sh"
need coap-client-openssl openssl
COAP_CLIENT=coap-client-openssl
free_port
secure=$port

extensions ca "basicConstraints=critical,CA:TRUE"
extensions names "subjectAltName=DNS:one.example,DNS:localhost,IP:127.0.0.1"
extensions other "subjectAltName=DNS:other.example"
{
	authority root && certificate middle middle root -extfile "$tmp/ca.ext" &&
		certificate leaf localhost middle && certificate member member.example middle &&
		certificate named nobody.example middle -extfile "$tmp/names.ext" &&
		certificate another member.example middle -extfile "$tmp/other.ext" &&
		certificate forger "/O=x\/CN=member.example/CN=forger.example" middle &&
		certificate bilingual "/CN=member.example/CN=forger.example" middle &&
		certificate expired localhost root -days -1 &&
		certificate old-ca old root -extfile "$tmp/ca.ext" -days -1
} || bail "openssl makes no certificates"
openssl ec -in "$tmp/leaf.key" -aes128 -passout pass:secret -out "$tmp/locked.key" 2>/dev/null
for name in leaf member named another forger bilingual; do
	cat "$tmp/$name.crt" "$tmp/middle.crt" >"$tmp/$name-chain.crt"
done
cat "$tmp/old-ca.crt" "$tmp/root.crt" >"$tmp/bundle.crt"
{
	cat "$tmp/leaf.crt"
	sed 's/^M/!/' "$tmp/middle.crt"
} >"$tmp/garbled.crt"
sed '/BEGIN/,/END/s/^M/!/' "$tmp/leaf.key" >"$tmp/garbled.key"
echo "no certificate" >"$tmp/empty.crt"
chmod 600 "$tmp"/*.key

# configure FILE KEY CA: $tmp/coapcast.yaml
configure() {
	cat >"$tmp/coapcast.yaml" <<-END
		listen: [ "coaps://127.0.0.1:$secure", "coaps+tcp://127.0.0.1:$secure" ]
		security:
		  certificate:
		    file: $1
		    key: $2
		${3:+    ca: $3}
		identities:
		  - { name: member, certificate: { cn: member.example } }
		topics:
		  - { name: demo, content-format: 0, initialize: hello }
	END
	chmod 600 "$tmp/coapcast.yaml"
}

# --- refused at the start -----------------------------------------------------------------
# refused PLACE WHY FILE KEY CA
refused() {
	local place=$1 why=$2 option rc
	shift 2
	configure "$@"
	for option in --check-config ""; do
		# shellcheck disable=SC2086 # nothing, when it is empty
		timeout 10 "$coapcastd" -c "$tmp/coapcast.yaml" $option 2>"$tmp/err" </dev/null
		rc=$?
		like "$rc $(cat "$tmp/err")" "^78 .*coapcast\.yaml:$place: .*$why" \
			"refused${option:+ by $option}: $why"
	done
}
refused '4:[0-9]+: security\.certificate\.file' 'expired\.crt: has expired' \
	expired.crt expired.key root.crt
refused '4:[0-9]+: security\.certificate\.file' 'garbled\.crt: is garbled' \
	garbled.crt leaf.key root.crt
refused '4:[0-9]+: security\.certificate\.file' 'empty\.crt: has no certificate' \
	empty.crt leaf.key root.crt
refused '5:[0-9]+: security\.certificate\.key' 'member\.key: is not the key of the certificate' \
	leaf.crt member.key root.crt
refused '5:[0-9]+: security\.certificate\.key' 'garbled\.key: has no private key' \
	leaf.crt garbled.key root.crt
refused '5:[0-9]+: security\.certificate\.key' 'locked\.key: .* without a passphrase' \
	leaf.crt locked.key root.crt
refused '6:[0-9]+: security\.certificate\.ca' 'old-ca\.crt: has expired' \
	leaf.crt leaf.key old-ca.crt
refused '6:[0-9]+: security\.certificate\.ca' 'empty\.crt: has no certificate' \
	leaf.crt leaf.key empty.crt
configure leaf-chain.crt leaf.key bundle.crt
"$coapcastd" -c "$tmp/coapcast.yaml" -t 2>"$tmp/err"
is "$? $(cat "$tmp/err")" "0 " "one authority of several may have expired"

# --- the chain of the broker ---------------------------------------------------------------
cat >"$tmp/credentials.yaml" <<END
identities:
  - { name: guest, certificate: { ca: root.crt } }
  - { name: stale, certificate: { file: expired.crt, key: expired.key, ca: root.crt } }
END
for name in leaf member another forger bilingual; do
	echo "  - { name: $name, certificate: { file: $name-chain.crt, key: $name.key, ca: root.crt } }"
done >>"$tmp/credentials.yaml"
chmod 600 "$tmp/credentials.yaml"

# get IDENTITY URI: what it prints, and the status.
get() {
	"$coapcast" get -W 5 --credentials "$tmp/credentials.yaml" --identity "$1" "$2" \
		2>"$tmp/get.err" </dev/null
	echo " $?"
	comment <"$tmp/get.err" >&2
}

configure leaf-chain.crt leaf.key
start_broker "$tmp/coapcast.yaml"
for scheme in coaps coaps+tcp; do
	is "$(client -C "$tmp/root.crt" "$scheme://localhost:$secure/ps/data/demo")" hello \
		"$scheme: coap-client, which knows the root only, believes the broker"
	is "$(get guest "$scheme://localhost:$secure/demo")" "hello 0" "$scheme: so does coapcast"
done
for option in -dtls1_2 -tls1_2 -tls1_3; do
	openssl s_client $option -connect "127.0.0.1:$secure" -CAfile "$tmp/root.crt" \
		-verify_return_error </dev/null >"$tmp/s_client" 2>&1
	like "$(cat "$tmp/s_client")" 'Verify return code: 0 \(ok\)' "openssl s_client $option: so does it"
	is "$(grep -c ' s:' "$tmp/s_client")" 2 "openssl s_client $option: it is shown two certificates"
done
stop_broker

configure leaf.crt leaf.key
start_broker "$tmp/coapcast.yaml"
for scheme in coaps coaps+tcp; do
	is "$(get guest "$scheme://localhost:$secure/demo")" " 6" \
		"$scheme: without the one in between, nobody does"
done
stop_broker

# --- names of the broker ---------------------------------------------------------------------
configure named-chain.crt named.key
start_broker "$tmp/coapcast.yaml"
for scheme in coaps coaps+tcp; do
	is "$(get guest "$scheme://localhost:$secure/demo")" "hello 0" \
		"$scheme: any of its alternative names will do"
	is "$(get guest "$scheme://127.0.0.1:$secure/demo")" "hello 0" "$scheme: or its address"
done
sed -i 's/ca: root.crt }/ca: root.crt, server: nobody.example }/' "$tmp/credentials.yaml"
is "$(get guest "coaps://localhost:$secure/demo")" " 6" \
	"RFC 6125 6.4.4: with alternative names, the common name does not count"
sed -i 's/, server: nobody.example//' "$tmp/credentials.yaml"
stop_broker

# --- certificates of clients -----------------------------------------------------------------
configure leaf-chain.crt leaf.key root.crt
start_broker "$tmp/coapcast.yaml"
for scheme in coaps coaps+tcp; do
	at=$scheme://localhost:$secure
	is "$(get member "$at/demo")" "hello 0" \
		"$scheme: coapcast shows its chain to a broker that knows the root only"
	is "$(get another "$at/demo")" "hello 0" "$scheme: an alternative name takes nothing away"
	for name in forger bilingual leaf; do
		is "$(get "$name" "$at/demo")" " 6" "$scheme: nobody's common name: $name"
	done
done
is "$(get stale "coaps://localhost:$secure/demo")" " 6" "coapcast: an expired certificate of ours"
like "$(cat "$tmp/get.err")" 'expired\.crt: has expired' "which is told"
is "$(wc -l <"$tmp/get.err")" 1 "in a line"

# --- a reload ------------------------------------------------------------------------------
sed -i 's/key: leaf.key/key: member.key/' "$tmp/coapcast.yaml"
kill -HUP "${spawned[broker]}"
wait_line "$tmp/broker.log" \
	'reload failed, .*security\.certificate\.key: .*member\.key: is not the key of the certificate'
ok $? "a reload says what is wrong"
is "$(get member "coaps://localhost:$secure/demo")" "hello 0" "and all stays as it was"
stop_broker
done_testing
