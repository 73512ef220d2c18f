#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The files of security.certificate are read at the start and at reloads: what becomes of them in
# between is nobody's business, and what a reload finds is what handshakes have from then on.
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/certificates.sh"
need openssl
free_port
secure=$port

extensions ca "basicConstraints=critical,CA:TRUE"
for age in old new; do
	{
		authority $age-root && certificate $age-middle middle $age-root -extfile "$tmp/ca.ext" &&
			certificate $age-leaf localhost $age-middle &&
			certificate $age-member member.example $age-root
	} || bail "openssl makes no certificates"
	cat "$tmp/$age-leaf.crt" "$tmp/$age-middle.crt" >"$tmp/$age-chain.crt"
done
certificate stale localhost new-root -days -1 || bail "openssl makes no certificate that has expired"

# install AGE: as whoever renews certificates does, the key with the certificate.
install_files() {
	cp "$tmp/$1-chain.crt" "$tmp/broker.crt"
	cp -p "$tmp/$1-leaf.key" "$tmp/broker.key"
	cp "$tmp/$1-root.crt" "$tmp/ca.crt"
}
configure() { # CERTIFICATE-FILE
	cat >"$tmp/coapcast.yaml" <<-END
		listen: [ "coaps://127.0.0.1:$secure", "coaps+tcp://127.0.0.1:$secure" ]
		security: { certificate: { file: $1, key: broker.key, ca: ca.crt } }
		identities:
		  - { name: member, certificate: { cn: member.example } }
		topics: [ { name: demo, content-format: 0, initialize: hello } ]
	END
	chmod 600 "$tmp/coapcast.yaml"
}
{
	echo "identities:"
	for mine in old new; do
		for theirs in old new; do
			echo "  - { name: $mine-$theirs, certificate: { file: $mine-member.crt," \
				"key: $mine-member.key, ca: $theirs-root.crt } }"
		done
	done
} >"$tmp/credentials.yaml"
chmod 600 "$tmp/credentials.yaml"

# gets WHO NAME: with the certificate of one age, believing the authority of another one.
gets() {
	local scheme
	for scheme in coaps coaps+tcp; do
		is "$("$coapcast" get --credentials "$tmp/credentials.yaml" --identity "$1" \
			"$scheme://localhost:$secure/demo" 2>&1)" hello "$scheme: $2"
	done
}
refused() { # WHO NAME
	local scheme
	for scheme in coaps coaps+tcp; do
		"$coapcast" get --credentials "$tmp/credentials.yaml" --identity "$1" \
			"$scheme://localhost:$secure/demo" >"$tmp/refused.out" 2>&1
		is "$?" 6 "$scheme: $2"
		comment <"$tmp/refused.out"
	done
}
n_reloads=0
n_done() {
	grep -cE 'server: (reloaded|reload failed)' "$tmp/broker.log"
}
has_done() { # N
	[ "$(n_done)" -ge "$1" ]
}
reload() {
	n_reloads=$((n_reloads + 1))
	kill -HUP "${spawned[broker]}"
	wait_until 10 has_done "$n_reloads" || bail "no reload"
}
n_renewed() {
	grep -c "the certificate's files are others" "$tmp/broker.log"
}

install_files old
configure broker.crt
start_broker "$tmp/coapcast.yaml"
gets old-old "the first certificate and its authority"

# --- between a start and a reload -----------------------------------------------------------
rm "$tmp"/{broker.crt,broker.key,ca.crt}
gets old-old "without any of the files, the chain is shown whole and clients are checked"
install_files new
gets old-old "other files change nothing"
refused new-old "nor are other authorities believed"

# --- a reload --------------------------------------------------------------------------------
reload
is "$(n_renewed)" 1 "a reload takes them up, which the log says"
gets new-new "the new certificate and its authority"
refused old-new "the authority before is not believed any more"
reload
is "$(n_renewed)" 1 "the same files again are nothing new"
sed '/BEGIN/,/END/s/^M/!/' "$tmp/old-leaf.key" >"$tmp/broker.key"
reload
wait_line "$tmp/broker.log" 'server: reload failed, the old configuration stays: .*broker\.key'
ok $? "files of no use fail a reload"
gets new-new "and change nothing"
cp "$tmp/stale.crt" "$tmp/broker.crt"
cp -p "$tmp/stale.key" "$tmp/broker.key"
reload
like "$(grep 'server: reload' "$tmp/broker.log" | tail -n 1)" \
	'reload failed, the old configuration stays: .*broker\.crt: has expired' \
	"so does one that has expired"
gets new-new "and changes nothing"
install_files old
cp "$tmp/broker.crt" "$tmp/other.crt"
configure other.crt
reload
wait_line "$tmp/broker.log" 'a restart is needed for changes in sections=security'
ok $? "files of another name wait for a restart"
gets new-new "until which all is as it was"
configure broker.crt
reload
is "$(n_renewed)" 2 "and back"
gets old-old "to what there was"
stop_broker
done_testing
