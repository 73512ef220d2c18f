#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Rough counting with 200 clients on eight hosts, half of which leave without a word: the
# estimate follows, and nobody answers what the clients say.
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/netns/hall.sh"
hall_begin "$@"
n_clients=200 n_answers=120
hall_conf "threshold: 10, feedback: { every: 1, confirmations: $n_answers, wait: 9s }"
start_broker "$tmp/coapcast.yaml"
uri=coap://${host_ip4[b]}/demo

names=()
for ((i = 0; i < n_clients; i++)); do
	sub "c$i" "${hosts[i % 8]}" "$uri"
	names+=("c$i")
done
wait_until 60 counter_is groups moved $n_clients
ok $? "$n_clients clients are moved"

# observers: how many there are thought to be.
observers() {
	broker_counter groups observations >/dev/null
	sed -n 's/.*state: group-observation .* group=hall4 .* observers=\([0-9.]*\).*/\1/p' \
		"$tmp/broker.log" | tail -n 1
}

# round N: a notification that asks, and what came of it.
round() {
	pub "$uri" "$1"
	wait_until 20 counter_is groups counts "$1" || bail "round $1 does not end"
	estimate=$(observers)
	answers=$(broker_counter groups confirmations)
	echo "# round $1: estimate $estimate, answers so far $answers"
}

# between LOW HIGH NAME: one client in two answers, so that the estimate scatters by 14.
between() {
	awk "BEGIN { exit !($estimate > $1 && $estimate < $2) }"
	ok $? "$3"
}

is "$(observers)" "$n_clients.0" "all are counted when they are told"
capture_start wire b
round 1
between 100 300 "the estimate is about $n_clients"
capture_stop wire
is "$(capture_show wire | grep -c " > $server4 .* non get .*no-response=26")" "$answers" \
	"each answer is a non-confirmable GET with No-Response 26"
is "$(to_hosts wire "$server4" | wc -l)" 0 "nobody answers them"
is "$(to_group wire "$group4" | wc -l)" 1 "one datagram asked"

# They leave the group, as the draft has it, and say nothing.
for ((i = 0; i < n_clients; i += 2)); do
	kill -TERM "${spawned[c$i]}"
done
for ((i = 0; i < n_clients; i += 2)); do
	finish "c$i"
done
round 2
between 40 160 "half have left: the estimate follows"
round 3
between 40 160 "and stays there"
is "$(broker_counter groups observations) $(broker_counter broker observers)" "1 0" \
	"the group observation goes on"
has_value 3 "${names[@]:199:1}"
ok $? "who is left has every value"
stop_broker
done_testing
