#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# FLOOD_COUNT requests from spoofed addresses, FLOOD_RATE in a second, first against a broker
# that verifies addresses (security.echo auto), then against one that does not. Its memory
# stays bounded by the limits, a peer that it knew before is answered within 100 ms
# meanwhile, and afterwards it serves whoever comes.
. "${srcdir:-.}/tests/lib.sh"
netns_begin "$@"
need_coap_client
: "${FLOOD_COUNT:=50000}"
# What AddressSanitizer holds back of freed memory is not the broker's.
export ASAN_OPTIONS=quarantine_size_mb=4${ASAN_OPTIONS:+:$ASAN_OPTIONS}
: "${FLOOD_RATE:=20000}"
: "${FLOOD_LATE:=50}" # percent: others may need the machine, too
netns_hosts b known flood late
broker_host=b
at=${host_ip4[b]}:5683

# What is answered goes back the way it came, and nobody there says that it is unreachable.
in_host b ip route add 10.128.0.0/9 via "${host_ip4[flood]}"
# shellcheck disable=SC2016 # expanded in there
in_host b sh -c 'for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 >$f; done'
in_host flood nft -f - <<-END || bail "nft refuses the rule"
	table ip away {
		chain in { type filter hook prerouting priority -300; ip daddr 10.128.0.0/9 drop; }
	}
END

configure() { # ECHO
	local i
	cat >"$tmp/coapcast.yaml" <<-END
		broker:
		  create-on-publish: true
		  limits: { topics: 1000, peers: 20000, observers: 10000, exchanges: 20000, bodies: 64 }
		listen: [ "coap://[::]:5683" ]
		security: { nosec: allow, echo: $1 }
		state: { directory: state }
		identities:
		  - { name: known, oscore: { sender-id: "hex:03", recipient-id: "hex:01", master-secret: "text:sixteen bytes ok" } }
		topics:
		  - { name: known, content-format: 0, initialize: "hello" }
		  - { name: late, content-format: 0, initialize: "hello" }
		  - { name: flooded, content-format: 0, initialize: "hello" }
	END
	for i in {0..499}; do
		echo "  - { name: flood/$i, content-format: 0, initialize: \"hello\" }"
	done >>"$tmp/coapcast.yaml"
	chmod 600 "$tmp/coapcast.yaml"
}

memory() { # FIELD
	awk -v field="$1:" '$1 == field { print $2 }' "/proc/${spawned[broker]}/status"
}

n_fds() {
	find "/proc/${spawned[broker]}/fd" -mindepth 1 | wc -l
}

figure() { # NAME KEY
	awk -F '\t' -v key="$2" '$1 == key { print $2 }' "$tmp/$1.out"
}

# Datagrams that found the receive buffer of the broker full.
drops() {
	in_host b cat /proc/net/udp /proc/net/udp6 | awk '$2 ~ /:1633$/ { n += $NF } END { print n + 0 }'
}

# What the broker has run for, in hundredths of a second.
ran() {
	awk '{ print $14 + $15 }' "/proc/${spawned[broker]}/stat"
}

# Measured is the broker, not who else needs the machine: it and the probe go first.
goes_first() { # NAME
	chrt --all-tasks --rr --pid 1 "${spawned[$1]}" 2>/dev/null || echo "# $1 has to wait for others"
}

# One flood, and what is to be seen during it and after it.
round() { # ECHO
	local before fds received dropped ran_before
	configure "$1"
	start_broker "$tmp/coapcast.yaml"
	fds=$(n_fds)
	spawn probe in_host known "$top_builddir/tests/torture/probe" "$at" ps/data/known 200
	wait_line "$tmp/probe.out" known 30 || bail "the known peer is not known"
	goes_first broker
	goes_first probe
	before=$(memory VmRSS)
	received=$(broker_counter udp received)
	dropped=$(drops)
	ran_before=$(ran)
	in_host flood "$top_builddir/tests/torture/spoof" "$at" "$FLOOD_COUNT" "$FLOOD_RATE" \
		>"$tmp/spoof.out"
	echo "# ran for $(($(ran) - ran_before))0 ms, receive buffer full $(($(drops) - dropped)) times"
	is "$(figure spoof refused)" 0 "$1: $FLOOD_COUNT datagrams from spoofed addresses"
	stop probe
	comment <"$tmp/spoof.out"
	comment <"$tmp/probe.out"
	echo "# received $(($(broker_counter udp received) - received))" \
		"rss kB before=$before peak=$(memory VmHWM) now=$(memory VmRSS)"
	ok $((100 * $(figure probe late) > FLOOD_LATE * $(figure probe publishes))) \
		"$1: the known peer is answered and notified within 100 ms"
	# 20,000 peers and exchanges, 10,000 observers, 1,000 topics: of a few hundred bytes each,
	# and answers of at most a kilobyte that are remembered.
	ok $(($(memory VmHWM) > before + 65536)) "$1: memory is bounded"
	like "$(broker_counter oscore refused)" '^[1-9][0-9]{2,}$' "$1: what only claims to be protected is refused"
	is "$(n_fds)" "$fds" "$1: as many descriptors as before"
	like "$(broker_counter messages peers)" '^(1?[0-9]{1,4}|20000)$' "$1: peers within the limit"
	like "$(broker_counter broker observers)" '^([0-9]{1,4}|10000)$' "$1: observers too"
	is "$(in_host late "$coapcast" get "coap://$at/late")" hello "$1: who comes late is served"
	in_host late "$coapcast" pub -m afterwards "coap://$at/late"
	is "$(in_host late "$coapcast" get "coap://$at/late")" afterwards "$1: and may publish"
	"recovers_$1"
	stop_broker
}

recovers_auto() {
	is "$(broker_counter broker observers)" 1 "auto: nobody spoofed observes"
	spawn late in_host late "$coapcast" sub "coap://$at/late"
	wait_until 10 counter_is broker observers 2
	ok $? "auto: who comes late may observe"
	stop late INT || true
}

# The limit of observers is reached, and is meant to be; they go as publishes to them go
# unanswered (RFC 7641 4.5), which takes longer than a test.
recovers_off() {
	is "$(broker_counter broker observers)" 10000 "off: the limit of observers is reached"
}

read -ra echoes <<<"${FLOOD_ECHO:-auto off}"
for echo in "${echoes[@]}"; do
	round "$echo"
done
done_testing
