#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The main job, over IPv4 and IPv6: under the threshold each publish is a datagram per
# subscriber; from the threshold on it is one datagram, whether there are 3, 8 or 24
# subscribers, and every subscriber has every value.
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/netns/hall.sh"
hall_begin "$@"
hall_conf "threshold: 3, hops: 3"
start_broker "$tmp/coapcast.yaml" -v

n_moved=0 # by the broker, in all

# joins FAMILY NAME HOST: a subscriber that ends up in the group.
joins() {
	sub "$2" "$3" "${at[$1]}/demo"
	names+=("$2")
	n_moved=$((n_moved + 1))
}

moved() { # NAME...
	local name
	for name; do
		wait_line "$tmp/$name.err" 'moved to' || return 1
	done
	# The broker has to have the acknowledgement of each.
	wait_until 10 counter_is groups moved "$n_moved"
}

# publishes FAMILY ROUND VALUE...: they are on the wire as they should be, and `names`
# have them all.
publishes() {
	local family=$1 round=$2 values lines
	shift 2
	values=$(printf '%s\n' "$@")
	capture_start "$family-$round" b
	capture_start "$family-$round-h5" h5
	pub "${at[$family]}/demo" "$@"
	wait_until 10 has_value "${*: -1}" "${names[@]}"
	ok $? "IPv$family, ${#names[@]} subscribers: all have the newest value"
	capture_stop "$family-$round"
	capture_stop "$family-$round-h5"

	lines=$(to_group "$family-$round" "${group[$family]}")
	is "$(payloads <<<"$lines")" "$values" \
		"IPv$family, ${#names[@]} subscribers: one datagram per publish, in order"
	is "$(to_group "$family-$round-h5" "${group[$family]}" | payloads)" "$values" \
		"IPv$family, ${#names[@]} subscribers: and so it is seen by a host"
	is "$(to_hosts "$family-$round" "${server[$family]}" | grep -c ' 2\.05 .*observe=')" 0 \
		"IPv$family, ${#names[@]} subscribers: none to anybody alone"
	is "$(grep -cE "^${server[$family]//[\[\]]/.} > [^ ]* ttl=3 non 2\.05 mid=[89a-f][0-9a-f]{3} token=[0-9a-f]+ etag=[0-9a-f]+ observe=[0-9]+ format=0 max-age=60 \"" <<<"$lines")" $# \
		"IPv$family, ${#names[@]} subscribers: NON, from the server's address and port"
	is "$(tokens <<<"$lines")" "$token" \
		"IPv$family, ${#names[@]} subscribers: Token T of the group observation"
	rising <<<"$lines"
	ok $? "IPv$family, ${#names[@]} subscribers: Observe rises"
	all+=("$@")
}

declare -A at=([4]="coap://${host_ip4[b]}" [6]="coap://[${host_ip6[b]}]")
declare -A group=([4]=$group4 [6]=$group6) server=([4]=$server4 [6]=$server6)

for family in 4 6; do
	names=() all=()
	pub "${at[$family]}/demo" start

	# --- under the threshold: traditional -----------------------------------
	joins $family "a$family" h1
	joins $family "b$family" h2
	wait_line "$tmp/a$family.out" start && wait_line "$tmp/b$family.out" start
	ok $? "IPv$family: two subscribers have the current value"
	capture_start "under$family" b
	pub "${at[$family]}/demo" 1 2
	wait_until 10 has_value 2 "${names[@]}"
	capture_stop "under$family"
	is "$(to_group "under$family" "${group[$family]}" | wc -l)" 0 \
		"IPv$family: under the threshold nothing goes to the group"
	is "$(to_hosts "under$family" "${server[$family]}" | grep -c ' non 2\.05 .*observe=')" 4 \
		"IPv$family: but each of two publishes to each of two subscribers"

	# --- the threshold ------------------------------------------------------
	capture_start "move$family" b
	joins $family "c$family" h3
	moved "${names[@]}"
	ok $? "IPv$family: the third moves all three"
	wait_until 10 has_value 2 "${names[@]}"
	capture_stop "move$family"
	lines=$(to_hosts "move$family" "${server[$family]}" | grep ' con 5\.03 ')
	is "$(grep -c ' format=65001 max-age=0 {' <<<"$lines")" 3 \
		"IPv$family: by three informative responses, Confirmable"
	is "$(to_group "move$family" "${group[$family]}" | wc -l)" 0 \
		"IPv$family: the initial notification is not sent"
	token=$(sed -n "s/.* group observation started .* token=\([0-9a-f]*\).*/\1/p" \
		"$tmp/broker.log" | tail -n 1)
	publishes $family three 3 4 5

	# --- all hosts ----------------------------------------------------------
	for host in "${hosts[@]:3}"; do
		joins $family "$host-$family" "$host"
	done
	moved "${names[@]}"
	ok $? "IPv$family: five more are moved at once"
	publishes $family eight 6 7 8 9 10 11 12 13 14 15

	# --- several processes on each ------------------------------------------
	for host in "${hosts[@]}"; do
		joins $family "$host-$family-2" "$host"
		joins $family "$host-$family-3" "$host"
	done
	moved "${names[@]}"
	ok $? "IPv$family: sixteen more, three processes on each host"
	publishes $family many 16 17 18 19 20 21 22 23 24 25

	# Everything from where each of them began: a started with `start`.
	for name in "a$family" "b$family"; do
		is "$(cat "$tmp/$name.out")" "$(printf '%s\n' start 1 2 "${all[@]}")" \
			"IPv$family: $name has every value once, in order"
	done
	is "$(cat "$tmp/c$family.out")" "$(printf '%s\n' 2 "${all[@]}")" \
		"IPv$family: c has every value once, in order"
	n_good=0
	for name in "${names[@]:3}"; do
		if [[ $'\n'$(printf '%s\n' 2 "${all[@]}") = *$'\n'$(cat "$tmp/$name.out") ]]; then
			n_good=$((n_good + 1))
		fi
	done
	is "$n_good" 21 "IPv$family: and so have the other 21, from when they came"
	n_good=0
	for name in "${names[@]}"; do
		stop "$name" INT && has_line "$tmp/$name.err" ', 0 notifications missed' &&
			n_good=$((n_good + 1))
	done
	is "$n_good" 24 "IPv$family: none missed a notification, all end with status 0"
done

like "$(broker_counter groups started)" '^2$' "one group observation per address family"
stop_broker
done_testing
