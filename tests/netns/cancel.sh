#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The end of a group observation: topic data is deleted. The group is told once, by a 5.03
# with Token T and nothing else; traditional observers get a 4.04 each; who was in the group
# registers again, and learns by unicast that there is nothing any more.
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/netns/hall.sh"
hall_begin "$@"
need_coap_client
hall_conf 'threshold: 2, members: [ 10.77.0.0/29 ]' 'threshold: 2, members: [ "fd77::/125" ]'
start_broker "$tmp/coapcast.yaml" -v

declare -A at=([4]="coap://${host_ip4[b]}" [6]="coap://[${host_ip6[b]}]")
declare -A group=([4]=$group4 [6]=$group6) server=([4]=$server4 [6]=$server6)
n_moved=0 n_started=0

for family in 4 6; do
	names=()
	pub "${at[$family]}/demo" start
	for host in h1 h2 h3 h4; do
		sub "$host-$family" "$host" "${at[$family]}/demo"
		names+=("$host-$family")
		n_moved=$((n_moved + 1))
	done
	spawn "out$family" in_host h8 "$COAP_CLIENT" -w -s 1000 "${at[$family]}/ps/data/demo"
	wait_line "$tmp/out$family.out" start
	wait_until 10 counter_is groups moved $n_moved
	ok $? "IPv$family: four subscribers in the group, one traditional"
	n_started=$((n_started + 1))
	token=$(sed -n "s/.* group observation started .* token=\([0-9a-f]*\).*/\1/p" \
		"$tmp/broker.log" | tail -n 1)

	capture_start "wire$family" b
	is "$(in_host b "$COAP_CLIENT" -B 5 -m delete "${at[$family]}/ps/data/demo" 2>&1)" "" \
		"IPv$family: DELETE of the topic data"
	wait_line "$tmp/out$family.err" 4.04
	ok $? "IPv$family: the traditional one gets a 4.04"
	for name in "${names[@]}"; do
		rc=0
		finish "$name" 15 || rc=$?
		is "$rc" 4 "IPv$family: $name finds that there is nothing: status 4"
		has_line "$tmp/$name.err" 'group observation was cancelled'
		ok $? "IPv$family: $name heard of the cancellation"
	done
	capture_stop "wire$family"
	lines=$(to_group "wire$family" "${group[$family]}")
	like "$lines" "^[^ ]* > [^ ]* ttl=1 non 5\.03 mid=[89a-f][0-9a-f]{3} token=$token$" \
		"IPv$family: one 5.03 to the group with Token T, no Observe, no payload"
	is "$(grep -c "^${server[$family]//[\[\]]/.} > " <<<"$lines")" 1 \
		"IPv$family: from the server's address and port"
	is "$(to_hosts "wire$family" "${server[$family]}" | grep -F "${host_ip4[h8]}:
[${host_ip6[h8]}]:" | grep -c ' 4\.04 ')" 1 "IPv$family: one 4.04 to the traditional one"
	is "$(capture_show "wire$family" | grep -c ' con get .* observe=0 .*/ps/data/demo$')" 4 \
		"IPv$family: the four register again"
	is "$(to_hosts "wire$family" "${server[$family]}" | grep -c ' ack 4\.04 ')" 4 \
		"IPv$family: and are told that there is nothing"
	is "$(broker_counter groups observations)" 0 "IPv$family: no group observation is left"
	stop "out$family" INT

	# A life after: published again, subscribed again, a group again, with another token.
	is "$(in_host b "$COAP_CLIENT" -B 5 -m put -t 0 -e reborn "${at[$family]}/ps/data/demo" 2>&1)" "" \
		"IPv$family: published anew"
	for host in h1 h2; do
		sub "$host-$family-again" "$host" "${at[$family]}/demo"
		n_moved=$((n_moved + 1))
	done
	wait_until 10 counter_is groups moved $n_moved
	ok $? "IPv$family: a new group observation"
	n_started=$((n_started + 1))
	new=$(sed -n "s/.* group observation started .* token=\([0-9a-f]*\).*/\1/p" \
		"$tmp/broker.log" | tail -n 1)
	rc=0
	[ "$new" != "$token" ] || rc=1
	ok $rc "IPv$family: with another token"
	pub "${at[$family]}/demo" again
	wait_until 10 has_value again "h1-$family-again" "h2-$family-again"
	ok $? "IPv$family: which works"
	# Deleting the topic ends it as well.
	capture_start "topic$family" b
	in_host b "$COAP_CLIENT" -B 5 -m delete "${at[$family]}/ps/demo"
	for host in h1 h2; do
		finish "$host-$family-again" 15
		is $? 4 "IPv$family: deleted as a topic: $host ends"
	done
	capture_stop "topic$family"
	is "$(to_group "topic$family" "${group[$family]}" | grep -c " non 5\.03 .* token=$new$")" 1 \
		"IPv$family: deleted as a topic: one 5.03 to the group"
	# { 0: "demo", 2: "core.ps.data", 3: 0 }
	in_host b "$talk" -e "${server[$family]}" \
		"con post /ps format=606 hex=a3006464656d6f026c636f72652e70732e646174610300" >/dev/null
done

is "$(broker_counter groups started) $(broker_counter groups cancelled)" "$n_started $n_started" \
	"as many cancelled as were started"
stop_broker
done_testing
