#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A notification that becomes older than its Max-Age is followed by a fresh one with the
# same value, which subscribers do not print again. Where refreshes do not arrive, a
# subscriber asks once by unicast.
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/netns/hall.sh"
hall_begin "$@"
hall_conf "threshold: 1, max-age: 2s"
start_broker "$tmp/coapcast.yaml" -v
capture_start wire b

sub four h1 "coap://${host_ip4[b]}/demo"
sub six h2 "coap://[${host_ip6[b]}]/demo"
wait_until 10 counter_is groups moved 2
ok $? "two subscribers, of two group observations"
pub "coap://${host_ip4[b]}/demo" value
three_of_each() {
	[ "$(to_group wire "$group4" | grep -c '"value"')" -ge 3 ] &&
		[ "$(to_group wire "$group6" | grep -c '"value"')" -ge 3 ]
}
wait_until 15 three_of_each
ok $? "a publish, and two refreshes each"
capture_stop wire

for group in "$group4" "$group6"; do
	lines=$(capture_show wire | grep -F " > $group " | grep '"value"')
	is "$(grep -c ' max-age=2 ' <<<"$lines")" "$(wc -l <<<"$lines")" "$group: Max-Age 2"
	rising <<<"$lines"
	ok $? "$group: Observe rises with each"
	is "$(tokens <<<"$lines" | wc -l)" 1 "$group: Token T"
	# Older than Max-Age, but not by much. One may have had to wait on a busy machine.
	gaps=$(awk '{ if (NR > 1) printf "%s%.1f", (NR > 2 ? " " : ""), $1 - last; last = $1 }' <<<"$lines")
	awk -v gaps="$gaps" -v factor="$TEST_TIME_FACTOR" 'BEGIN {
		n = split(gaps, g, " ")
		for (i = 1; i <= n; i++) {
			if (g[i] < 1.9) bad = 1
			if (g[i] <= 2 + 0.5 * factor) prompt = 1
		}
		exit !prompt || bad }'
	ok $? "$group: every two seconds ($gaps)"
done
is "$(cat "$tmp/four.out")" $'first\nvalue' "IPv4: the subscriber prints it once"
is "$(cat "$tmp/six.out")" $'first\nvalue' "IPv6: the subscriber prints it once"

# The hosts do not hear their groups any more: what is published gets to them by a
# question of their own.
host_drops h1 100 ip daddr "${group4%:*}"
host_drops h2 100 ip6 daddr ff18::17:4
capture_start deaf b
pub "coap://${host_ip4[b]}/demo" unheard
wait_until 15 has_value unheard four six
ok $? "a subscriber that hears nothing asks once Max-Age has run out"
capture_stop deaf
# The first may have registered again while the second still waited for its turn.
for host in "${host_ip4[h1]}" "[${host_ip6[h2]}]"; do
	is "$(capture_show deaf | grep -F " $host:" | grep ' con get .* /ps/data/demo' |
		sed '/ observe=0/,$d' | wc -l)" 1 "$host: once"
done
stop four INT
ok $? "IPv4: ends with status 0"
stop six INT
ok $? "IPv6: ends with status 0"

stop_broker
done_testing
