#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# coapcast keygen: the files it makes, who can read them, that the daemon takes them, and
# that none is ever overwritten. coapcast(1), "KEYS".
. "${srcdir:-.}/tests/lib.sh"

cd "$tmp" || bail "no folder"
# run STATUS NAME COMMAND...: its output is in out and err.
run() {
	local wanted=$1 name=$2 rc=0
	shift 2
	"$@" >out 2>err || rc=$?
	is "$rc" "$wanted" "$name"
	[ "$rc" = "$wanted" ] || comment <err
}

umask 000
run 0 "keys of an identity" "$coapcast" keygen identity -o keys panel-1
is "$(sort out)" "keys/broker/conf.d/panel-1.yaml
keys/broker/panel-1.secret
keys/broker/systemd/panel-1.conf
keys/panel-1/panel-1.secret
keys/panel-1/panel-1.yaml" "tells what it made"
# What others can read, and look into.
open_ones() {
	find keys -type f -not -perm 600 -printf '%m %P\n' -o -type d -not -perm 700 -printf '%m %P\n' |
		sort
}
is "$(open_ones)" "644 broker/conf.d/panel-1.yaml
644 broker/systemd/panel-1.conf
755 broker
755 broker/conf.d
755 broker/systemd" "others can read what has no secret, umask or not"
run 0 "a pre-shared key" "$coapcast" keygen identity -o keys --psk panel-2
run 0 "a group" "$coapcast" keygen group -o keys --members panel-1,lamp-25 \
	--signature-algorithm es256 hall
run 0 "a group that the broker manages" "$coapcast" keygen group -o keys --managed self yard
is "$(open_ones | sed -n 's/^644 //p' | grep -vE '^broker/(conf\.d/[^/]*\.yaml|systemd/[^/]*\.conf|[^/]*\.ccs)$')" "" \
	"of the others nothing but credentials, for the broker only"
is "$(open_ones | grep -c 'ccs$')" 5 "which are those of the broker, the Group Manager and members"

# Nothing of a key is said.
secret=$(od -An -tx1 -v keys/broker/hall.secret | tr -d ' \n')
is "$(grep -l "$secret" -r keys --include='*.yaml')" "" "no secret is in a configuration"

# The daemon takes it: the folder of the broker as it is, and with groups that use it.
cat >keys/broker/coapcast.yaml <<-END
	listen: [ "coap://127.0.0.1:5683" ]
	groups:
	  - { name: hall, address: 239.255.17.4, port: 61616, interface: lo, oscore: hall }
	  - { name: yard, address: 239.255.17.5, port: 61616, interface: lo, oscore: yard }
END
run 0 "coapcastd -t takes the broker's folder" "$coapcastd" -t -c keys/broker/coapcast.yaml
run 0 "and prints it" "$coapcastd" --print-config -c keys/broker/coapcast.yaml
is "$(grep -cE "$secret|hex:$secret" out)" 0 "without the secret"
is "$(grep -cE 'name: "?(panel-1|panel-2|hall|lamp-25|yard)' out)" 8 "everybody is in it"
for f in keys/panel-1/panel-1.yaml keys/panel-1/hall.yaml keys/lamp-25/hall.yaml; do
	run 0 "$f has the same form" "$coapcastd" -t -c "$f"
done

# Installed beside the shipped configuration, for a service that is not root: what is secret is
# handed over by the service manager, all else it reads by itself. coapcastd(8), "ENVIRONMENT".
if [ "$(id -u)" -eq 0 ]; then
	umask 022
	chmod 755 "$tmp"
	mkdir etc state cred
	cp -a keys/broker bundle
	rm bundle/coapcast.yaml
	cp "$top_srcdir/etc/coapcast.yaml" etc/
	cp "$coapcastd" daemon
	as_service() {
		setpriv --reuid=65534 --regid=65534 --clear-groups \
			env "CREDENTIALS_DIRECTORY=$tmp/cred" "STATE_DIRECTORY=$tmp/state" "$@"
	}
	run 0 "the shipped configuration is read by anybody" as_service ./daemon -t -c etc/coapcast.yaml
	# What the comments of a drop-in say, but for where it goes.
	command=$(sed -n 's/^#\t//p' bundle/systemd/hall.conf | head -n 1)
	like "$command" '^cp -r --preserve=mode \. /.*/coapcast/$' "the drop-in says how to install"
	installed=${command##* }
	(cd bundle && eval "${command% *} '$tmp/etc/'")
	run 78 "without its credentials it does not start" as_service ./daemon -t -c etc/coapcast.yaml
	like "$(cat err)" 'etc/[a-z0-9.-]*: Permission denied' "but says what it cannot read"
	sed -n 's/^LoadCredential=//p' etc/systemd/*.conf >loads
	while IFS=: read -r id path; do
		cp "etc/${path#"$installed"}" "cred/$id"
	done <loads
	is "$(wc -l <loads)" "$(find bundle -maxdepth 1 -type f ! -name '*.ccs' | wc -l)" \
		"each key is handed over"
	chown -R 65534:65534 cred state
	chmod -R go= cred
	run 0 "with them it reads all of it" as_service ./daemon -t -c etc/coapcast.yaml
	cp -a bundle/. etc/
	run 0 "and after a plain cp -a" as_service ./daemon -t -c etc/coapcast.yaml
	free_pair
	sed -i "s/:5683/:$port/; s/:5684/:$((port + 1))/" etc/coapcast.yaml
	spawn broker setpriv --reuid=65534 --regid=65534 --clear-groups env \
		"CREDENTIALS_DIRECTORY=$tmp/cred" "STATE_DIRECTORY=$tmp/state" ./daemon -c etc/coapcast.yaml
	ln -sf broker.err "$tmp/broker.log"
	wait_line "$tmp/broker.err" ' ready '
	ok $? "it starts"
	stop_broker
fi

# A capture is read with the keys of one end, or of both.
printf '\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\0\0\4\0\1\0\0\0' >empty.pcap
run 0 "decode takes the keys of both ends" "$coapcast" decode -c keys/broker/coapcast.yaml \
	--credentials keys/lamp-25/hall.yaml empty.pcap
run 0 "another group" "$coapcast" keygen group -o others --members lamp-25 \
	--gid "$(sed -n 's/^ *gid: "hex:\(.*\)"/\1/p' keys/broker/conf.d/hall.yaml)" hall
run 1 "but not those of two groups that share a Gid" "$coapcast" decode \
	-c keys/broker/coapcast.yaml --credentials others/lamp-25/hall.yaml empty.pcap
like "$(cat err)" 'hall: another one has the same ids, and other keys' "and says so"

# Never overwrites.
find keys -type f -exec sha256sum {} + | sort >before
run 1 "the same once more" "$coapcast" keygen identity -o keys panel-1
like "$(cat err)" 'panel-1\.secret: is there already: nothing was written' "says so"
run 1 "a member that has files of this group" "$coapcast" keygen group -o keys --members lamp-25 hall
is "$(cat out)" "" "nothing was made"
find keys -type f -exec sha256sum {} + | sort >after
is "$(cat after)" "$(cat before)" "nothing was touched"
touch file
run 1 "below a file" "$coapcast" keygen identity -o file/x panel-1
run 2 "no name" "$coapcast" keygen identity
like "$(cat err)" 'usage: coapcast keygen identity ' "and the usage"
run 2 "one id for both ends" "$coapcast" keygen identity -o wrong --broker-id 01 --client-id 01 x
run 2 "an id too long for the cipher" "$coapcast" keygen identity -o wrong \
	--client-id 0102030405060708 x
like "$(cat err)" 'the id of 8 bytes is too long' "says so"
run 2 "a join URI that is none" "$coapcast" keygen group -o wrong --join-uri 'not a uri' x
like "$(cat err)" 'join-uri must be a URI' "says so"
run 1 "a credential that is none" "$coapcast" keygen group -o wrong --gm-credential before x
is "$(ls wrong 2>/dev/null)" "" "none of these made anything"
run 2 "neither" "$coapcast" keygen
run 0 "--help" "$coapcast" keygen group --help
like "$(cat out)" 'usage: coapcast keygen group ' "on stdout"
# shellcheck disable=SC2016 # for the inner shell
run 1 "stdout full" bash -c 'exec "$@" >/dev/full' sh "$coapcast" keygen identity -o keys panel-9

# What is made for both ends fits together: DTLS with a pre-shared key.
run 0 "keys for DTLS" "$coapcast" keygen identity -o dtls --psk panel-3
free_port
cat >dtls/broker/coapcast.yaml <<-END
	listen: [ "coaps://127.0.0.1:$port" ]
	security: { nosec: deny }
	topics: [ { name: demo, content-format: 0, initialize: "hello" } ]
END
start_broker "$tmp/dtls/broker/coapcast.yaml" -v
run 0 "the broker knows the client" "$coapcast" get --identity panel-3 \
	--credentials dtls/panel-3/panel-3.yaml "coaps://127.0.0.1:$port/demo"
is "$(cat out)" hello "and answers"
chmod 644 dtls/panel-3/panel-3.yaml
run 0 "others may read what only names a key" "$coapcast" get \
	--credentials dtls/panel-3/panel-3.yaml "coaps://127.0.0.1:$port/demo"
chmod 640 dtls/panel-3/panel-3.psk
run 2 "but not the key" "$coapcast" get \
	--credentials dtls/panel-3/panel-3.yaml "coaps://127.0.0.1:$port/demo"
like "$(cat err)" 'panel-3\.yaml:[0-9]+:[0-9]+: .*panel-3\.psk holds a secret but has mode 0640' \
	"and says where it is named"
stop_broker
done_testing
