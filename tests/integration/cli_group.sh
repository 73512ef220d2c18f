#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# coapcast sub in a group observation over 127.0.0.1: moved by either generation of the
# informative response, every value by multicast, refreshes not printed, the end of it.
. "${srcdir:-.}/tests/lib.sh"
need_coap_client
free_port
group=$port
free_port
uri=coap://127.0.0.1:$port

groups=
topics=
n=0
for g in both current seed; do
	n=$((n + 1))
	groups+="
  - { name: $g, address: 239.255.17.$n, port: $group, interface: lo, topics: [ \"$g/*\" ],
      threshold: 2, max-age: 1s, informative-response: $g }"
	topics+="
  - { name: $g/demo, content-format: 0, initialize: \"start\" }"
done
cat >"$tmp/coapcast.yaml" <<END
listen: [ "coap://127.0.0.1:$port" ]
groups:$groups
topics:$topics
END
start_broker "$tmp/coapcast.yaml"

for g in both current seed; do
	for i in 1 2 3; do
		spawn "$g$i" "$coapcast" sub -v --json "$uri/$g/demo"
		[ "$i" -ne 1 ] || wait_line "$tmp/$g$i.err" registered
	done
	for i in 1 2 3; do
		wait_line "$tmp/$g$i.err" "moved to 239\.255\.17\.[123]:$group token [0-9a-f]{8}"
		ok $? "$g: subscriber $i is moved"
	done
	seq 1 20 | "$coapcast" pub -l "$uri/$g/demo"
	for i in 1 2 3; do
		wait_lines "$tmp/$g$i.out" 21
		is "$(sed -nE 's/.*"payload":"([^"]*)".*"via":"multicast".*"missed":0\}/\1/p' \
			"$tmp/$g$i.out" | tr '\n' ' ')" "$(seq -s ' ' 1 20) " \
			"$g: subscriber $i has every value by multicast"
	done
	like "$(head -n 1 "$tmp/${g}3.out")" '"payload":"start".*"via":"informative","group":"239' \
		"$g: the current value came with the informative response"
done

# Max-Age is 1 s: wait for two refreshes, and see that nothing was printed for them.
seen=$(grep -c 'still the same value' "$tmp/both1.err")
refreshed() {
	[ "$(grep -c 'still the same value' "$tmp/both1.err")" -ge $((seen + 2)) ]
}
wait_until 20 refreshed
is "$? $(wc -l <"$tmp/both1.out")" "0 21" "refreshes are not printed"

# Every accepted publish is one, equal bytes too.
"$coapcast" pub -m 20 "$uri/both/demo"
wait_lines "$tmp/both1.out" 22
like "$(tail -n 1 "$tmp/both1.out")" '"payload":"20".*"via":"multicast"' \
	"the same value published again is printed again"

is "$(sed -nE 's/.*token ([0-9a-f]{8}).*/\1/p' "$tmp"/*1.err | sort -u | wc -l)" 3 \
	"a token for each group observation"

# Cancelled: they register again, and are told that there is nothing.
"$COAP_CLIENT" -v 0 -m delete "$uri/ps/data/both/demo" >/dev/null 2>&1
for i in 1 2 3; do
	finish "both$i"
	is "$?" 4 "deleted data end subscriber $i"
	like "$(cat "$tmp/both$i.err")" 'cancelled \(5\.03\)' "subscriber $i heard the cancellation"
done

stop current1 INT
is "$?" 0 "SIGINT ends a group subscriber"
"$coapcast" pub -m last "$uri/current/demo"
wait_line "$tmp/current2.out" '"last"'
ok $? "the others go on"

for s in current2 current3 seed1 seed2 seed3; do
	stop "$s" INT
done
stop_broker
done_testing
