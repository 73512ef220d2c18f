#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What one host may have under way of DTLS handshakes and of TCP connections that say nothing is a
# part of what there is: it keeps nobody else out.
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/netns/hall.sh"
hall_begin "$@"
halfway=$top_builddir/tests/tools/halfway
[ -x "$halfway" ] || bail "$halfway is not built"
cat >"$tmp/coapcast.yaml" <<END
listen: [ "coaps://[::]:5684", "coap+tcp://[::]:5683" ]
security: { nosec: allow }
identities:
  - { name: one, psk: { identity: one, key: "text:the key" } }
topics: [ { name: demo, content-format: 0, initialize: hello } ]
END
cat >"$tmp/credentials.yaml" <<END
identities:
  - { name: one, psk: { identity: one, key: "text:the key" } }
END
chmod 600 "$tmp/coapcast.yaml" "$tmp/credentials.yaml"
start_broker "$tmp/coapcast.yaml"

# begin NAME HOST PROTOCOL ADDRESS PORT N: how many it could begin; it stays.
begin() {
	local name=$1 host=$2
	shift 2
	spawn "$name" in_host "$host" "$halfway" "$@"
	wait_lines "$tmp/$name.out" 1 60
	begun=$(cat "$tmp/$name.out")
}
gets() { # HOST AUTHORITY NAME
	is "$(in_host "$1" "$coapcast" get --credentials "$tmp/credentials.yaml" \
		"coaps://$2/demo" 2>&1)" hello "$3"
}

# --- DTLS: 2000 in all ---------------------------------------------------------------------
begin first h1 udp "${host_ip4[b]}" 5684 600
is "$begun" 500 "one address begins a quarter of the handshakes that there may be"
counter_reaches sessions crowded 1
ok $? "the next one is counted"
wait_line "$tmp/broker.log" "session: refused: too many .* peer=${host_ip4[h1]//./\\.}:"
ok $? "and told of in the log"
gets h2 "${host_ip4[b]}" "somebody else gets in"
begin fourth h4 udp "${host_ip6[b]}" 5684 600
is "$begun" 500 "the same of an IPv6 address"
begin fifth h5 udp "${host_ip6[b]}" 5684 600
is "$begun" 500 "and of another one"
begin sixth h6 udp "${host_ip6[b]}" 5684 1
is "$begun" 0 "but a /64 has not more than half of them"
gets h2 "${host_ip4[b]}" "and still somebody else gets in"

# --- TCP: 256 in all ------------------------------------------------------------------------
crowded=$(broker_counter sessions crowded)
begin patient h2 tcp "${host_ip4[b]}" 5683 1
begin many h3 tcp "${host_ip4[b]}" 5683 300
is "$begun" 300 "a host connects often"
wait_until 10 counter_is sessions crowded $((crowded + 300 - 64))
ok $? "what it has too many of makes room for the next"
is "$(broker_counter sessions refused)" 0 "and nobody else's"
is "$(in_host b ss -Htn state established dst "${host_ip4[h2]}" | wc -l)" 1 \
	"who came before it is still there"
is "$(in_host h1 "$coapcast" get "coap+tcp://${host_ip4[b]}/demo" 2>&1)" hello \
	"and who comes after it is let in"
stop_broker
done_testing
