#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The wall clock of a running daemon is set an hour ahead, and then two hours back: observers
# and group observations, their refreshes and what is published go on as if nothing
# had been. Only an expiration date is meant to follow it, and does. And a daemon that starts
# before its clock is set says so, and protects with OSCORE once it is.
. "${srcdir:-.}/tests/lib.sh"
[ -x "$coapcast" ] || bail "$coapcast is not built"
need_coap_client
shim=$top_builddir/tests/tools/clockstep.so
[ -e "$shim" ] || bail "$shim is not built"
free_port
group_port=$port
free_port
at=127.0.0.1:$port
cat >"$tmp/coapcast.yaml" <<END
listen: [ "coap://$at" ]
groups:
  - { name: hall, address: 239.255.17.4, port: $group_port, interface: lo, topics: [ "hall/*" ],
      threshold: 1, max-age: 2s }
topics:
  - { name: demo, content-format: 0, initialize: "hello" }
  - { name: hall/demo, content-format: 0, initialize: "hello" }
END
COAPCASTD_WRAPPER="$COAPCASTD_WRAPPER env LD_PRELOAD=$shim CLOCKSTEP_FILE=$tmp/step"
COAPCASTD_WRAPPER+=" ASAN_OPTIONS=verify_asan_link_order=0:${ASAN_OPTIONS:-}"
start_broker "$tmp/coapcast.yaml" -v

set_clock() { # SECONDS
	echo "$1" >"$tmp/step.new"
	mv "$tmp/step.new" "$tmp/step"
}
# goes_on NAME VALUE: everybody gets this value, at once, and nothing was sent for nothing.
goes_on() {
	local before after
	"$coapcast" pub -m "$2" "coap://$at/hall/demo" && "$coapcast" pub -m "$2" "coap://$at/demo"
	wait_line "$tmp/grouped.out" "^$2\$" 5 && wait_line "$tmp/plain.out" "^$2\$" 5 &&
		wait_line "$tmp/other.out" "$2" 5
	ok $? "$1: what is published arrives"
	before=$(broker_counter groups refreshes)
	wait_until 10 counter_reaches groups refreshes $((before + 2))
	ok $? "$1: refreshes go on at their Max-Age"
	after=$(broker_counter groups refreshes)
	is "$((after <= before + 4))" 1 "$1: and are no more than that"
	is "$(broker_counter messages retransmitted) $(broker_counter messages timeouts)" "0 0" \
		"$1: nothing is taken for late"
	is "$(broker_counter broker observers-dropped) $(broker_counter groups cancelled)" "0 0" \
		"$1: nobody is dropped"
	is "$(broker_counter broker observers) $(broker_counter groups observations)" "2 1" \
		"$1: all are still there"
}

spawn grouped "$coapcast" sub "coap://$at/hall/demo"
spawn plain "$coapcast" sub "coap://$at/demo"
spawn other "$COAP_CLIENT" -w -s 1000 "coap://$at/ps/data/demo"
wait_line "$tmp/other.out" hello
wait_line "$tmp/plain.out" hello
wait_until 10 counter_is groups moved 1
ok $? "one in a group observation, two traditional"
for name in brief long; do
	"$coapcast" topic create --ct 0 --expires "+$([ $name = brief ] && echo 30m || echo 3h)" \
		"coap://$at/$name" >/dev/null
	ok $? "a topic that ends: $name"
done
goes_on "the right time" one

set_clock 3600
goes_on "an hour ahead" two
wait_until 70 counter_is broker expired 1
ok $? "an hour ahead: a topic that ends in half an hour is gone within a minute"
is "$(client_codes "coap://$at/ps/brief")" 4.04 "which is the one that was meant"
is "$(client_codes "coap://$at/ps/long")" 2.05 "and not that of three hours"

set_clock -3600
goes_on "an hour behind" three
is "$(broker_counter broker expired)" 1 "an hour behind: no other topic has ended"
stop grouped INT
stop plain INT
stop other INT
stop_broker

# --- started before it is set -----------------------------------------------------------------
"$coapcast" keygen identity -o "$tmp/keys" panel-1 >/dev/null
"$coapcast" keygen group -o "$tmp/keys" --managed self yard >/dev/null
cp -a "$tmp/keys/broker/." "$tmp/"
cat >"$tmp/coapcast.yaml" <<END
listen: [ "coap://$at" ]
groups:
  - { name: hall, address: 239.255.17.4, port: $group_port, interface: lo, oscore: yard }
topics: [ { name: demo, content-format: 0, initialize: "hello" } ]
END
get() {
	"$coapcast" get --credentials "$tmp/keys/panel-1/panel-1.yaml" "coap://$at/demo" 2>"$tmp/get.err"
}
gets() {
	[ "$(get)" = hello ]
}
set_clock -900000000
start_broker "$tmp/coapcast.yaml" -v
get
is "$?" 6 "the clock is not set: nothing is protected"
like "$(cat "$tmp/get.err")" '5\.03 No sequence numbers' "and the client told so"
like "$(cat "$tmp/broker.log")" \
	'nothing can be protected: .* the clock is before the date of this build: set the clock' \
	"the log says why"
like "$(cat "$tmp/broker.log")" 'request refused: no sequence numbers, is the clock set' \
	"and at each request, now and then"
is "$(grep -c 'more messages than seconds' "$tmp/broker.log")" 0 "and nothing of too many messages"
set_clock 0
wait_until 10 gets
ok $? "it is set: requests are answered"
stop_broker
done_testing
