#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Three brokers answer one `coapcast discover`, told apart by their addresses; the first
# answer of one of them is lost, and the request is repeated for it. Over IPv4 and IPv6.
# `coapcast get` of a group: a value per broker, a long one completed by unicast.
. "${srcdir:-.}/tests/lib.sh"
netns_begin "$@"
need tcpdump nft
[ -x "$coapcast" ] || bail "$coapcast is not built"
netns_hosts b1 b2 b3 h1
brokers=(b1 b2 b3)

long=$(seq -s ' ' 1 400)
for b in "${brokers[@]}"; do
	cat >"$tmp/$b.yaml" <<-END
		listen: [ "coap://[::]:5683" ]
		discovery: { interfaces: eth0 }
		security: { nosec: allow }
		topics:
		  - { name: demo, content-format: 0, initialize: "from $b" }
		  - { name: same, content-format: 0, initialize: "same" }
		  - { name: long, content-format: 0, initialize: "$b $long" }
	END
	STATE_DIRECTORY=$tmp/state.$b spawn "$b" in_host "$b" "$coapcastd" -c "$tmp/$b.yaml" -v
done
for b in "${brokers[@]}"; do
	wait_line "$tmp/$b.err" ready || bail "broker $b does not get ready"
done
# The answers of the first round, one per family, are lost.
silence_b3() {
	in_host b3 nft -f - <<-END || bail "nft refuses the rule"
		table inet silent {
			chain out {
				type filter hook output priority 0;
				oifname eth0 udp sport 5683 counter drop
			}
		}
	END
}
drops() { # N
	[ "$(in_host b3 nft list ruleset | sed -n 's/.*counter packets \([0-9]*\).*/\1/p')" -ge "$1" ]
}

# --- one of them silent at first ------------------------------------------------------
silence_b3
capture_start wire h1 "udp port 5683"
spawn found in_host h1 "$coapcast" discover -v -i eth0
wait_until 10 drops 2 || bail "b3 does not answer"
in_host b3 nft flush ruleset
finish found 30
is "$?" 0 "discover ends with status 0"
capture_stop wire
is "$(sort "$tmp/found.out")" "$(for b in "${brokers[@]}"; do
	echo "coap://${host_ip4[$b]}"
	echo "coap://[${host_ip6[$b]}]"
done | sort)" "three brokers, each once per address family"
for group in 224.0.1.187:5683 "[ff05::fd]:5683"; do
	is "$(capture_show wire | grep -cF "> $group ")" 2 "$group: asked, and asked again"
	like "$(capture_show wire | grep -F "> $group " | tail -n 1)" ' etag=' \
		"$group: the second time with the ETags that are known"
done
for b in b1 b2; do
	is "$(capture_show wire | grep -cF "${host_ip4[$b]}:5683 > ")" 2 "$b answers twice"
	is "$(capture_show wire | grep -F "${host_ip4[$b]}:5683 > " | grep -c ' 2\.03 ')" 1 \
		"$b: the second time in short"
done

# --- JSON, -C, nobody --------------------------------------------------------------------
in_host h1 "$coapcast" discover -i eth0 -C 6 -W 20 --json >"$tmp/json"
is "$?" 0 "discover -C 6"
is "$(grep -c '"via":"unicast","verified":false}$' "$tmp/json")" 6 "an object per answer"
like "$(cat "$tmp/json")" \
	"\{\"uri\":\"coap://${host_ip4[b1]}\",\"server\":\"${host_ip4[b1]}:5683\"," "with uri and server"
rc=0
in_host h1 "$coapcast" discover -i eth0 -C 7 -W 9 >"$tmp/out" 2>"$tmp/err" || rc=$?
is "$rc" 3 "fewer than -C asked for: status 3"
like "$(cat "$tmp/err")" "6 of 7 servers answered" "and how many there were"
rc=0
in_host h1 "$coapcast" discover -i lo -W 1 >"$tmp/out" 2>"$tmp/err" || rc=$?
is "$rc $(cat "$tmp/out")" "3 " "nobody there: status 3"

# --- get ---------------------------------------------------------------------------------
tab=$'\t'
wanted=$(for b in "${brokers[@]}"; do echo "coap://${host_ip4[$b]}${tab}from $b"; done | sort)
is "$(in_host h1 "$coapcast" get -C 3 -W 20 coap://224.0.1.187/demo | sort)" "$wanted" \
	"get of a group: a value per server"
is "$(in_host h1 "$coapcast" get -C 3 -W 20 -i eth0 "coap://[ff02::fd]/ps/data/same" | cut -f 2 | sort -u)" \
	same "IPv6, the same value of each"
in_host h1 "$coapcast" get -v -C 3 -W 20 "coap://[ff05::fd]/long" >"$tmp/out" 2>"$tmp/err"
is "$(sort "$tmp/out")" "$(for b in "${brokers[@]}"; do
	echo "coap://[${host_ip6[$b]}]${tab}$b $long"
done | sort)" "long values are completed"
is "$(grep -c 'has more: asked for by unicast' "$tmp/err")" 3 "by unicast, from each server"
rc=0
in_host h1 "$coapcast" get -W 6 coap://224.0.1.187/none >"$tmp/out" 2>"$tmp/err" || rc=$?
is "$rc $(cat "$tmp/out")" "3 " "a topic that nobody has: silence, status 3"

for b in "${brokers[@]}"; do
	stop "$b" TERM
	is "$?" 0 "$b stops with status 0"
done
done_testing
