#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Access rules: who may do what, what is listed, and what a reload takes away.
# coapcast.yaml(5), "access".
. "${srcdir:-.}/tests/lib.sh"
need_coap_client
free_port
at=coap://127.0.0.1:$port

configure() { # RULES
	cat >"$tmp/coapcast.yaml" <<-END
		listen: [ "coap://[::]:$port" ]
		topics:
		  - { name: open, content-format: 0, initialize: "o" }
		  - { name: shown, content-format: 0, initialize: "s" }
		  - { name: secret, content-format: 0, initialize: "x" }
		  - { name: closed, content-format: 0, initialize: "c" }
		$1
	END
}

# codes TOPIC: of a read, a registration, a publish and the properties.
codes() {
	"$talk" -w 5 "127.0.0.1:$port" "con get /ps/data/$1" "con get token=01 observe=0 /ps/data/$1" \
		"con get token=01 observe=1 /ps/data/$1" "con put /ps/data/$1 text=y" "con get /ps/$1" |
		sed -n 's/^< [^ ]* ack \([0-9.]*\) .*/\1/p' | paste -sd' '
}

configure 'access:
  - { who: anonymous, topics: "s*", may: [ read ] }
  - { who: anonymous, topics: shown, may: [ discover, subscribe ] }
  - { who: anonymous, topics: closed, may: [ discover ] }
  - { who: anonymous, topics: open, may: [ discover, read, subscribe, publish, configure ] }
  - { who: "*", topics: "*", may: [ publish, delete ] }'
start_broker "$tmp/coapcast.yaml"
is "$(codes open)" "2.05 2.05 2.05 2.04 2.05" "all that a rule allows"
is "$(codes shown)" "2.05 2.05 2.05 4.03 2.05" "rules add up; * is not for anonymous"
is "$(codes secret)" "2.05 2.05 2.05 4.03 4.03" "reading alone"
is "$(codes none)" "4.03 4.03 4.03 4.03 4.03" "nobody learns whether it is there"
is "$("$coapcast" ls "$at" | sort | paste -sd' ')" "closed open shown" "what may not be seen is not listed"
is "$(client "$at/.well-known/core" | grep -c secret)" 0 "nor among the links of the host"
like "$(client "$at/.well-known/core?href=/ps/data/closed")" '</ps/data/closed>;.*;osc' \
	"data that nobody reads, observes or publishes unprotected is marked as such"
is "$(client "$at/.well-known/core?osc" | tr , '\n' | grep -c .)" 1 "and no other"
"$coapcast" pub -m z "$at/open"
is $? 0 "coapcast pub: allowed"
"$coapcast" pub -m z "$at/ps/data/shown" 2>"$tmp/err"
is $? 4 "coapcast pub: refused with exit status 4"
like "$(cat "$tmp/err")" '4\.03' "and it says 4.03"
is "$(client -m delete "$at/ps/data/open")" 4.03 "coap-client: a refusal"

spawn one "$coapcast" sub "$at/open"
spawn other "$COAP_CLIENT" -w -s 1000 "$at/ps/data/shown"
wait_line "$tmp/one.out" z && wait_line "$tmp/other.out" s
ok $? "two observe"
configure 'access: [ { who: anonymous, topics: shown, may: [ read, subscribe ] } ]'
kill -HUP "${spawned[broker]}"
wait_line "$tmp/broker.log" 'server: reloaded'
ok $? "a reload takes rights away"
finish one
is $? 4 "coapcast sub: ended with exit status 4"
like "$(cat "$tmp/one.err")" '4\.03' "with 4.03"
is "$(broker_counter broker observers)" 1 "who still may goes on observing"
is "$(codes open)" "4.03 4.03 4.03 4.03 4.03" "nothing is allowed any longer"
is "$("$coapcast" ls "$at")" "" "nor listed"
configure 'access: []'
kill -HUP "${spawned[broker]}"
wait_until 10 counter_is broker observers 0
ok $? "an empty list allows nothing"
configure ''
kill -HUP "${spawned[broker]}"
wait_line "$tmp/broker.log" 'reload failed, the old configuration stays: access: .*everybody'
ok $? "a file whose rules are gone is refused: it would let everybody in"
is "$(codes secret)" "4.03 4.03 4.03 4.03 4.03" "and lets nobody in"
configure 'access: [ { who: anonymous, topics: "*",
  may: [ discover, read, subscribe, publish, create, configure, delete ] } ]'
kill -HUP "${spawned[broker]}"
allows_all() {
	[ "$(codes secret)" = "2.05 2.05 2.05 2.04 2.05" ]
}
wait_until 10 allows_all
ok $? "what a rule says outright is done"
stop_broker
configure ''
start_broker "$tmp/coapcast.yaml"
is "$(codes secret)" "2.05 2.05 2.05 2.04 2.05" "started without rules everything is allowed"
stop_broker
done_testing
