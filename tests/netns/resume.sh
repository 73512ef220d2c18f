#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Subscribers outlive their broker, which they do not notice: after SIGTERM and kill -9 a
# group observation goes on with the same token and phantom request and higher Observe
# numbers, traditional observers with theirs, and nobody hears a word but the next publish.
# Where it cannot go on, since the group, the address or the collection is another one, the
# group is told so at the start.
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/netns/hall.sh"
hall_begin "$@"
need_coap_client
hall_conf 'threshold: 3, members: [ 10.77.0.0/29 ]' 'threshold: 3, members: [ "fd77::/125" ]'
keep_state=1
start_broker "$tmp/coapcast.yaml" -v

declare -A at=([4]="coap://${host_ip4[b]}" [6]="coap://[${host_ip6[b]}]")
declare -A group=([4]=$group4 [6]=$group6) server=([4]=$server4 [6]=$server6)
names=()
for family in 4 6; do
	for host in h1 h2 h3; do
		sub "$host-$family" "$host" "${at[$family]}/demo"
		names+=("$host-$family")
	done
	spawn "plain$family" in_host h8 "$COAP_CLIENT" -w -s 1000 "${at[$family]}/ps/data/demo"
	wait_line "$tmp/plain$family.out" first
done
wait_until 10 counter_is groups moved 6
ok $? "six subscribers in two groups, and two traditional ones"
is "$(broker_counter groups started)" 2 "two group observations"
pub "${at[4]}/demo" before
wait_until 10 has_value before "${names[@]}" plain4 plain6
ok $? "all have the value"
tokens_before=$(sed -n 's/.* group observation started .* token=\([0-9a-f]*\) .*/\1/p' \
	"$tmp/broker.log" | sort)

# restart SIGNAL: and what the wire shows until the next publish is with everybody.
restart() { # SIGNAL VALUE
	capture_start "before-$1" b
	pub "${at[4]}/demo" "last before $1"
	wait_until 10 has_value "last before $1" "${names[@]}" plain4 plain6
	ok $? "$1: all have the last value before it"
	wait_until 10 counter_is store waiting 0
	capture_stop "before-$1"
	# What is fresh would be told again.
	wait_until 20 counter_is store untold 0
	wait_until 10 counter_is store waiting 0
	capture_start "wire-$1" b
	if [ "$1" = KILL ]; then
		stop broker KILL
	else
		stop_broker
	fi
	start_broker "$tmp/coapcast.yaml" -v
	is "$(sed -n 's/.* group observation resumed .* token=\([0-9a-f]*\)$/\1/p' \
		"$tmp/broker.log" | sort)" "$tokens_before" "$1: the same group observations"
	has_line "$tmp/broker.log" 'observers resumed n=2$'
	ok $? "$1: and two observers"
	pub "${at[4]}/demo" "$2"
	wait_until 10 has_value "$2" "${names[@]}" plain4 plain6
	ok $? "$1: the next publish reaches everybody"
	capture_stop "wire-$1"
	for family in 4 6; do
		lines=$(to_group "wire-$1" "${group[$family]}")
		is "$(wc -l <<<"$lines")" 1 "$1: IPv$family: it is the only datagram to the group"
		is "$(to_group "before-$1" "${group[$family]}" | tokens)" "$(tokens <<<"$lines")" \
			"$1: IPv$family: with the same token"
		{ to_group "before-$1" "${group[$family]}" && echo "$lines"; } | rising
		ok $? "$1: IPv$family: and a higher Observe number"
		is "$(to_hosts "wire-$1" "${server[$family]}" | grep -cF " con 2.05 ")" 1 \
			"$1: IPv$family: the traditional one gets a CON"
		is "$(to_hosts "wire-$1" "${server[$family]}" | grep -c " 5\.03 ")" 0 \
			"$1: IPv$family: nobody is moved again"
	done
	is "$(capture_show "wire-$1" | grep -c ' observe=0 ')" 0 "$1: nobody registers again"
}

restart TERM one
is "$(for name in "${names[@]}"; do sed -n 's/.*notification.*, \([0-9]* missed\)$/\1/p' \
	"$tmp/$name.err"; done)" "" "TERM: and nobody misses a number"
restart KILL two
restart KILL three
restart TERM four
for name in "${names[@]}"; do
	is "$(grep -c 'moved to ' "$tmp/$name.err")" 1 "$name was moved once in all that time"
done

# cancelled WHAT: a start with another configuration tells both groups, with their tokens.
cancelled() {
	local family
	stop_broker
	capture_start "$1" b
	start_broker "$tmp/other.yaml" -v
	capture_stop "$1"
	for family in "${@:2}"; do
		like "$(to_group "$1" "${group[$family]}")" \
			"^${server[$family]//[\[\]]/.} > [^ ]* ttl=1 non 5\.03 mid=[89a-f][0-9a-f]{3} token=[0-9a-f]{8}$" \
			"$1: the IPv$family group gets the 5.03, from the address it knows"
	done
}

# left WHAT: and the traditional ones get a 4.04 each, from the address that they know. So does
# who registers again just then, as those of the groups do while they have nobody to answer.
left() {
	local family
	declare -A h8=([4]="${host_ip4[h8]}:" [6]="[${host_ip6[h8]}]:")
	for family in 4 6; do
		is "$(to_hosts "$1" "${server[$family]}" | grep -F " > ${h8[$family]}" |
			grep -cE ' non 4\.04 mid=[0-7][0-9a-f]{3} token=[0-9a-f]+$')" 1 \
			"$1: the traditional one of IPv$family is told that it is over"
	done
	has_line "$tmp/broker.log" 'observers cannot go on as they were, told n=([2-9]|1[0-9])$'
	ok $? "$1: and the log says so"
}

# observed: the traditional ones begin anew.
observed() {
	local family
	for family in 4 6; do
		stop "plain$family" INT
		spawn "plain$family" in_host h8 "$COAP_CLIENT" -w -s 1000 "${at[$family]}/ps/data/demo"
		wait_lines "$tmp/plain$family.out" 1
	done
	wait_until 10 counter_is store waiting 0
}

# again: everybody is in a group once more.
again() {
	stop_broker
	start_broker "$tmp/coapcast.yaml" -v
	for family in 4 6; do
		for host in h4 h5 h6; do
			[ -z "${spawned[$host-$family]:-}" ] || stop "$host-$family" KILL
			sub "$host-$family" "$host" "${at[$family]}/demo"
		done
	done
	wait_until 10 counter_reaches groups observations 2
	ok $? "group observations run again"
	wait_until 10 counter_is store waiting 0
}

sed 's/239.255.17.4/239.255.17.5/; s/ff18::17:4/ff18::17:5/' "$tmp/coapcast.yaml" >"$tmp/other.yaml"
cancelled address 4 6
again
sed 's/:5683"/:5999"/' "$tmp/coapcast.yaml" >"$tmp/other.yaml"
cancelled listen 4 6
left listen
again
observed
{
	echo 'broker: { collection: /other }'
	cat "$tmp/coapcast.yaml"
} >"$tmp/other.yaml"
cancelled collection 4 6
left collection
again
sed '/hall4/d' "$tmp/coapcast.yaml" >"$tmp/other.yaml"
cancelled removed 4
stop_broker
done_testing
