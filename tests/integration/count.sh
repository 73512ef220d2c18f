#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Rough counting between coapcastd and coapcast sub over 127.0.0.1:
# who is gone is missed, the group observation ends when
# nobody is left, and another one starts when enough come again.
. "${srcdir:-.}/tests/lib.sh"
free_port
group=$port
free_port
uri=coap://127.0.0.1:$port

conf() { # EXTRA
	cat <<-END
		listen: [ "coap://127.0.0.1:$port" ]
		groups:
		  - { name: hall, address: 239.255.17.5, port: $group, interface: lo, threshold: 2,
		      feedback: { every: 1, confirmations: 8, wait: 9s } }
		topics:
		  - { name: demo, content-format: 0, initialize: "start" }
		$1
	END
}

# observers: how many there are thought to be.
observers() {
	broker_counter groups observations >/dev/null
	sed -n 's/.*state: group-observation .* observers=\([0-9.]*\).*/\1/p' "$tmp/broker.log" |
		tail -n 1
}

subscribe() { # NAME...
	local name
	for name; do
		spawn "$name" "$coapcast" sub -v "$uri/demo"
		wait_line "$tmp/$name.err" "registered|moved to"
	done
	for name; do
		wait_line "$tmp/$name.err" "moved to" || bail "$name is not moved"
	done
}

conf "" >"$tmp/coapcast.yaml"
start_broker "$tmp/coapcast.yaml"
subscribe a b c d
wait_until 10 counter_is groups moved 4
is "$(observers)" 4.0 "four are told, and counted"

# One goes without a word. The others answer within the leisure of 5 s.
stop d KILL
"$coapcast" pub -m one "$uri/demo"
wait_until 20 counter_is groups counts 1
ok $? "a round of counting"
is "$(broker_counter groups confirmations)" 3 "three answers"
is "$(observers)" 3.0 "three are left"
is "$(broker_counter broker observers) $(grep -c 'counted: answers' "$tmp/a.err")" "0 1" \
	"an answer is no registration"
is "$(tail -n 1 "$tmp/a.out")" one "the notification that asked has the value"

for name in a b c; do
	stop "$name" KILL
done
for n in 2 3; do
	"$coapcast" pub -m "$n" "$uri/demo"
	wait_until 20 counter_is groups counts $n
done
is "$(broker_counter groups observations) $(broker_counter groups cancelled)" "0 1" \
	"nobody answers twice: the group observation ends"

subscribe e f
"$coapcast" pub -m again "$uri/demo"
wait_line "$tmp/e.out" again
ok $? "a new group observation when enough come again"
is "$(broker_counter groups started)" 2 "it is the second"
stop e INT
stop f INT
stop_broker

# Another number of the option, which coapcast does not know: it is elective.
conf "protocol: { feedback-divider-option: 65000 }" >"$tmp/coapcast.yaml"
start_broker "$tmp/coapcast.yaml"
subscribe g h
"$coapcast" pub -m x "$uri/demo"
wait_line "$tmp/g.out" x
wait_until 20 counter_is groups counts 1
is "$(broker_counter groups confirmations) $(grep -c counted "$tmp/g.err")" "0 0" \
	"a client that knows the option by another number does not answer"
stop g INT
stop h INT
stop_broker
done_testing
