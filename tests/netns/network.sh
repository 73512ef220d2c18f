#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The network changes under a running broker: its interface goes down and up, is deleted and
# made again under another number, is there late, its address goes and comes back, or does
# not. Groups are joined again, subscribers get what is published next, the log says it.
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/netns/hall.sh"
hall_begin "$@"
need_coap_client
hall_conf "threshold: 1, max-age: 3600s"
echo 'discovery: { interfaces: eth0 }' >>"$tmp/coapcast.yaml"
ip4=${host_ip4[b]}/24
# The same address of the link layer each time: hosts that know it need not ask again.
mac=$(in_host b ip -o link show dev eth0 | sed 's/.* link.ether \([0-9a-f:]*\) .*/\1/')
number() {
	in_host b ip -o link show dev eth0 | sed 's/:.*//'
}

# Late: at the start it is down, and has no address of either family.
in_host b ip link set eth0 down
in_host b ip address flush dev eth0
start_broker "$tmp/coapcast.yaml" -v

addresses() {
	in_host b ip address replace "$ip4" dev eth0
	in_host b ip address replace "${host_ip6[b]}/64" dev eth0 nodad
}
link_up() {
	in_host b ip link set eth0 up
	in_host b ip route replace 224.0.0.0/4 dev eth0
}
# said REGEX N: until the log has so many such lines.
has_said() {
	[ "$(grep -cE "$1" "$tmp/broker.log")" -ge "$2" ]
}
said() {
	wait_until 15 has_said "$1" "$2"
}

link_up
addresses
said 'network: interface is up name=eth0' 1
ok $? "an interface that is up late is noticed"
wait_until 10 host_is_up b || bail "b does not come up"

sub four h1 "coap://${host_ip4[b]}/demo"
sub six h2 "coap://[${host_ip6[b]}]/demo"
wait_until 10 counter_is groups moved 2
ok $? "two subscribers, of two group observations"
# Traditional ones go by unicast: their group is not theirs. On the broker's own host.
pub "coap://127.0.0.1/demo" one
wait_until 10 has_value one four six
ok $? "which get what is published"

# recreate [NUMBER]: both ends anew.
recreate() {
	in_host b ip link add eth0 ${1:+index "$1"} address "$mac" type veth peer name v1
	in_host b ip link set v1 netns $$
	ip link set v1 master br0 up
}
# found HOST: who answers to All-CoAP-Nodes there.
found() {
	in_host "$1" timeout 20 "$coapcast" discover -i eth0 -C 2 -W 15 2>&1 | sort
}
everybody=$(printf '%s\n' "coap://${host_ip4[b]}" "coap://[${host_ip6[b]}]" | sort)
is "$(found h3)" "$everybody" "found by multicast, in both families"

# --- down and up ------------------------------------------------------------------------
in_host b ip link set eth0 down
said 'network: interface is down name=eth0' 1
ok $? "down: the log says so"
pub "coap://127.0.0.1/demo" two
link_up
addresses
said 'network: interface is up name=eth0' 2
ok $? "up: the log says so"
wait_until 15 has_value two four six
ok $? "what was published meanwhile is repeated"
pub "coap://127.0.0.1/demo" three
wait_until 15 has_value three four six
ok $? "and what comes next arrives"
is "$(broker_counter groups started) $(broker_counter groups cancelled)" "2 0" \
	"all in the same two group observations"

# --- deleted, and made again --------------------------------------------------------------
before=$(number)
ip link del v1
said 'network: interface is gone name=eth0' 1
ok $? "deleted: the log says so"
pub "coap://127.0.0.1/demo" four
is "$(in_host b "$coapcast" get "coap://127.0.0.1/demo")" four "the broker serves on"
recreate
addresses
link_up
after=$(number)
ok $((before == after)) "made again: under another number ($before, now $after)"
said 'network: interface is up name=eth0' 3
ok $? "the log says so"
said 'discovery: All-CoAP-Nodes joined again interface=eth0 groups=5' 1
ok $? "All-CoAP-Nodes is joined there"
wait_until 15 has_value four four six
ok $? "what was published meanwhile is repeated"
pub "coap://127.0.0.1/demo" five
wait_until 15 has_value five four six
ok $? "and what comes next arrives"
is "$(broker_counter groups started) $(broker_counter groups cancelled)" "2 0" \
	"still in the same two group observations"
wait_until 10 host_is_up b || bail "b does not come up"
is "$(found h3)" "$everybody" "found by multicast again"

# Faster than the broker looks, and with the number it had.
ip link del v1
recreate "$after"
addresses
link_up
is "$(number)" "$after" "deleted and made again under the same number"
said 'network: interface is up name=eth0' 4
ok $? "deleted and made again in no time: the log says so"
said 'discovery: All-CoAP-Nodes joined again interface=eth0 groups=5' 2
ok $? "joined again"
pub "coap://127.0.0.1/demo" again
wait_until 15 has_value again four six
ok $? "what is published arrives"
wait_until 10 host_is_up b || bail "b does not come up"
is "$(found h3)" "$everybody" "and the broker is found"

# More changes than the kernel keeps for who does not read: that it was deleted is lost.
for _ in {1..1500}; do
	printf 'address %s 10.1.2.3/32 dev lo\n' add del
done >"$tmp/burst"
kill -STOP "${spawned[broker]}"
in_host b ip -batch "$tmp/burst"
ip link del v1
recreate "$after"
addresses
link_up
# shellcheck disable=SC2016 # awk expands it
lost=$(in_host b awk -v "pid=${spawned[broker]}" '$3 == pid { print $9 }' /proc/net/netlink)
ok $((${lost:-0} == 0)) "changes are lost: ${lost:-none}"
kill -CONT "${spawned[broker]}"
said 'network: interface is up name=eth0' 5
ok $? "they are noticed all the same"
said 'discovery: All-CoAP-Nodes joined again interface=eth0 groups=5' 3
ok $? "joined again"
pub "coap://127.0.0.1/demo" overrun
wait_until 15 has_value overrun four six
ok $? "what is published arrives"
wait_until 10 host_is_up b || bail "b does not come up"

# --- a reload opens nothing that wants a restart -------------------------------------------
sed -i 's/^discovery:.*/discovery: { interfaces: [ eth0, lo ] }/' "$tmp/coapcast.yaml"
kill -HUP "${spawned[broker]}"
said 'a restart is needed for changes in sections=discovery$' 1
ok $? "reloaded: discovery on another interface waits for a restart, and nothing else does"
is "$(in_host b ip maddr show dev lo | grep -cE '224\.0\.1\.187|ff0.::fd')" 0 "and is not there"

# --- the subscribers' interfaces ------------------------------------------------------------
in_host h1 ip link set eth0 down
in_host h1 ip link set eth0 up
wait_until 10 host_is_up h1 || bail "h1 does not come up"
pub "coap://127.0.0.1/demo" flap
wait_until 15 has_value flap four
ok $? "a subscriber whose interface was down gets what is published next"
mac=$(in_host h1 ip -o link show dev eth0 | sed 's/.* link.ether \([0-9a-f:]*\) .*/\1/')
ip link del v2
in_host h1 ip link add eth0 address "$mac" type veth peer name v2
in_host h1 ip link set v2 netns $$
ip link set v2 master br0 up
in_host h1 ip address add "${host_ip4[h1]}/24" dev eth0
in_host h1 ip link set eth0 up
wait_until 10 host_is_up h1 || bail "h1 does not come up"
joined() {
	in_host h1 ip maddress show dev eth0 | grep -q "${group4%:*}"
}
wait_until 10 joined
ok $? "one whose interface was deleted joins on the new one"
pub "coap://127.0.0.1/demo" anew
wait_until 15 has_value anew four six
ok $? "and gets what is published next"

# --- the address goes, and comes back -------------------------------------------------------
in_host b ip address del "$ip4" dev eth0
said 'the address of group observations is gone, waiting for it' 1
ok $? "an address goes: the log says so"
addresses
said 'the address of group observations is back' 1
ok $? "it comes back in time"
pub "coap://127.0.0.1/demo" six
wait_until 15 has_value six four six
ok $? "as if nothing had been"
is "$(broker_counter groups cancelled)" 0 "nothing was cancelled"

# --- it is another one for good -------------------------------------------------------------
in_host b ip address del "$ip4" dev eth0
in_host b ip address add 10.77.0.100/24 dev eth0
said 'the address of group observations is gone, cancelled=1' 1
ok $? "another address: the group observation of the old one is cancelled"
is "$(broker_counter groups observations)" 1 "the one of IPv6 goes on"
sub new h4 "coap://10.77.0.100/demo"
wait_until 10 counter_is groups moved 3
ok $? "a subscriber at the new address is in a group observation of its own"
pub "coap://127.0.0.1/demo" seven
wait_until 15 has_value seven new six
ok $? "which works"
stop new INT
stop four INT
ok $? "a subscriber of the old address ends with status 0"
stop six INT
ok $? "so does that of IPv6"
stop_broker
done_testing
