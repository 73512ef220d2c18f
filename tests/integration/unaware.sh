#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# coap-client subscribes to a topic whose group observation runs. It knows nothing of
# informative responses; when it has come for the third time within a minute, from the same
# port, it is observed as ever, next to the group.
. "${srcdir:-.}/tests/lib.sh"
need_coap_client
free_port
group=$port
free_port
from=$port
free_port
uri=coap://127.0.0.1:$port

cat >"$tmp/coapcast.yaml" <<END
listen: [ "coap://127.0.0.1:$port" ]
groups:
  - { name: hall, address: 239.255.17.6, port: $group, interface: lo, threshold: 1 }
topics:
  - { name: demo, content-format: 0, initialize: "start" }
END
start_broker "$tmp/coapcast.yaml"

spawn aware "$coapcast" sub -v "$uri/demo"
wait_line "$tmp/aware.err" "moved to"

for n in 1 2; do
	client -p "$from" -s 1 -m get "$uri/ps/data/demo" >"$tmp/moved$n.out"
	counter_is groups moved $((n + 1))
	ok $? "coap-client -s for the ${n}. time: told about the group, and acknowledged"
done
is "$(broker_counter groups unaware) $(broker_counter broker observers)" "0 0" \
	"it is not known yet as one that does not follow"

spawn plain "$COAP_CLIENT" -w -p "$from" -s 1000 "$uri/ps/data/demo"
wait_line "$tmp/plain.out" start
ok $? "for the third time: a traditional observation"
is "$(broker_counter groups unaware) $(broker_counter broker observers)" "1 1" "it is counted"
for value in one two three; do
	"$coapcast" pub -m "$value" "$uri/demo"
	wait_line "$tmp/plain.out" "$value" && wait_line "$tmp/aware.out" "$value"
	ok $? "$value: to the group, and to coap-client"
done
is "$(grep -c 'does not follow informative responses' "$tmp/broker.log")" 1 "said once"
is "$(broker_counter groups observations) $(broker_counter groups informed)" "1 3" \
	"the group observation goes on"
stop plain INT || true
stop aware INT
stop_broker
done_testing
