#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Where multicast does not arrive: coapcast sub joins, hears nothing, says so once, and
# makes the broker notify it by unicast. Others stay in the group. Where the group cannot
# be joined it ends with 7.
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/netns/hall.sh"
hall_begin "$@"
hall_conf "threshold: 1, max-age: 1s"
start_broker "$tmp/coapcast.yaml" -v
host_drops h1 100 ip daddr "${group4%:*}"

sub hears h2 "coap://${host_ip4[b]}/demo" -v --json
sub deaf h1 "coap://${host_ip4[b]}/demo" -v --json
wait_line "$tmp/deaf.err" 'moved to'
ok $? "it joins the group"
wait_line "$tmp/deaf.err" 'multicast to .* does not arrive here, .* going on by unicast' 30
ok $? "it hears nothing, and says so"
wait_line "$tmp/deaf.err" 'registered again' 20
ok $? "it is a traditional observer then"
wait_line "$tmp/broker.log" 'traditional' 1
ok $? "the broker says so in its log"
is "$(broker_counter groups unaware)" 1 "and counts it"

for i in 1 2 3; do
	pub "coap://${host_ip4[b]}/demo" "value$i"
	wait_line "$tmp/deaf.out" "\"payload\":\"value$i\".*\"via\":\"unicast\""
	ok $? "value $i comes by unicast"
	wait_line "$tmp/hears.out" "\"payload\":\"value$i\".*\"via\":\"multicast\""
	ok $? "and by multicast to whoever hears it"
done
is "$(cut -d, -f2 "$tmp/deaf.out" | uniq -d)" "" "no value is printed twice"
is "$(grep -c 'does not arrive' "$tmp/deaf.err")" 1 "it was said once"
is "$(grep -c 'does not arrive' "$tmp/hears.err")" 0 "and only by the one it concerns"

# Where groups cannot even be joined.
in_host h3 sh -c 'echo 0 >/proc/sys/net/ipv4/igmp_max_memberships'
sub unable h3 "coap://${host_ip4[b]}/demo"
finish unable
is "$?" 7 "a group that cannot be joined: 7"
like "$(cat "$tmp/unable.err")" \
	"multicast cannot be received here: cannot join ${group4%:*}:5683: .+" "which says why"

stop deaf INT
is "$?" 0 "^C ends it with status 0"
stop hears INT
stop_broker
done_testing
