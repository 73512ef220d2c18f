#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The test bed itself: hosts reach each other over IPv4 and IPv6, a capture sees
# every datagram, multicast reaches all hosts, and loss is really lost.
. "${srcdir:-.}/tests/lib.sh"
netns_begin "$@"
need tcpdump nft
plan 6
netns_hosts a b c

# say HOST ADDRESS PORT N: N datagrams.
say() {
	in_host "$1" bash -c "for i in {1..$4}; do echo \$i >/dev/udp/$2/$3; done"
}

# What gets past the loss rules of b (which have priority 0).
in_host b nft -f - <<-END
	table inet count {
		counter heard { }
		chain in { type filter hook input priority 10; udp dport 4712 counter name heard; }
	}
END
heard_by_b() {
	in_host b nft list counter inet count heard | sed -n 's/.*packets \([0-9]*\).*/\1/p'
}

capture_start atb b "udp port 4711"
capture_start atc c "udp port 4711"
say a "${host_ip4[b]}" 4711 1
say a "${host_ip6[b]}" 4711 1
say a 239.255.17.4 4711 5
capture_stop atb
capture_stop atc
is "$(capture_count atb "dst host ${host_ip4[b]}")" 1 "IPv4 between hosts"
is "$(capture_count atb "dst host ${host_ip6[b]}")" 1 "IPv6 between hosts"
is "$(capture_count atb 'dst host 239.255.17.4')" 5 "a capture sees each datagram once"
is "$(capture_count atc 'dst host 239.255.17.4')" 5 "multicast reaches every host"

say a "${host_ip4[b]}" 4712 3
host_drops b 100 udp dport 4712
capture_start lost b "udp port 4712"
say a "${host_ip4[b]}" 4712 4
capture_stop lost
is "$(capture_count lost 'dst port 4712')" 4 "all arrive"
is "$(heard_by_b)" 3 "and all after the rule are lost"
