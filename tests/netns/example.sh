#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The example of Section 6 of the first draft, from the keys to what is in the capture: two
# clients register under OSCORE, are moved into a group observation by informative responses
# of each generation, and verify multicast notifications that Group OSCORE protects; with a
# group that the broker manages and with one that has a Group Manager.
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/netns/hall.sh"
hall_begin "$@"

# --- keys, all by keygen ----------------------------------------------------------
keys=$tmp/keys
made() {
	"$coapcast" keygen "$@" >>"$tmp/made.out" 2>&1 || {
		comment <"$tmp/made.out"
		bail "keygen $1 does not work"
	}
}
made identity -o "$keys" --client-id 01 --broker-id 03 client-1
made identity -o "$keys" --client-id 02 --broker-id 04 client-2
made identity -o "$keys" publisher
made group -o "$keys" --managed self ourGroup
made group -o "$keys" --members client-1,client-2 --gid feedca57ab2e \
	--join-uri coap://myGM/group-oscore/myGroup myGroup
# What a client has: the keys it shares with the broker, and those as a member.
for name in client-1 client-2; do
	(umask 077 && cat "$keys/$name/$name.yaml" "$keys/$name/myGroup.yaml" \
		>"$keys/$name/credentials.yaml")
done

# NAME, OSCORE group, informative-response; the keys can only be told by the current one.
cases=("r1 ourGroup both" "r2 ourGroup current" "r3 myGroup both" "r4 myGroup current"
	"r5 myGroup seed")
groups=
topics=
declare -A at=()
n=0
for c in "${cases[@]}"; do
	read -r name oscore generation <<<"$c"
	n=$((n + 1))
	at[$name]=239.255.17.$n
	groups+="
  - { name: g-$name, address: ${at[$name]}, interface: eth0, topics: [ $name ], threshold: 1,
      oscore: $oscore, informative-response: $generation }"
	topics+="
  - { name: $name, content-format: 0, initialize: \"1234\" }"
done
cat >"$keys/broker/coapcast.yaml" <<END
listen: [ "coap://[::]:5683" ]
security: { nosec: deny }
access:
  - { who: "client-*", topics: "*", may: [ discover, read, subscribe ] }
  - { who: publisher, topics: "*", may: [ discover, publish ] }
groups:$groups
topics:$topics
END
start_broker "$keys/broker/coapcast.yaml" -v
uri=coap://${host_ip4[b]}

# say TOPIC VALUE...
say() {
	local topic=$1
	shift
	printf '%s\n' "$@" | in_host h3 "$coapcast" pub -l --identity publisher \
		--credentials "$keys/publisher/publisher.yaml" "$uri/$topic"
}

# observe TOPIC: client-1 on h1 and client-2 on h2, one after the other.
observe() {
	local i
	for i in 1 2; do
		sub "$1-$i" "h$i" "$uri/$1" --json --identity "client-$i" \
			--credentials "$keys/client-$i/credentials.yaml"
		wait_line "$tmp/$1-$i.err" "moved to ${at[$1]//./\\.}:5683 token" || {
			comment <"$tmp/$1-$i.err"
			tail -n 20 "$tmp/broker.log" | comment
			return 1
		}
	done
}

# explained WHOSE CLIENT TOPIC: what decode says of the answer to that client's registration.
explained() {
	grep -A 14 -E "> 10\.77\.0\.$(($2 + 1)):[0-9]+ CON 2\.05 .*\{OSCORE client-$2, from broker: verified\} 5\.03 content-format=[0-9]+ max-age=0 <informative response, [0-9]+ bytes> \[to GET /ps/data/$3\]\$" \
		"$tmp/$1.txt" | sed -n '2,${/^[0-9]/q;p}'
}

# decoded WHOSE ARG...
decoded() {
	local whose=$1
	shift
	"$coapcast" decode -v "$@" "$tmp/all.pcap" >"$tmp/$whose.txt" 2>"$tmp/$whose.err"
	ok $? "decode with the keys of $whose"
}

capture_start all b
for c in "${cases[@]}"; do
	read -r name oscore generation <<<"$c"
	observe "$name"
	ok $? "$c: both clients are moved"
	say "$name" 5678 9abc
	for i in 1 2; do
		wait_lines "$tmp/$name-$i.out" 3
		is "$(sed -nE 's/.*"payload":"([^"]*)".*"via":"([a-z]*)".*"verified":([a-z]*).*/\1 \2 \3/p' \
			"$tmp/$name-$i.out")" "1234 informative true
5678 multicast true
9abc multicast true" "$c: client-$i has every value, verified"
	done
done
capture_stop all

# --- what was on the wire -----------------------------------------------------------
is "$(grep -cE '1234|5678|9abc' "$tmp/all.pcap")" 0 "no value is on the wire"
decoded broker -c "$keys/broker/coapcast.yaml"
decoded client-1 --credentials "$keys/client-1/credentials.yaml"
like "$(cat "$tmp/broker.err")" 'decrypted and verified, 0 not' "the broker's are enough for all"
secret=$(od -An -tx1 -v "$keys/broker/myGroup.secret" | tr -d ' \n')
is "$(grep -c "$secret" "$tmp/broker.txt")" 0 "no key is printed"
for c in "${cases[@]}"; do
	read -r name oscore generation <<<"$c"
	sender="$oscore, from broker" gid=feedca57ab2e
	if [ "$oscore" = ourGroup ]; then
		sender="announced group, from 00" gid="[0-9a-f]{16}"
	fi
	verified="\{Group OSCORE $sender: signature verified\}"
	for whose in broker client-1; do
		is "$(grep -F " > ${at[$name]}:5683 " "$tmp/$whose.txt" |
			sed -nE "s/.* NON 2\.05 .* oscore=\[group kid=00 piv=[0-9]+\] .*$verified 2\.05 .* \"(.*)\" \[group observation of GET \/ps\/data\/$name\]\$/\1/p")" \
			"5678
9abc" "$c: $whose reads the two notifications"
	done
	is "$(to_group all "${at[$name]}:5683" | wc -l)" 2 "$c: one datagram per publish"
	for i in 1 2; do
		text=$(explained broker "$i" "$name")
		case $generation in
		both) keyed="integer and text keys" ph=ph_req ;;
		current) keyed="integer keys" ph=ph_req ;;
		seed) keyed="text keys" ph=registr ;;
		esac
		like "$text" "informative response: $keyed
    tp_info: .*group=${at[$name]//./\\.}:5683 token=[0-9a-f]+
" "$c: what client-$i is told, explained"
		like "$text" "
    $ph: FETCH .*oscore=\[group kid=00 piv=[0-9]+ kid-context=$gid\] <[0-9]+ bytes protected> $verified GET observe=0 /ps/data/$name" \
			"$c: with the phantom request, verified"
		if [ "$generation" != seed ]; then
			like "$text" "
    last_notif: 2\.05 .*$verified 2\.05 .*\"1234\"" "$c: the latest notification"
		fi
		if [ "$generation" != current ]; then
			like "$text" "
    res: 1234
" "$c: the current representation"
		fi
		if [ "$oscore" = ourGroup ]; then
			like "$text" "gp_material: ms=\(secret, 32 bytes\) .*
    srv_cred: .*
    srv_identifier: h'00'" "$c: and the keys"
		else
			like "$text" "
    join_uri: coap://myGM/group-oscore/myGroup
    sec_gp: myGroup
" "$c: and where the group is joined"
		fi
	done
done
is "$(to_hosts all "$server4" | grep -c ' observe=')" 0 "no notification goes to one client alone"
for c in "${cases[@]}"; do
	for i in 1 2; do
		name=${c%% *}-$i
		stop "$name" INT && has_line "$tmp/$name.err" ', 0 notifications missed'
		ok $? "$c: client-$i ends with status 0 and missed nothing"
	done
done
stop_broker
done_testing
