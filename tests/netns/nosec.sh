#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# security.nosec: who may use the broker without DTLS or OSCORE. Without the key it is
# who is on the same host.
. "${srcdir:-.}/tests/lib.sh"
netns_begin "$@"
netns_hosts b h1
broker_host=b

# asked HOST ADDRESS: codes of the answers to a read, a publish, a registration and a
# discovery, without the challenges of `echo: auto` before them (tests/netns/echo.sh).
asked() {
	in_host "$1" "$talk" -e -w 5 "$2:5683" "con get /ps/data/demo" "con put /ps/data/demo text=x" \
		"con get token=01 observe=0 /ps/data/demo" "con get /.well-known/core" |
		sed -n '/ 252=/d; s/^< [^ ]* ack \([0-9.]*\) .*/\1/p' | paste -sd' '
}

allowed="2.05 2.04 2.05 2.05"
refused="4.01 4.01 4.01 4.01"

for policy in default loopback allow deny; do
	case $policy in
	default) security= ;;
	*) security="security: { nosec: $policy }" ;;
	esac
	case $policy in
	allow) inside=$allowed outside=$allowed ;;
	deny) inside=$refused outside=$refused ;;
	*) inside=$allowed outside=$refused ;;
	esac
	cat >"$tmp/coapcast.yaml" <<-END
		listen: [ "coap://[::]:5683" ]
		$security
		topics: [ { name: demo, content-format: 0, initialize: "hello" } ]
	END
	start_broker "$tmp/coapcast.yaml"
	is "$(asked b 127.0.0.1)" "$inside" "$policy: from 127.0.0.1"
	is "$(asked b "[::1]")" "$inside" "$policy: from ::1"
	is "$(asked h1 "${host_ip4[b]}")" "$outside" "$policy: from another host, IPv4"
	is "$(asked h1 "[${host_ip6[b]}]")" "$outside" "$policy: from another host, IPv6"
	# The host itself, by its address on the network, is not loopback.
	is "$(asked b "${host_ip4[b]}")" "$outside" "$policy: from the host's own address"
	# A ping is no request.
	is "$(in_host h1 "$talk" -w 5 "${host_ip4[b]}:5683" "con empty mid=0001" | tail -n 1)" \
		"< ${host_ip4[b]}:5683 rst empty mid=0001" "$policy: a ping is answered"
	stop_broker
done
done_testing
