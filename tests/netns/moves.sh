#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Starts after which a group is elsewhere, or serves others: its interface, hops, topics or
# what informative responses look like are not what they were before the stop. As by SIGHUP:
# either the group observation goes on, or those who are in it are told, where they hear it.
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/netns/hall.sh"
hall_begin "$@"
need_coap_client
keep_state=1
# The broker has another link to the same hosts.
add_link() {
	ip link add v-eth1 type veth peer name eth1 netns b &&
		ip link set v-eth1 master br0 up && in_host b ip link set eth1 up
}
add_link || bail "no other link"
eth0=$(in_host b ip -brief link show eth0 | awk '{ print $3 }')
group=239.255.17.4:5683
conf=$tmp/coapcast.yaml
cat >"$conf" <<END
listen: [ "coap://0.0.0.0:5683" ]
security: { nosec: allow }
groups:
  - { name: hall, address: ${group%:*}, interface: eth0, topics: [ demo ], threshold: 2,
      members: [ 10.77.0.0/29 ], hops: 5, max-age: 1h }
  - { name: yard, address: 239.255.17.5, interface: eth0, topics: [ "*" ], threshold: 2,
      members: [ 10.77.0.0/29 ], max-age: 1h }
topics:
  - { name: demo, content-format: 0, initialize: "first" }
END
at=coap://${host_ip4[b]}
names=(h1 h2)

n_lines() { # REGEX: in the subscribers' logs
	cat "$tmp/h1.err" "$tmp/h2.err" | grep -cE "$1"
}
has_n_lines() { # N REGEX
	[ "$(n_lines "$2")" -eq "$1" ]
}
# restart SIGNAL WHAT SED-SCRIPT [BETWEEN]: what leaves by eth0 meanwhile is in the capture WHAT.
restart() {
	sed "$3" "$conf" >"$tmp/other.yaml"
	wait_until 10 counter_is store waiting 0
	if [ "$1" = KILL ]; then
		# What is fresh would be told again.
		wait_until 20 counter_is store untold 0
		wait_until 10 counter_is store waiting 0
		stop broker KILL 2>/dev/null
	else
		stop_broker
	fi
	${4:-:}
	capture_start "$2" b "udp and ether src $eth0"
	start_broker "$tmp/other.yaml" -v
	capture_stop "$2"
}
n_moved=0 n_ended=0
# moved WHAT ADDRESS: both are, once more.
moved() {
	n_moved=$((n_moved + 2))
	wait_until 20 has_n_lines $n_moved 'moved to 239\.255\.17\.[45]:5683'
	ok $? "$1: both are moved into a group"
	like "$(tail -n 1 < <(grep -h 'moved to' "$tmp/h1.err"))" "moved to $2:5683" "$1: that one"
}
# ended WHAT INTERFACE: both are told by that interface, as the log says.
ended() {
	n_ended=$((n_ended + 2))
	wait_until 20 has_n_lines $n_ended 'the group observation was cancelled \(5\.03\)'
	ok $? "$1: both are told that it is over"
	has_line "$tmp/broker.log" "is not what it was, cancelled group=hall to=$group interface=$2 .* error=0"
	ok $? "$1: which the log says"
}
# by_eth0 WHAT TTL: what told them came that way, and as far as the rest.
by_eth0() {
	like "$(to_group "$1" "$group")" \
		"^[^ ]* > $group ttl=$2 non 5\.03 mid=[^ ]* token=[0-9a-f]+\$" \
		"$1: by the interface of before, as far as before"
}
# same WHAT INTERFACE: it goes on without a word.
same() {
	has_line "$tmp/broker.log" "group observation resumed group=hall to=$group interface=$2 "
	ok $? "$1: the group observation goes on"
	is "$(to_group "$1" "$group")" "" "$1: without a word"
}
all() { # VALUE
	pub "$at/demo" "$1"
	wait_until 20 has_value "$1" h1 h2 plain
	ok $? "$1: what is published then reaches everybody"
}

start_broker "$conf" -v
for name in "${names[@]}"; do
	sub "$name" "$name" "$at/demo"
done
spawn plain in_host h8 "$COAP_CLIENT" -w -s 1000 "$at/ps/data/demo"
wait_line "$tmp/plain.out" first
moved first '239\.255\.17\.4'
all first

# --- its interface --------------------------------------------------------------------------
to_eth1='s/17\.4, interface: eth0/17.4, interface: eth1/'
restart TERM other "$to_eth1"
ended other eth0
by_eth0 other 5
moved other '239\.255\.17\.4'
all other
restart KILL "the other again" "$to_eth1"
same "the other again" eth1
all "the other again"
restart KILL back ''
ended back eth1
is "$(to_group back "$group")" "" "back: by the interface of before, which is the other one"
moved back '239\.255\.17\.4'
all back

restart TERM "to one that goes" "$to_eth1"
ended "to one that goes" eth0
moved "to one that goes" '239\.255\.17\.4'
restart TERM gone '' "ip link delete v-eth1"
ended gone eth1
by_eth0 gone 5
moved gone '239\.255\.17\.4'
all gone

# --- what does not end it -------------------------------------------------------------------
n_again=$(n_lines 'registered again')
restart TERM hops 's/hops: 5/hops: 7/'
same hops eth0
all hops
restart KILL threshold 's/hops: 5/hops: 7/; s/threshold: 2/threshold: 9/'
same threshold eth0
all threshold
restart TERM datagram 's/hops: 5/hops: 7, datagram: 256, informative-response: seed/'
same datagram eth0
all datagram
sub h3 h3 "$at/demo"
wait_line "$tmp/h3.err" 'moved to 239\.255\.17\.4:5683'
ok $? "datagram: who comes is told of it in the other form"
stop h3 INT
is "$(n_lines 'registered again')" "$n_again" "and nobody had to register again"

# --- which group its topic has -----------------------------------------------------------------
restart KILL "another group" 's/topics: \[ demo \]/topics: [ none ]/'
ended "another group" eth0
by_eth0 "another group" 7
moved "another group" '239\.255\.17\.5'
all "another group"
stop_broker
done_testing
