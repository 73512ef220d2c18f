#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A broker with two addresses per family. With `source` its group observations come from that
# address: clients that registered at the other one stay traditional, and are notified from
# there. Without `source` it is the address of those who made the group observation start:
# never more than one datagram per publish and group.
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/netns/hall.sh"
hall_begin "$@"
in_host b ip address add 10.77.0.201/24 dev eth0
in_host b ip address add fd77::201/64 dev eth0 nodad
declare -A first=([4]="${host_ip4[b]}" [6]="[${host_ip6[b]}]") group=([4]=$group4 [6]=$group6)
declare -A other=([4]="10.77.0.201" [6]="[fd77::201]")

# from CAPTURE ADDRESS: what left from there to somebody else than a group, notifications only.
from() {
	to_hosts "$1" "$2:5683" | grep -E ' (non|con) 2\.05 .*observe='
}

# --- with a source --------------------------------------------------------------------------
hall_conf "threshold: 2, source: ${first[4]}" "threshold: 2, source: \"${host_ip6[b]}\""
start_broker "$tmp/coapcast.yaml" -v
n_moved=0
for family in 4 6; do
	pub "coap://${first[$family]}/demo" start
	for i in 1 2 3; do
		sub "other$family-$i" h$i "coap://${other[$family]}/demo"
		wait_line "$tmp/other$family-$i.out" start
		ok $? "IPv$family: h$i registers at the other address"
	done
	for i in 4 5; do
		sub "first$family-$i" h$i "coap://${first[$family]}/demo"
		n_moved=$((n_moved + 1))
	done
	wait_until 10 counter_is groups moved $n_moved
	ok $? "IPv$family: those at the source are moved"
	for i in 1 2 3; do
		is "$(grep -c 'moved to' "$tmp/other$family-$i.err")" 0 "IPv$family: h$i is not"
	done

	capture_start "wire$family" b
	pub "coap://${other[$family]}/demo" "one $family" "two $family"
	wait_until 10 has_value "two $family" "other$family"-{1,2,3} "first$family"-{4,5}
	ok $? "IPv$family: all have the newest value"
	capture_stop "wire$family"
	is "$(to_group "wire$family" "${group[$family]}" | payloads)" "one $family
two $family" "IPv$family: one datagram per publish to the group"
	is "$(to_group "wire$family" "${group[$family]}" | cut -d' ' -f1 | sort -u)" \
		"${first[$family]}:5683" "IPv$family: from the source"
	is "$(from "wire$family" "${other[$family]}" | wc -l)" 6 \
		"IPv$family: the others are notified one by one, from the address they asked"
	is "$(from "wire$family" "${first[$family]}" | wc -l)" 0 \
		"IPv$family: and nobody alone from the source"
	for name in "other$family"-{1,2,3} "first$family"-{4,5}; do
		stop "$name" INT
	done
done
stop_broker

# --- without ----------------------------------------------------------------------------------
hall_conf "threshold: 2"
start_broker "$tmp/coapcast.yaml" -v
n_moved=0
for family in 4 6; do
	for i in 1 2; do
		sub "b$family-$i" h$i "coap://${other[$family]}/demo"
		n_moved=$((n_moved + 1))
	done
	wait_until 10 counter_is groups moved $n_moved
	ok $? "IPv$family: those at the other address are moved, as they were first"
	for i in 3 4; do
		sub "a$family-$i" h$i "coap://${first[$family]}/demo"
		wait_line "$tmp/a$family-$i.out" first
		ok $? "IPv$family: h$i registers at the first address"
	done
done
is "$(broker_counter groups observations)" 2 "a group observation in each group"
capture_start both b
pub "coap://${first[4]}/demo" new
wait_until 10 has_value new b{4,6}-{1,2} a{4,6}-{3,4}
ok $? "all have the newest value, in both families"
capture_stop both
for family in 4 6; do
	is "$(to_group both "${group[$family]}" | cut -d' ' -f1)" "${other[$family]}:5683" \
		"IPv$family: one datagram to the group, from the address of the first"
	is "$(from both "${first[$family]}" | wc -l)" 2 "IPv$family: and one to each of the others"
done
stop_broker
done_testing
