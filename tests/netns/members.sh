#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Who stays traditional: libcoap's coap-client on a host that is not among `members`, a
# client that comes by link-local addresses, one whose request is not the phantom's. They
# are notified one by one, next to the one datagram for the group.
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/netns/hall.sh"
hall_begin "$@"
need_coap_client
# 10.77.0.0/29 and fd77::/125 are b and h1 to h6. Link-local addresses are among
# the members too, and have to stay traditional all the same.
hall_conf 'threshold: 2, members: [ 10.77.0.0/29 ]' 'threshold: 2, members: [ "fd77::/125", "fe80::/10" ]'
start_broker "$tmp/coapcast.yaml" -v
link_local=$(in_host b ip -6 -br address show dev eth0 scope link | sed -E 's/.*(fe80:[^/]*).*/\1/')

declare -A at=([4]="coap://${host_ip4[b]}" [6]="coap://[${host_ip6[b]}]")
declare -A group=([4]=$group4 [6]=$group6) server=([4]=$server4 [6]=$server6)
declare -A outsider=([4]="${host_ip4[h8]}" [6]="[${host_ip6[h8]}]")
declare -A inside=([4]="${host_ip4[h1]}" [6]="[${host_ip6[h1]}]")
n_moved=0

for family in 4 6; do
	pub "${at[$family]}/demo" start

	# Two coap-clients that are kept out: they are over the threshold, but do not count.
	spawn "out$family" in_host h8 "$COAP_CLIENT" -w -s 1000 "${at[$family]}/ps/data/demo"
	spawn "out$family-2" in_host h8 "$COAP_CLIENT" -w -s 1000 "${at[$family]}/ps/data/demo"
	# Link-local ones, as many as the threshold, from hosts that are members too.
	names=(in1-"$family" in2-"$family")
	n_traditional=3
	if [ "$family" = 6 ]; then
		for host in h2 h3; do
			spawn "local-$host" in_host $host "$talk" -e -n 0 "[$link_local%eth0]:5683" \
				"con get token=11 observe=0 /ps/data/demo"
			wait_line "$tmp/local-$host.out" '^< .* ack 2\.05 .* observe='
			ok $? "a link-local registration is answered as a traditional one: $host"
		done
		n_traditional=$((n_traditional + 2))
	fi
	# Another representation than the phantom asks for.
	spawn "accept$family" in_host h1 "$talk" -e -a "${inside[$family]}:40012" -n 0 "${server[$family]}" \
		"con get token=12 observe=0 /ps/data/demo accept=0"
	wait_line "$tmp/accept$family.out" '^< .* ack 2\.05 .*observe='
	ok $? "IPv$family: a registration with Accept is answered as a traditional one"
	wait_line "$tmp/out$family.out" start && wait_line "$tmp/out$family-2.out" start
	ok $? "IPv$family: coap-client has the current value"

	sub "in1-$family" h1 "${at[$family]}/demo"
	sub "in2-$family" h2 "${at[$family]}/demo"
	n_moved=$((n_moved + 2))
	for name in "${names[@]}"; do
		wait_line "$tmp/$name.err" 'moved to'
		ok $? "IPv$family: $name is moved"
	done
	wait_until 10 counter_is groups moved $n_moved
	ok $? "IPv$family: nobody else is"
	is "$(broker_counter broker observers)" "$n_traditional" "IPv$family: they stay observers"

	capture_start "wire$family" b
	pub "${at[$family]}/demo" one two three
	wait_until 10 has_value three "${names[@]}"
	ok $? "IPv$family: members have the newest value"
	wait_line "$tmp/out$family.out" three && wait_line "$tmp/out$family-2.out" three &&
		wait_line "$tmp/accept$family.out" '"three"'
	ok $? "IPv$family: and so have the others"
	if [ "$family" = 6 ]; then
		for host in h2 h3; do
			wait_line "$tmp/local-$host.out" '"three"'
			ok $? "IPv6: $host too, the link-local way"
			is "$(grep -c "^< \[$link_local%.*\]:5683 non 2\.05 .*token=11 .*observe=" \
				"$tmp/local-$host.out")" 3 "IPv6: $host from the link-local address, each value"
		done
	fi
	capture_stop "wire$family"
	is "$(to_group "wire$family" "${group[$family]}" | payloads)" $'one\ntwo\nthree' \
		"IPv$family: one datagram per publish to the group"
	for value in one two three; do
		is "$(to_hosts "wire$family" "${server[$family]}" | grep -F "> ${outsider[$family]}:" |
			grep -c " 2\.05 .*observe=.* \"$value\"")" 2 \
			"IPv$family: and one to each coap-client: $value"
	done
	is "$(cat "$tmp/out$family.out")" $'start\none\ntwo\nthree' \
		"IPv$family: coap-client prints each value once"

	for name in "out$family" "out$family-2" "${names[@]}"; do
		stop "$name" INT
	done
	# Deregistered at the same endpoint (RFC 7641 3.6); coap-client has done so by itself.
	stop "accept$family" KILL
	in_host h1 "$talk" -e -a "${inside[$family]}:40012" "${server[$family]}" \
		"con get token=12 observe=1 /ps/data/demo accept=0" >/dev/null
	if [ "$family" = 6 ]; then
		stop local-h2 KILL
		stop local-h3 KILL
	fi
	in_host h8 "$COAP_CLIENT" -B 5 -m put -t 0 -e "by coap-client" "${at[$family]}/ps/data/demo"
	is "$(in_host h8 "$COAP_CLIENT" -B 5 "${at[$family]}/ps/data/demo")" "by coap-client" \
		"IPv$family: coap-client publishes and reads from there"
	wait_until 10 counter_is broker observers $((n_traditional - 3))
	ok $? "IPv$family: who deregisters is no observer any more"
done

stop_broker
done_testing
