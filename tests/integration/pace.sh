#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# min-interval: of publishes in quick succession the first and the newest reach the group,
# no sooner than that apart; who comes meanwhile gets what was sent last.
. "${srcdir:-.}/tests/lib.sh"
free_port
group=$port
free_port
uri=coap://127.0.0.1:$port

cat >"$tmp/coapcast.yaml" <<END
listen: [ "coap://127.0.0.1:$port" ]
groups:
  - { name: hall, address: 239.255.17.8, port: $group, interface: lo, threshold: 1,
      min-interval: 6s }
topics:
  - { name: demo, content-format: 0, initialize: "start" }
END
start_broker "$tmp/coapcast.yaml"
spawn sub "$coapcast" sub -v "$uri/demo"
wait_line "$tmp/sub.err" "moved to"

began=$EPOCHREALTIME
seq 1 20 | "$coapcast" pub -l "$uri/demo"
wait_line "$tmp/sub.out" '^1$'
ok $? "the first is sent at once"
spawn late "$coapcast" sub --json -C 1 "$uri/demo"
finish late
# The latest notification is the one that was sent, not the one to come.
like "$(cat "$tmp/late.out")" '"payload":"1".*"via":"informative"' \
	"who comes meanwhile gets the latest that was sent"
wait_line "$tmp/sub.out" '^20$'
ok $? "the newest follows"
is "$(awk "BEGIN { print ($EPOCHREALTIME - $began >= 5.9) }")" 1 "not before min-interval has passed"
is "$(tr '\n' ' ' <"$tmp/sub.out")" "start 1 20 " "and none in between"
is "$(broker_counter groups notifications) $(broker_counter groups coalesced)" "2 18" \
	"two datagrams for twenty publishes"
is "$(broker_counter broker publishes)" 20 "each of which was accepted"
stop sub INT
stop_broker
done_testing
