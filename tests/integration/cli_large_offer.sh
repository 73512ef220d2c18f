#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A topic whose name leaves no room for the informative response in the group's datagram:
# it comes in blocks, in either form, and coapcast puts it together.
. "${srcdir:-.}/tests/lib.sh"
free_port
group=$port
free_port
uri=coap://127.0.0.1:$port

segment=$(printf 'n%.0s' {1..200})
name=$segment/$segment/$segment
groups=
n=0
for g in both current seed; do
	n=$((n + 1))
	groups+="
  - { name: $g, address: 239.255.18.$n, port: $group, interface: lo, topics: [ \"$g/*\" ],
      threshold: 1, datagram: 256, informative-response: $g }"
done
cat >"$tmp/coapcast.yaml" <<END
listen: [ "coap://127.0.0.1:$port" ]
groups:$groups
topics:
  - { name: both/$name, content-format: 0, initialize: "start" }
  - { name: current/$name, content-format: 0, initialize: "start" }
  - { name: seed/$name, content-format: 0, initialize: "start" }
END
start_broker "$tmp/coapcast.yaml"

for g in both current seed; do
	for i in 1 2; do
		spawn "$g$i" "$coapcast" sub -v --json "$uri/$g/$name"
	done
	for i in 1 2; do
		wait_line "$tmp/$g$i.err" 'asking for the rest of the informative response'
		ok $? "$g: the informative response of subscriber $i comes in blocks"
		wait_line "$tmp/$g$i.err" "moved to 239\.255\.18\.[123]:$group token [0-9a-f]{8}"
		ok $? "$g: subscriber $i is moved"
		# Without a value in it, it is asked for.
		wait_line "$tmp/$g$i.out" '"payload":"start"'
		ok $? "$g: subscriber $i has the current value"
	done
	"$coapcast" pub -m next "$uri/$g/$name"
	for i in 1 2; do
		wait_line "$tmp/$g$i.out" '"payload":"next".*"via":"multicast"'
		ok $? "$g: subscriber $i has the next one by multicast"
		is "$(wc -l <"$tmp/$g$i.out")" 2 "$g: subscriber $i has each once"
		stop "$g$i" INT
	done
done
stop_broker
done_testing
