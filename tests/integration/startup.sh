#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# How the daemon starts, or does not: options, what is wrong with a configuration and
# where, addresses and interfaces that are not to be had. coapcastd(8), "EXIT STATUS".
. "${srcdir:-.}/tests/lib.sh"
free_port

# run ARG...: the daemon, until it ends by itself; sets `status`, and `said` to stderr.
run() {
	local wrapper=()
	read -ra wrapper <<<"$COAPCASTD_WRAPPER"
	status=0
	timeout 20 "${wrapper[@]}" "$coapcastd" "$@" >"$tmp/run.out" 2>"$tmp/run.err" || status=$?
	said=$(cat "$tmp/run.err")
}

# refuses STATUS REGEX NAME: with the configuration on stdin.
refuses() {
	cat >"$tmp/bad.yaml"
	chmod 600 "$tmp/bad.yaml"
	run -c "$tmp/bad.yaml"
	is "$status" "$1" "$3: status $1"
	like "$said" "$2" "$3: said so"
}

# --- the command line -----------------------------------------------------------------
run --nonsense
is "$status" 64 "an unknown option: 64"
like "$said" usage: "and the usage"
run -c
is "$status" 64 "an option without its argument: 64"
run extra
is "$status" 64 "an argument too many: 64"
run --version
is "$status $(cat "$tmp/run.out")" "0 $(sed -n 's/^AC_INIT(\[\(.*\)\], \[\(.*\)\])/\1d \2/p' \
	"$top_srcdir/configure.ac")" "--version"
run --help
is "$status" 0 "--help"
like "$(cat "$tmp/run.out")" "--print-config" "goes to stdout"

# --- the configuration: 78, file:line:column: key: what is wrong --------------------------
run -c "$tmp/none.yaml"
is "$status" 78 "no such file: 78"
like "$said" "$tmp/none\.yaml: .*No such file" "and which"
refuses 78 'bad\.yaml:2:1: brokr: unknown key, did you mean broker\?' "an unknown key" <<-END
	listen: [ "coap://127.0.0.1:$port" ]
	brokr: { collection: /ps }
END
refuses 78 'bad\.yaml:2:26: broker\.collection: is there twice' "a key twice" <<-END
	listen: [ "coap://127.0.0.1:$port" ]
	broker: {collection: /a, collection: /b}
END
refuses 78 'bad\.yaml:1:38: topics\[0\]\.content-format: .*65535' "out of bounds" <<-END
	topics: [ { name: a, content-format: 65536 } ]
END
refuses 78 'bad\.yaml:2:[0-9]+: ' "not YAML" <<-END
	broker: {
	 ]
END
refuses 78 'bad\.yaml:[0-9]+:[0-9]+: groups\[0\]\.address: .*All-CoAP-Nodes' "a group of everybody" <<-END
	groups: [ { name: g, address: 224.0.1.187, interface: lo, topics: [ "*" ] } ]
END

# Keys and credentials that do not fit: found with the configuration, by -t too.
own=1111111111111111111111111111111111111111111111111111111111111111
ccs=a108a101a401010327200621 # of another private key, with its public half behind it
ccs+=5820a09aa5f47a6759802ff955f8dc2d2a14a5c99d23be97f864127ff9383455a4f0
while IFS='|' read -r rest error name; do
	bad=$(printf 'listen: [ "coap://127.0.0.1:%s" ]\noscore-groups:\n%s' "$port" \
		"  - { name: hall-keys, private-key: hex:$own$rest }")
	refuses 78 "bad\.yaml:3:[0-9]+: oscore-groups\[0\]\.$error" "$name" <<<"$bad"
	run -t -c "$tmp/bad.yaml"
	is "$status" 78 "-t: $name: 78"
done <<END
, credential: hex:$ccs|private-key: does not belong to the credential|a credential of another key
, credential: hex:00|credential: the credential has no key|a credential that is none
, credential: hex:$ccs, signature-algorithm: ES256|credential: its key is not of the curve|a key of another curve
11|private-key: a private key is 32 bytes or PEM|a key of 33 bytes
END

# --- what the host does not have: 69 --------------------------------------------------
refuses 69 'discovery: no interface nowhere0' "a missing interface to be found on" <<-END
	listen: [ "coap://127.0.0.1:5683" ]
	discovery: { interfaces: nowhere0 }
END
refuses 69 'discovery: nothing listens at port 5683' "no port to answer from" <<-END
	listen: [ "coap://127.0.0.1:$port" ]
	discovery: { interfaces: lo }
END
refuses 69 'group hall: no interface nowhere0' "a missing interface" <<-END
	listen: [ "coap://127.0.0.1:$port" ]
	groups: [ { name: hall, address: 239.255.17.4, interface: nowhere0, topics: [ "*" ] } ]
END
refuses 69 "192\.0\.2\.1:$port" "an address of somebody else" <<-END
	listen: [ "coap://192.0.2.1:$port" ]
END

# --- the configuration that is shipped ------------------------------------------------
run -t -c "$top_srcdir/etc/coapcast.yaml"
is "$status" 0 "etc/coapcast.yaml passes -t"
for f in "$top_srcdir"/etc/examples/*.yaml; do
	run -t -c "$f"
	is "$status" 0 "${f##*/} passes -t"
done

# --- a second daemon ------------------------------------------------------------------
mkdir "$tmp/conf.d"
cat >"$tmp/coapcast.yaml" <<END
listen: [ "coap://[::]:$port" ]
topics: [ { name: demo, content-format: 0, initialize: "hello" } ]
END
cat >"$tmp/conf.d/10-more.yaml" <<END
broker: { create-on-publish: true }
END
start_broker "$tmp/coapcast.yaml"
like "$(cat "$tmp/broker.log")" "ready listen=coap://\[::\]:$port groups=0 topics=1" \
	"the line that says ready"
run -c "$tmp/coapcast.yaml"
is "$status" 69 "the port is in use: 69"
like "$said" "another coapcastd listens on \[::\]:$port" "by another daemon"
run -t -c "$tmp/coapcast.yaml"
is "$status" 0 "-t beside a running daemon"
run -c "$tmp/coapcast.yaml" --print-config
is "$status" 0 "--print-config"
like "$(cat "$tmp/run.out")" 'create-on-publish: true' "shows what conf.d adds"
like "$(cat "$tmp/run.out")" 'payload: 64K' "and defaults"
cp "$tmp/run.out" "$tmp/printed.yaml"
run --print-config -c "$tmp/printed.yaml"
is "$(cat "$tmp/run.out")" "$(cat "$tmp/printed.yaml")" "and can be read again"
stop_broker

# --- secrets --------------------------------------------------------------------------
cat >"$tmp/secret.yaml" <<END
identities: [ { name: s, psk: { identity: s, key: text:xyzzy-plugh } } ]
END
chmod 644 "$tmp/secret.yaml"
run -t -c "$tmp/secret.yaml"
is "$status" 78 "a secret in a file that others can read: 78"
like "$said" 'secret\.yaml:1:[0-9]+: identities\[0\]\.psk\.key: .*others can read' "and where"
chmod 600 "$tmp/secret.yaml"
run --print-config -c "$tmp/secret.yaml"
is "$status $(grep -c xyzzy "$tmp/run.out")" "0 0" "--print-config masks it"

done_testing
