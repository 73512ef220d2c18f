#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Starts with another configuration than that of before the stop: every subscriber goes on
# with new values, where it was or where it is moved to, or is told that it is over.
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/netns/hall.sh"
hall_begin "$@"
hall_conf 'threshold: 2'
keep_state=1
conf=$tmp/coapcast.yaml
sed '/groups:/d; /hall[46]/d' "$conf" >"$tmp/none.yaml"
declare -A at=([4]="coap://${host_ip4[b]}" [6]="coap://[${host_ip6[b]}]")
names=()

# subs: two subscribers of each address family.
subs() {
	local family host name
	for name in "${names[@]}"; do
		stop "$name" INT
	done
	names=()
	for family in 4 6; do
		for host in h1 h2; do
			sub "$host-$family" "$host" "${at[$family]}/demo"
			names+=("$host-$family")
		done
	done
	for name in "${names[@]}"; do
		wait_lines "$tmp/$name.out" 1
	done
}

# restart SIGNAL FILE: when the store has everything.
restart() {
	wait_until 10 counter_is store waiting 0
	if [ "$1" = KILL ]; then
		stop broker KILL 2>/dev/null
	else
		stop_broker
	fi
	start_broker "$2" -v
}

# hears VALUE WHAT: all of them have it.
hears() {
	pub "${at[4]}/demo" "$1"
	wait_until 10 has_value "$1" "${names[@]}"
	ok $? "$2: what is published then reaches everybody"
}

n_lines() { # REGEX: how many of the subscribers' logs have a line like that
	local name n=0
	for name in "${names[@]}"; do
		! has_line "$tmp/$name.err" "$1" || n=$((n + 1))
	done
	echo "$n"
}

is_n() { # N REGEX
	[ "$(n_lines "$2")" -eq "$1" ]
}

# --- a group that is new is for those, too, who were there before ------------------------
start_broker "$tmp/none.yaml" -v
for signal in TERM KILL; do
	subs
	is "$(broker_counter groups observations)" 0 "$signal: without groups nobody is in one"
	restart "$signal" "$conf"
	wait_until 10 is_n 4 'moved to (239\.255\.17\.4|\[ff18::17:4\]):5683'
	ok $? "$signal: a start with groups moves all four"
	is "$(broker_counter groups observations)" 2 "$signal: into two group observations"
	hears "grouped after $signal" "$signal"
	is "$(n_lines 'registered again')" 0 "$signal: and nobody had to register again"
	restart TERM "$tmp/none.yaml"
	wait_until 10 counter_is broker observers 4
	ok $? "$signal: without them again, all are cancelled and come back as observers"
	hears "alone after $signal" "$signal, without groups"
done

# --- limits that are lower have nothing and nobody thrown out, as at a reload ----------------
values() { # of the topics demo, n1, n2
	local topic
	for topic in demo n1 n2; do
		in_host b "$coapcast" get -W 5 "${at[4]}/$topic"
		echo
	done
}
sed '1i broker: { create-on-publish: true }' "$tmp/none.yaml" >"$tmp/many.yaml"
sed '1i broker: { create-on-publish: true, limits: { topics: 2, observers: 1 } }' \
	"$tmp/none.yaml" >"$tmp/few.yaml"
restart TERM "$tmp/many.yaml"
pub "${at[4]}/n1" one
pub "${at[4]}/n2" two
had=$(values)
is "$(wc -l <<<"$had")" 3 "three topics with a value"
for signal in TERM KILL; do
	restart "$signal" "$tmp/few.yaml"
	is "$(values)" "$had" "limits, $signal: they have it still"
	is "$(sed -n 's/.* more was kept than there may be, which stays //p' "$tmp/broker.log")" \
		"limits.topics=2 kept=3
limits.observers=1 kept=4" "limits, $signal: which the log says"
	hears "past limits $signal" "limits, $signal"
	had=$(values)
	like "$(in_host b "$coapcast" pub -W 5 -m more "${at[4]}/n3" 2>&1)" '5\.03' \
		"limits, $signal: a topic that is new is refused"
done
sed 's/topics: 2, observers: 1/peers: 1/' "$tmp/few.yaml" >"$tmp/lonely.yaml"
restart TERM "$tmp/lonely.yaml"
has_line "$tmp/broker.log" 'observers resumed n=4$'
ok $? "limits: all observers are peers, and there may be one"
has_line "$tmp/broker.log" 'more was kept than there may be, which stays limits\.peers=1 kept=4$'
ok $? "limits: which the log says"
restart TERM "$tmp/many.yaml"
is "$(values)" "$had" "limits: nor did the store lose any"

# --- who is not protected is not served any more ---------------------------------------------
sed 's/nosec: allow/nosec: deny/' "$tmp/many.yaml" >"$tmp/deny.yaml"
restart TERM "$tmp/deny.yaml"
wait_until 10 is_n 4 '4\.01 Unauthorized'
ok $? "nosec: deny: all are told, by a 4.01"
has_line "$tmp/broker.log" 'observers cannot go on as they were, told n=4$'
ok $? "nosec: deny: which the log says"
stop_broker
done_testing
