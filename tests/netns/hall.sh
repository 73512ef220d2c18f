# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: BSD-2-Clause
#
# The network of these tests: a broker b and eight hosts h1 to h8 on a bridge, and two
# groups, one per address family. Sourced after tests/lib.sh.

hosts=(h1 h2 h3 h4 h5 h6 h7 h8)
group4="239.255.17.4:5683"
group6="[ff18::17:4]:5683"

# hall_begin "$@": makes the network; b is 10.77.0.1 and fd77::1, h1 the next of each.
hall_begin() {
	netns_begin "$@"
	need tcpdump nft
	[ -x "$coapcast" ] || bail "$coapcast is not built"
	netns_hosts b "${hosts[@]}"
	broker_host=b
	server4=${host_ip4[b]}:5683
	server6=[${host_ip6[b]}]:5683
}

# hall_conf KEYS [KEYS-OF-THE-IPV6-GROUP]: $tmp/coapcast.yaml.
hall_conf() {
	local address6=${group6#[}
	cat >"$tmp/coapcast.yaml" <<-END
		listen: [ "coap://[::]:5683" ]
		security: { nosec: allow }
		groups:
		  - { name: hall4, address: ${group4%:*}, interface: eth0, topics: [ "*" ], $1 }
		  - { name: hall6, address: "${address6%]*}", interface: eth0, topics: [ "*" ], ${2:-$1} }
		topics:
		  - { name: demo, content-format: 0, initialize: "first" }
	END
}

# sub NAME HOST URI [ARG...]: a subscriber, until it is ended.
sub() {
	local name=$1 host=$2 uri=$3
	shift 3
	spawn "$name" in_host "$host" "$coapcast" sub -v "$@" "$uri"
}

# has_value VALUE NAME...: each of these subscribers has printed that value last.
has_value() {
	local value=$1 name
	shift
	for name; do
		[ "$(tail -n 1 "$tmp/$name.out")" = "$value" ] || return 1
	done
}

# pub URI VALUE...: one after the other, from the broker's host.
pub() {
	local uri=$1
	shift
	printf '%s\n' "$@" | in_host b "$coapcast" pub -l "$uri"
}

# to_group CAPTURE GROUP: its lines (see tests/tools/packets.c), without the time.
to_group() {
	capture_show "$1" | sed 's/^[^ ]* //' | grep -F " > $2 "
}

# to_hosts CAPTURE SERVER: what the server sent to somebody else than a group.
to_hosts() {
	capture_show "$1" | sed 's/^[^ ]* //' | grep -F "$2 > " | grep -Ev '> (\[ff|2[23][0-9]\.)'
}

payloads() {
	sed 's/.* "\(.*\)"$/\1/'
}

tokens() {
	sed -n 's/.* token=\([0-9a-f]*\).*/\1/p' | sort -u
}

# Whether the Observe numbers of the lines rise (RFC 7641 3.4, 24 bits).
rising() {
	sed -n 's/.* observe=\([0-9]*\) .*/\1/p' | awk '
		NR > 1 { d = ($1 - last + 16777216) % 16777216; if (d == 0 || d > 8388608) bad = 1 }
		{ last = $1 }
		END { exit NR == 0 || bad }'
}
