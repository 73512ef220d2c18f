#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# `coapcast get` of a multicast address under Group OSCORE, of two brokers in one OSCORE group:
# each challenges who it cannot know to be of now, by a protected 4.01 with Echo, and is asked
# again, alone. In group mode, and in pairwise mode where the group has it. Whoever is no
# member, and whatever fails, is met with silence.
. "${srcdir:-.}/tests/lib.sh"
netns_begin "$@"
need tcpdump
[ -x "$coapcast" ] || bail "$coapcast is not built"
netns_hosts b1 b2 h1
brokers=(b1 b2)
all_nodes=224.0.1.187
long=$(seq -s ' ' 1 400)

# member GROUP WHO OTHER...: the group as WHO's configuration has it, believing the others.
member() {
	local keys=$tmp/$1 who=$2 other from id
	from=$keys/$who/k.yaml
	[ "$who" != broker ] || from=$keys/broker/conf.d/k.yaml
	sed -E "/members:/,\$d; s|file:(\.\./)?|file:$keys/$who/|" "$from"
	echo "    members:"
	shift 2
	for other; do
		id=$(sed -n 's/^    sender-id: "\(.*\)"$/\1/p' "$keys/$other"/{k.yaml,conf.d/k.yaml} 2>/dev/null)
		echo "      - { name: $other, sender-id: \"$id\", credential: \"file:$keys/$other/k.ccs\" }"
	done
}

# make_group NAME ARG...: members broker, two, lamp, and one that the brokers do not know.
make_group() {
	local name=$1
	shift
	"$coapcast" keygen group -o "$tmp/$name" --managed external --members two,lamp,stranger \
		--join-uri coap://gm.example/k "$@" k >/dev/null || bail "no keys"
	for b in "${brokers[@]}"; do
		cat >"$tmp/$name.$b.yaml" <<-END
			listen: [ "coap://0.0.0.0:5683" ]
			state: { directory: "$tmp/state.$b" }
			discovery: { interfaces: eth0 }
			security: { nosec: deny }
			topics:
			  - { name: demo, content-format: 0, initialize: "from $b" }
			  - { name: long, content-format: 0, initialize: "$b $long" }
		END
	done
	member "$name" broker two lamp >>"$tmp/$name.b1.yaml"
	member "$name" two broker lamp >>"$tmp/$name.b2.yaml"
	for who in lamp stranger; do
		member "$name" $who broker two >"$tmp/$name.$who.yaml"
	done
	chmod 600 "$tmp/$name".*.yaml
}

start() { # GROUP BROKER
	spawn "$2" in_host "$2" "$coapcastd" -c "$tmp/$1.$2.yaml" -v
	wait_line "$tmp/$2.err" ready || { comment <"$tmp/$2.err"; bail "broker $2 does not get ready"; }
}

# get GROUP WHO TOPIC ARG...: what comes in the time of ARG, sorted, by broker.
get() {
	local group=$1 who=$2 topic=$3
	shift 3
	in_host h1 "$coapcast" get -v --json --credentials "$tmp/$group.$who.yaml" "$@" \
		"coap://$all_nodes/$topic" 2>"$tmp/get.err" | sort -t '"' -k 8
	return "${PIPESTATUS[0]}"
}

both_demo=$(for b in "${brokers[@]}"; do
	echo "{\"path\":\"/ps/data/demo\",\"payload\":\"from $b\",\"content_format\":0,\"server\":\"${host_ip4[$b]}:5683\",\"via\":\"unicast\",\"verified\":true}"
done)

# to_broker NAME BROKER: the options with number 9 of the requests to it alone.
to_broker() {
	capture_show "$1" | grep -F "> ${host_ip4[$2]}:5683 "
}

# check_group NAME FLAGS: the options that begin requests to one broker alone.
check_group() {
	local name=$1 flags=$2 b
	rm -rf "$tmp"/state.*
	for b in "${brokers[@]}"; do
		start "$name" "$b"
	done
	capture_start "$name-1" h1 "udp port 5683"
	is "$(get "$name" lamp demo -C 2 -W 20)" "$both_demo" "$name: the first get, a verified value of each"
	capture_stop "$name-1"
	is "$(capture_show "$name-1" | grep -cF "> $all_nodes:5683 ")" 1 "$name: one request to the group"
	for b in "${brokers[@]}"; do
		is "$(to_broker "$name-1" "$b" | grep -cE " con post .* 9=($flags)")" 1 \
			"$name: $b challenged, and was asked again alone"
	done
	capture_start "$name-2" h1 "udp port 5683"
	is "$(get "$name" lamp demo -C 2 -W 20)" "$both_demo" "$name: the second get"
	capture_stop "$name-2"
	is "$(for b in "${brokers[@]}"; do to_broker "$name-2" "$b"; done)" "" \
		"$name: needs no challenge any more"
	# Its replay window is gone with it.
	stop b1 KILL
	start "$name" b1
	capture_start "$name-3" h1 "udp port 5683"
	is "$(get "$name" lamp demo -C 2 -W 20)" "$both_demo" "$name: a broker was killed: get again"
	capture_stop "$name-3"
	is "$(to_broker "$name-3" b1 | grep -c " con post ") $(to_broker "$name-3" b2)" "1 " \
		"$name: that one challenges, the other does not"
	is "$(get "$name" lamp long -C 2 -W 20 | grep -c '"payload":"b[12] 1 2 3 .* 400",.*"verified":true')" 2 \
		"$name: a long value comes in blocks, verified, of each"
}

# What is met with silence; a unicast one would be told why.
check_silence() { # GROUP WHO TOPIC WHAT
	local rc=0
	capture_start "$2-$3" h1 "udp port 5683"
	get "$1" "$2" "$3" -W 7 >"$tmp/got" || rc=$?
	capture_stop "$2-$3"
	is "$rc $(cat "$tmp/got")" "3 " "$4: no answer"
	is "$(capture_show "$2-$3" | grep -cF ":5683 > ")" 0 "$4: nothing at all is sent"
}

make_group signed
check_group signed '38|39|3a|3b|3c|3d'
check_silence signed stranger demo "a member that the brokers do not know"
# The lamp's id, under another key.
sed "s|/lamp/k\.key|/stranger/k.key|; s|/lamp/k\.ccs|/stranger/k.ccs|" "$tmp/signed.lamp.yaml" >"$tmp/signed.forger.yaml"
chmod 600 "$tmp/signed.forger.yaml"
check_silence signed forger demo "a forged signature"
check_silence signed lamp nowhere "a topic that nobody has"
# One who takes each broker's credential for the other's believes neither; one who knows b2 alone
# believes that one, and is told by its status that somebody else was not believed.
sed "s|/broker/k\.ccs|/x/k.ccs|; s|/two/k\.ccs|/broker/k.ccs|; s|/x/k\.ccs|/two/k.ccs|" \
	"$tmp/signed.lamp.yaml" >"$tmp/signed.misled.yaml"
sed "/name: broker/d" "$tmp/signed.lamp.yaml" >"$tmp/signed.half.yaml"
chmod 600 "$tmp/signed.misled.yaml" "$tmp/signed.half.yaml"
rc=0
get signed misled demo -W 7 >"$tmp/got" || rc=$?
is "$rc $(cat "$tmp/got")" "6 " "answers that do not verify: status 6, and nothing is printed"
like "$(cat "$tmp/get.err")" "could not be verified" "and it says so"
rc=0
get signed half demo -C 2 -W 7 >"$tmp/got" || rc=$?
is "$rc $(cat "$tmp/got")" "6 $(echo "$both_demo" | tail -n 1)" "one of two can be verified: status 6"
for b in "${brokers[@]}"; do
	stop "$b" TERM
	is "$?" 0 "$b stops with status 0"
done

make_group pairwise --aead-algorithm AES-CCM-16-64-128 --pairwise-key-agreement-algorithm ECDH-SS+HKDF-256
check_group pairwise '1[89a-d]'
for b in "${brokers[@]}"; do
	stop "$b" TERM
	is "$?" 0 "$b stops with status 0"
done
done_testing
