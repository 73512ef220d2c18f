#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# security.echo (RFC 9175 2.4): coap-client and coapcast repeat what is challenged without
# a word to their users; who does not gets no large answer and no observation.
. "${srcdir:-.}/tests/lib.sh"
netns_begin "$@"
need tcpdump
need_coap_client
netns_hosts b h1 h2
broker_host=b
at=coap://${host_ip4[b]}
long=$(printf 'v%.0s' {1..500})

configure() { # POLICY
	cat >"$tmp/coapcast.yaml" <<-END
		listen: [ "coap://[::]:5683" ]
		security: { nosec: allow$1 }
		groups:
		  - { name: all, address: 239.255.17.4, interface: eth0, topics: [ hall ], threshold: 2, members: [ 10.0.0.0/8 ] }
		topics:
		  - { name: demo, content-format: 0, initialize: "hello" }
		  - { name: hall, content-format: 0, initialize: "start" }
		  - { name: large, content-format: 0, initialize: "$long" }
	END
}

# answers HOST MESSAGE...: codes that one who echoes nothing gets.
answers() {
	local host=$1
	shift
	in_host "$host" "$talk" -w 5 "${host_ip4[b]}:5683" "$@" |
		sed -n 's/^< [^ ]* ack \([0-9.]*\) .*/\1/p' | paste -sd' '
}

observe="con get token=01 observe=0 /ps/data/demo"
configure ""
start_broker "$tmp/coapcast.yaml"
is "$(answers h1 "$observe" "con get /ps/data/demo" "con put /ps/data/demo text=x" "con get /ps/data/large" \
	"con get /.well-known/core")" "4.01 2.05 2.04 4.01 4.01" \
	"auto: registrations and large answers need an Echo, small ones do not"
is "$(broker_counter broker observers)" 0 "auto: nobody observes"
is "$(broker_counter messages verified)" 0 "auto: nobody is verified"
is "$(answers b "$observe")" 4.01 "auto: the host itself by its address on the network"
is "$(in_host b "$talk" -w 5 127.0.0.1:5683 "$observe" | grep -c 'ack 2.05')" 1 \
	"auto: not on loopback"
like "$(in_host h1 "$talk" -e -w 5 "${host_ip4[b]}:5683" "$observe")" 'ack 4\.01 .* 252=[0-9a-f]{24}.*ack 2\.05' \
	"auto: with the Echo that was asked for it observes"

# With a token of its own each: the broker may not be known yet.
is "$(in_host h2 "$COAP_CLIENT" -B 5 "$at/ps/data/large" 2>&1)" "$long" "coap-client: a large value"
is "$(in_host h2 "$COAP_CLIENT" -B 5 "$at/.well-known/core" 2>&1 | grep -c core.ps.coll)" 1 \
	"coap-client: discovery"
spawn observer in_host h2 "$COAP_CLIENT" -w -s 1000 "$at/ps/data/demo"
wait_line "$tmp/observer.out" x
ok $? "coap-client: observes"
in_host h2 "$coapcast" pub -m y "$at/demo"
is $? 0 "coapcast pub"
wait_line "$tmp/observer.out" y
ok $? "coap-client: is notified"
is "$(in_host h2 "$coapcast" get "$at/large")" "$long" "coapcast get: a large value"
is "$(in_host h2 "$coapcast" ls "$at" | sort | paste -sd' ')" "demo hall large" "coapcast ls"
in_host h2 "$coapcast" topic create "$at/new"
is $? 0 "coapcast topic create"
for n in 1 2; do
	spawn "sub$n" in_host "h$n" "$coapcast" sub -v -C 2 "$at/hall"
	wait_line "$tmp/sub$n.out" start
done
wait_line "$tmp/sub1.err" 'moved to' && wait_line "$tmp/sub2.err" 'moved to'
ok $? "coapcast sub: moved into a group observation"
wait_until 10 counter_is groups moved 2
in_host h1 "$coapcast" pub -m news "$at/hall"
finish sub1
is "$?.$(tail -n 1 "$tmp/sub1.out")" 0.news "and hears of news there"
finish sub2
stop observer INT
stop_broker

configure ", echo: always"
start_broker "$tmp/coapcast.yaml"
is "$(answers h1 "con put /ps/data/demo text=x" "con get /ps/data/demo")" "4.01 4.01" \
	"always: even a publish"
is "$(in_host b "$talk" -w 5 127.0.0.1:5683 "con get /ps/data/demo" | grep -c 'ack 4.01')" 1 \
	"always: even on loopback"
in_host h1 "$COAP_CLIENT" -B 5 -m put -t 0 -e z "$at/ps/data/demo"
is "$(in_host h2 "$coapcast" get "$at/demo")" z "always: coap-client publishes, coapcast reads"
stop_broker

configure ", echo: off"
start_broker "$tmp/coapcast.yaml"
is "$(answers h1 "$observe" "con get /ps/data/large")" "2.05 2.05" "off: nobody is asked"
stop_broker
done_testing
