#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Several groups and several topics at once: each publish goes to its own group, with the
# token of its topic, with the hops of its group; a subscriber prints its topic only, even
# when another has the same group, or the same port.
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/netns/hall.sh"
hall_begin "$@"
hall="239.255.17.4:5683" yard="239.255.17.5:61616" attic="[ff18::17:5]:61616"
cat >"$tmp/coapcast.yaml" <<END
listen: [ "coap://[::]:5683" ]
security: { nosec: allow }
groups:
  - { name: hall, address: ${hall%:*}, port: 5683, interface: eth0, hops: 1, threshold: 2, topics: [ "hall/*" ] }
  - { name: yard, address: ${yard%:*}, port: 61616, interface: eth0, hops: 7, threshold: 2, topics: [ "yard/*" ] }
  - { name: attic, address: "ff18::17:5", port: 61616, interface: eth0, hops: 255, threshold: 2, topics: [ "yard/*" ] }
topics:
  - { name: hall/light, content-format: 0, initialize: "off" }
  - { name: hall/heat, content-format: 0, initialize: "20" }
  - { name: yard/light, content-format: 0, initialize: "off" }
  - { name: cellar, content-format: 0, initialize: "dark" }
END
start_broker "$tmp/coapcast.yaml" -v

four=coap://${host_ip4[b]} six=coap://[${host_ip6[b]}]
# On each host one of each; their groups, and the ports of these, meet there.
for host in h1 h2 h3; do
	sub "$host-light" $host "$four/hall/light"
	sub "$host-heat" $host "$four/hall/heat"
	sub "$host-yard4" $host "$four/yard/light"
	sub "$host-yard6" $host "$six/yard/light"
	sub "$host-cellar" $host "$four/cellar"
done
wait_until 15 counter_is groups moved 12
ok $? "twelve subscribers are moved"
for host in h1 h2 h3; do
	wait_line "$tmp/$host-cellar.out" dark
	ok $? "$host: one that no group serves is not"
done
is "$(broker_counter groups observations)" 4 "four group observations: a topic may have two"

capture_start wire b
for i in 1 2 3 4 5; do
	pub "$four/hall/light" "on $i"
	pub "$four/hall/heat" "2$i"
	pub "$six/yard/light" "bright $i"
	pub "$six/cellar" "darker $i"
done
for kind in "light:on 5" "heat:25" "yard4:bright 5" "yard6:bright 5" "cellar:darker 5"; do
	wait_until 10 has_value "${kind#*:}" "h1-${kind%%:*}" "h2-${kind%%:*}" "h3-${kind%%:*}"
	ok $? "${kind%%:*}: the newest value"
done
capture_stop wire

is "$(to_group wire "$hall" | payloads)" "$(for i in 1 2 3 4 5; do echo "on $i"; echo "2$i"; done)" \
	"hall: one datagram per publish of its two topics"
is "$(to_group wire "$yard" | payloads)" "$(seq -f 'bright %g' 1 5)" "yard: one per publish"
is "$(to_group wire "$attic" | payloads)" "$(seq -f 'bright %g' 1 5)" \
	"attic: and one to the other group in use"
is "$(to_group wire "$hall" | tokens | wc -l)" 2 "hall: a token per topic"
is "$(to_group wire "$hall" | grep '"on ' | tokens | wc -l)" 1 "hall: always the same"
is "$(to_group wire "$hall" | grep -c ' ttl=1 ')" 10 "hall: hops as configured"
is "$(to_group wire "$yard" | grep -c ' ttl=7 ')" 5 "yard: hops as configured"
is "$(to_group wire "$attic" | grep -c ' ttl=255 ')" 5 "attic: hop limit as configured"
is "$(to_hosts wire "$server4" | grep -c ' 2\.05 .*"darker')" 15 \
	"the topic without a group: one datagram per publish and subscriber"
for host in h1 h2 h3; do
	is "$(cat "$tmp/$host-light.out")" $'off\non 1\non 2\non 3\non 4\non 5' "$host: hall/light"
	is "$(cat "$tmp/$host-heat.out")" $'20\n21\n22\n23\n24\n25' "$host: hall/heat"
	is "$(cat "$tmp/$host-yard4.out")" "$(echo off; seq -f 'bright %g' 1 5)" "$host: yard/light, IPv4"
	is "$(cat "$tmp/$host-yard6.out")" "$(echo off; seq -f 'bright %g' 1 5)" "$host: yard/light, IPv6"
done

stop_broker
done_testing
