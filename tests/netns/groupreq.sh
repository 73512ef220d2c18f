#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Requests to All-CoAP-Nodes (RFC 7252 8 and 12.8, draft-ietf-core-groupcomm-bis): on the
# configured interface only, over IPv4 and IPv6, answered from the unicast address and
# port, in silence where there is nothing good to say.
. "${srcdir:-.}/tests/lib.sh"
netns_begin "$@"
netns_hosts b h1 h2
broker_host=b
# A second network of the broker's, where it is not to be found.
ip link add br1 type bridge mcast_snooping 0
ip link set br1 up
for host in b h2; do
	ip link add "w$host" type veth peer name eth1 netns "$host"
	ip link set "w$host" master br1 up
	# shellcheck disable=SC2016 # expanded in there
	in_host "$host" sh -c 'echo 0 >/proc/sys/net/ipv6/conf/eth1/accept_dad
		ip address add "10.78.0.$1/24" dev eth1 && ip address add "fd78::$1/64" dev eth1 nodad
		ip link set eth1 up' sh "$([ "$host" = b ] && echo 1 || echo 2)"
done
in_host h2 ip route replace 224.0.0.0/4 dev eth1

configure() { # SECURITY
	cat >"$tmp/coapcast.yaml" <<-END
		listen: [ "coap://[::]:5683" ]
		discovery: { interfaces: [ eth0 ] }
		security: { nosec: $1 }
		topics: [ { name: demo, content-format: 0, initialize: "hello" } ]
	END
}

# ask NAME SECONDS HOST GROUP MESSAGE...: collects what comes in return in that time; see
# tests/tools/talk.c.
ask() {
	local name=$1 seconds=$2 host=$3 group=$4
	shift 4
	spawn "$name" in_host "$host" "$talk" -b -n 1000 -w "$seconds" "$group" "$@"
}
answers() { # NAME
	sed -n 's/ mid=[0-9a-f]*//; s/^< //p' "$tmp/$1.out"
}
link_local() { # HOST INTERFACE
	in_host "$1" ip -6 -o address show dev "$2" scope link | sed 's/.* inet6 \([^/]*\).*/\1/'
}

configure allow
start_broker "$tmp/coapcast.yaml" -v
like "$(cat "$tmp/broker.log")" "All-CoAP-Nodes joined interface=eth0 groups=5" "five groups are joined"

core='non get token=aa /.well-known/core ?rt=core.ps'
answer='non 2.05 token=aa'
ask v4 9 h1 224.0.1.187:5683 "$core"
ask v6-2 9 h1 "[ff02::fd%eth0]:5683" "$core"
for scope in 3 4 5; do
	ask "v6-$scope" 9 h1 "[ff0$scope::fd]:5683" "$core"
done
ask elsewhere4 9 h2 224.0.1.187:5683 "$core"
ask elsewhere6 9 h2 "[ff02::fd%eth1]:5683" "$core"
# What is no group request, or asks for what is not there.
ask silence 9 h1 "[ff05::fd]:5683" "con get token=01 /.well-known/core" "con empty" \
	"non get token=02 /none" "non get token=03 /ps/data/none" "non get token=04 65001=aa /ps/data/demo" \
	"non get token=05 31=06 /ps/data/demo" "non get token=06 ?rt=none /.well-known/core" \
	"non get token=07 258=02 /ps/data/demo" "non get token=08 258= /none" "raw=ff"
ask observe 30 h1 "[ff05::fd]:5683" "non get token=0b observe=0 /ps/data/demo"
for test in v4 v6-2 v6-3 v6-4 v6-5 elsewhere4 elsewhere6 silence; do
	finish "$test" 20
done
like "$(answers v4)" "^${host_ip4[b]}:5683 $answer" "224.0.1.187: answered by ${host_ip4[b]}"
like "$(answers v6-2)" "^\[$(link_local b eth0)%eth0\]:5683 $answer|^\[${host_ip6[b]}\]:5683 $answer" \
	"ff02::fd: answered"
for scope in 3 4 5; do
	like "$(answers v6-$scope)" "^\[${host_ip6[b]}\]:5683 $answer" \
		"ff0$scope::fd: answered by ${host_ip6[b]}"
done
for test in v4 v6-2 v6-3 v6-4 v6-5; do
	is "$(answers "$test" | wc -l)" 1 "$test: once"
done
is "$(answers elsewhere4; answers elsewhere6)" "" "no answer on the other interface"
is "$(answers silence)" "" "nothing to say, nothing said"
is "$(broker_counter messages refused-held)" 0 "no answer was refused for want of room"
in_host b "$coapcast" pub -m again "coap://[${host_ip6[b]}]/demo"
finish observe 40
like "$(answers observe | head -n 1)" "^\[${host_ip6[b]}\]:5683 non 2.05 token=0b .*observe=.*hello" \
	"Observe in a group request: registered, and answered"
like "$(answers observe | tail -n 1)" "^\[${host_ip6[b]}\]:5683 non 2.05 token=0b .*observe=.*again" \
	"and notified"
stop_broker

# The policy holds, in silence.
configure loopback
start_broker "$tmp/coapcast.yaml"
ask refused 6 h1 224.0.1.187:5683 "$core"
finish refused 20
is "$(answers refused)" "" "nosec: loopback: no answer, no 4.01"
is "$(broker_counter broker unprotected-refused)" 1 "but counted"
stop_broker
done_testing
