#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# coapcast doctor on hosts where multicast is received, and on such where something is in its
# way: what that is, is said, with what mends it, and the status is 7. coapcast(1), "CHECKS".
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/netns/hall.sh"
hall_begin "$@"
need python3
hall_conf "threshold: 1, max-age: 1s" "threshold: 1"
echo "  - { name: other, content-format: 0, initialize: first }" >>"$tmp/coapcast.yaml"
start_broker "$tmp/coapcast.yaml" -v
at=coap://${host_ip4[b]}

# doctor STATUS HOST NAME ARG...: $tmp/out and $tmp/err.
doctor() {
	local rc=0
	in_host "$2" timeout 60 "$coapcast" doctor "${@:4}" >"$tmp/out" 2>"$tmp/err" || rc=$?
	is "$rc" "$1" "$3: status $1"
	[ "$rc" = "$1" ] || comment <"$tmp/out"
}
says() { # VERDICT CHECK REGEX NAME
	like "$(grep -A 1 -E "^$1 +$2 " "$tmp/out")" "$3" "$4"
}
bad() { # the checks that are not ok
	grep -vE '^(ok|  )' "$tmp/out" | sed 's/^\([a-z]*\) *\([a-z_]*\).*/\1 \2/' | tr '\n' ' '
}

# --- where all is well ------------------------------------------------------------------
doctor 0 h1 "a host where all is well"
is "$(bad)" "" "nothing is wrong"
is "$(grep -c '^ok *loop ' "$tmp/out")" 2 "it hears itself, in both families"
doctor 0 h1 "a topic that is in no group observation" "$at/demo"
says ok groups 'the topic is in no group observation' "says so"
sub moved h2 "$at/demo" -v
wait_line "$tmp/moved.err" 'moved to'
doctor 0 h1 "a topic that is in one" "$at/demo"
is "$(bad)" "" "nothing is wrong"
says ok broker 'answers in [0-9.]+ ms by UDP, security none' "the broker answers"
says ok echo 'wanted to see .* and saw it' "and verified the address"
says ok groups "${group4//./\\.} can be joined for what ${host_ip4[b]}:5683 sends" "the group is joined"
says ok notification 'one of /ps/demo came by multicast' "and its notifications come"
doctor 0 h1 "the whole broker, as JSON" --json "$at"
is "$(python3 -c 'import json, sys
for line in sys.stdin:
	o = json.loads(line)
	if o["check"] == "notification":
		print(o["verdict"], o["family"], o.get("hint"))' <"$tmp/out")" "ok IPv4 None" "can be read"
is "$(broker_counter broker observers)$(broker_counter groups moved)" 01 "nobody was registered by that"
sub moved6 h2 "coap://[${host_ip6[b]}]/demo" -v
wait_line "$tmp/moved6.err" 'moved to'
doctor 0 h1 "a group that is silent" -W 1 "coap://[${host_ip6[b]}]/demo"
says warn notification 'the broker sent none within 1 s' "is not known to be well"
stop moved6 INT

# --- what is in the way -----------------------------------------------------------------
in_host h3 ip link set dev eth0 multicast off
doctor 7 h3 "an interface that cannot multicast"
is "$(bad)" "fail multicast fail multicast " "is told, for both families"
says fail multicast 'mend it: ip link set dev eth0 multicast on' "with what mends it"
doctor 0 h3 "one that only says so" "$at/demo"
is "$(bad)" "warn multicast " "is told, though notifications come"
in_host h3 ip link set dev eth0 multicast on
doctor 0 h3 "what mends it"
is "$(bad)" "" "it does"

in_host h4 sh -c 'echo 0 >/proc/sys/net/ipv4/igmp_max_memberships'
doctor 7 h4 "a host where no group can be joined" "$at/demo"
is "$(bad)" "fail limits fail join fail groups " "the limit, and what comes of it"
says fail limits 'sysctl -w net.ipv4.igmp_max_memberships=20' "with what mends it"
in_host h4 sh -c 'echo 1 >/proc/sys/net/ipv4/igmp_max_memberships; echo 0 >/proc/sys/net/ipv4/igmp_max_msf'
doctor 0 h4 "a host where just one can" "$at/demo"
# Where it is one for each namespace.
if in_host h4 sh -c 'echo 100 >/proc/sys/net/core/optmem_max' 2>/dev/null; then
	doctor 7 h4 "a host without memory for groups" "$at/demo"
	is "$(bad)" "warn limits fail join fail groups " "is found out by trying"
fi

host_drops h5 100 meta l4proto udp ip daddr 224.0.0.0/4
doctor 7 h5 "a firewall that drops groups" "$at/demo"
is "$(bad)" "fail loop fail notification " "is noticed by what does not come"
says fail loop 'nft insert rule inet loss in iifname eth0 ip daddr 224\.0\.0\.0/4' "with what mends it"
# shellcheck disable=SC2046 # words
in_host h5 nft $(sed -n 's/.*mend it: nft \(insert.*accept\)$/\1/p' "$tmp/out" | head -n 1)
doctor 0 h5 "what mends it" "$at/demo"
in_host h5 nft flush ruleset
host_drops h5 100 ip daddr "${group4%:*}"
doctor 7 h5 "a firewall that drops that group" "$at/demo"
is "$(bad)" "fail notification " "the broker sent what did not come"
doctor 7 h5 "the same within another time" -W 2.5 "$at/demo"
in_host h5 nft flush ruleset
in_host h5 nft -f - <<-END
	table inet guard {
		chain input { type filter hook input priority 0; policy drop; iifname eth0 accept; iifname lo accept; }
	}
END
doctor 0 h5 "a firewall that lets it in by a rule" "$at/demo"
says warn firewall 'chain input of table inet guard drops what no rule accepts' "is told"

# The sender is 10.99.0.1, and h6 does not know the way there.
in_host b ip address add 10.99.0.1/24 dev eth0
in_host h2 ip route add 10.99.0.0/24 dev eth0
stop moved INT
sub elsewhere h2 "coap://10.99.0.1/other" -v
wait_line "$tmp/elsewhere.err" 'moved to'
in_host h6 sh -c 'echo 1 >/proc/sys/net/ipv4/conf/eth0/rp_filter'
doctor 7 h6 "a strict filter, and a sender there is no way to" "$at/other"
is "$(bad)" "fail rp_filter fail notification " "which drops what comes"
says fail rp_filter 'drops what 10\.99\.0\.1 sends: there is no way back' "and why"
in_host h6 ip route add 10.99.0.0/24 dev eth0
doctor 0 h6 "with a way back" "$at/other"
in_host h6 ip route del 10.99.0.0/24
in_host h6 ip link add d0 type veth peer name d1
in_host h6 ip link set d1 up
in_host h6 ip link set d0 up
in_host h6 ip address add 10.98.0.6/24 dev d0
in_host h6 ip route add 10.99.0.0/24 dev d0
doctor 7 h6 "with a way back by another interface" -i eth0 "$at/other"
says fail rp_filter 'strict on eth0 .* the way back goes by another interface' "is told"
says fail rp_filter 'sysctl -w net\.ipv4\.conf\.eth0\.rp_filter=2' "with what mends it"
in_host h6 sysctl -qw net.ipv4.conf.eth0.rp_filter=2
doctor 0 h6 "what mends it" -i eth0 "$at/other"

in_host h7 ip link set eth0 down
doctor 7 h7 "an interface that is down" -i eth0
says fail interface 'eth0 is down' "is told"
doctor 7 h7 "a host without any network"
says fail interface 'no interface to receive IPv4 multicast on' "says so"

# --- the rest -----------------------------------------------------------------------------
cat >"$tmp/keys.yaml" <<END
identities: [ { name: me, oscore: { sender-id: hex:02, recipient-id: hex:01, master-secret: hex:00 } } ]
END
chmod 600 "$tmp/keys.yaml"
touch "$tmp/keys.yaml.ssn"
chmod 644 "$tmp/keys.yaml.ssn"
doctor 6 h1 "numbers that others can read" --credentials "$tmp/keys.yaml"
says fail state 'chmod 600' "are told"
rm "$tmp/keys.yaml.ssn"
doctor 0 h1 "keys as they are to be" --credentials "$tmp/keys.yaml"
doctor 3 h1 "nobody there" -W 1 "coap://10.77.0.200"
says fail broker 'does not answer' "is told"
doctor 1 h1 "no broker there" "coap://${host_ip4[h2]}"
doctor 2 h1 "two of them" "$at" "$at"
sed -i 's/nosec: allow/nosec: deny/' "$tmp/coapcast.yaml"
stop elsewhere INT
stop_broker
start_broker "$tmp/coapcast.yaml"
doctor 4 h1 "a broker that lets nobody in" "$at"
stop_broker
done_testing
