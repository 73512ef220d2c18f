#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Sequence numbers of `coapcast` on the wire: none comes twice, and each is on the disk before it
# is, whether the client ends, is killed right after it sent, or its file is lost or put
# back from a copy, all within a second.
. "${srcdir:-.}/tests/lib.sh"
netns_begin "$@"
need tcpdump
[ -x "$coapcast" ] || bail "$coapcast is not built"
netns_hosts b h1
broker_host=b
at=coap://${host_ip4[b]}/demo

head -c 16 /dev/urandom >"$tmp/secret"
cat >"$tmp/coapcast.yaml" <<-END
	listen: [ "coap://0.0.0.0:5683" ]
	identities:
	  - { name: panel, oscore: { sender-id: "hex:03", recipient-id: "hex:01", master-secret: "file:secret" } }
	topics:
	  - { name: demo, content-format: 0, initialize: hello }
END
cat >"$tmp/credentials.yaml" <<-END
	identities:
	  - { name: panel, oscore: { sender-id: "hex:01", recipient-id: "hex:03", master-secret: "file:secret" } }
END
chmod 600 "$tmp"/*.yaml "$tmp/secret"
file=$tmp/credentials.yaml.ssn
start_broker "$tmp/coapcast.yaml"
capture_start wire h1 "udp dst port 5683"

# numbers: the Partial IVs of the requests so far, a line each; what is sent again counts once.
numbers() {
	capture_show wire | sed -n 's/.* mid=\([0-9a-f]*\) .* 9=\([0-9a-f]*\) .*/\1 \2/p' | uniq |
		while read -r _ option; do
			echo $((16#${option:2:2 * (0x${option:0:2} & 7)}))
		done
}
has_sent() { # N
	[ "$(numbers | wc -l)" -ge "$1" ]
}
bound() {
	awk 'NR > 2 { print $2 }' "$file"
}
n_wrong=0 # numbers that were not on the disk

# get_killed: a get that is killed when its request is on the wire; nobody answers it.
get_killed() {
	local n
	n=$(numbers | wc -l)
	kill -STOP "${spawned[broker]}"
	spawn get in_host h1 "$coapcast" get --credentials "$tmp/credentials.yaml" --identity panel "$at"
	wait_until 10 has_sent $((n + 1)) || bail "nothing is sent"
	stop get KILL 2>/dev/null
	kill -CONT "${spawned[broker]}"
	[ "$(bound)" -gt "$(numbers | tail -n 1)" ] || n_wrong=$((n_wrong + 1))
}
get() {
	in_host h1 "$coapcast" get --credentials "$tmp/credentials.yaml" --identity panel "$at"
}

is "$(get)" hello "a first get"
cp "$file" "$tmp/older"
cp -p "$file" "$tmp/dated"
get_killed
get_killed
is "$(get)" hello "after two that were killed"
for i in 1 2 3; do
	rm -f "$file"
	[ "$i" != 2 ] || get_killed
	is "$(get)" hello "the file is lost: $i"
done
for i in 1 2 3; do
	cp "$tmp/older" "$file"
	[ "$i" != 2 ] || get_killed
	is "$(get)" hello "an older copy is put back: $i"
done
# Its name is seconds younger than what it says.
is_older() {
	[ "$(date +%s)" -gt $(($(stat -c %Y "$tmp/dated") + 3)) ]
}
wait_until 10 is_older
cp -p "$tmp/dated" "$file"
is "$(get)" hello "an older copy is put back with its date"
capture_stop wire

ok $(($(numbers | wc -l) < 13)) "all are on the wire"
is "$(numbers)" "$(numbers | sort -n | uniq)" "each is above all before"
is "$n_wrong" 0 "and was on the disk before it was used"
stop_broker
done_testing
