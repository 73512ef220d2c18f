#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A publish that was kept when the broker was killed, and that nobody had been told of, is
# told at the next start: to a group observation and to traditional observers, under higher
# Observe numbers, and only where it may be news. RFC 7641 1.3, 4.4.
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/disk.sh"
need_coap_client
free_port
group=$port
free_port
at=coap://127.0.0.1:$port

cat >"$tmp/coapcast.yaml" <<END
state: { commit-interval: 0 }
listen: [ "coap://127.0.0.1:$port" ]
groups:
  - { name: hall, address: 239.255.17.4, port: $group, interface: lo, topics: [ "hall/*" ],
      threshold: 2, max-age: 3600s }
topics:
  - { name: hall/demo, content-format: 0, initialize: "start" }
  - { name: hall/quiet, content-format: 0, initialize: "start" }
  - { name: single, content-format: 0, initialize: "start" }
  - { name: still, content-format: 0, initialize: "start" }
END

# What a subscriber was told: lines of its output with that value.
told() { # NAME VALUE
	grep -c -- "$2" "$tmp/$1.out"
}

all_have() { # VALUE NAME...
	local name
	for name in "${@:2}"; do
		has_line "$tmp/$name.out" "$1" || return 1
	done
}

# Until the store knows that all of it was told.
let_it_age() {
	wait_until 20 counter_is store untold 0 && wait_until 10 counter_is store waiting 0
}

keep_state=yes
start_on_disk "$tmp/coapcast.yaml" -v
for i in 1 2; do
	spawn "group$i" "$coapcast" sub -v "$at/hall/demo"
	spawn "quiet$i" "$coapcast" sub -v "$at/hall/quiet"
done
# Those that print every notification, news or not.
for name in single still; do
	spawn "$name" "$talk" -n 0 "127.0.0.1:$port" "con get token=0b5e observe=0 /ps/data/$name"
	wait_line "$tmp/$name.out" start
done
wait_until 10 counter_is groups moved 4 || bail "the subscribers are not moved"
for topic in hall/demo hall/quiet single still; do
	"$coapcast" pub -m old "$at/$topic"
done
wait_until 10 all_have old group1 group2 quiet1 quiet2 single still
ok $? "everybody has the value"
let_it_age
ok $? "which the store knows after a while"

# --- killed after the commit, before the notification --------------------------------------
for topic in hall/demo single; do
	case $topic in
	single) subscribers=single ;;
	*) subscribers="group1 group2" ;;
	esac
	disk_fault synced
	spawn pub "$talk" -n 0 "127.0.0.1:$port" "non put /ps/data/$topic format=0 text=new"
	finish broker
	stop pub KILL
	rm "$tmp/fault"
	# shellcheck disable=SC2086 # a list of names
	all_have new $subscribers
	is $? 1 "$topic: nobody was told of a publish that was kept"
	start_on_disk "$tmp/coapcast.yaml" -v
	# shellcheck disable=SC2086
	wait_until 5 all_have new $subscribers
	ok $? "$topic: all are told after the start"
	has_line "$tmp/broker.log" 'values that may be news are told again topics=1$'
	ok $? "$topic: of that one topic"
	like "$(client "$at/ps/data/$topic")" new "$topic: which is what it has"
	let_it_age
done
is "$(told still old)" 1 "who had the newest value of another topic hears nothing"
numbers=$(sed -n 's/^< .* observe=\([0-9]*\) .*/\1/p' "$tmp/single.out")
# Modulo 2^24: RFC 7641 3.4.
awk 'NR > 1 { d = ($1 - last + 16777216) % 16777216; if (d == 0 || d > 8388608) bad = 1 }
	{ last = $1 } END { exit bad }' <<<"$numbers"
ok $? "Observe numbers rise"
is "$(wc -l <<<"$numbers")" 3 "one notification for each value"

# --- killed when all were told -----------------------------------------------------------------
stop broker KILL
start_on_disk "$tmp/coapcast.yaml" -v
has_line "$tmp/broker.log" 'told again'
is $? 1 "killed when all was known to be told: nothing is told again"
"$coapcast" pub -m last "$at/single"
wait_line "$tmp/single.out" last
"$coapcast" pub -m last "$at/hall/demo"
wait_until 10 all_have last group1 group2
stop_broker
start_on_disk "$tmp/coapcast.yaml" -v
has_line "$tmp/broker.log" 'told again'
is $? 1 "nor after a clean stop"

# --- stopped while a notification is on its way ---------------------------------------------------
# Confirmable ones of which none is acknowledged: the newest value waits for the next of them.
spawn deaf "$talk" -q -n 0 "127.0.0.1:$port" "con get token=0dea observe=0 /ps/data/single"
wait_line "$tmp/deaf.out" last
for i in {1..40}; do
	echo "number $i."
done | "$coapcast" pub -l "$at/single"
stop_broker
start_on_disk "$tmp/coapcast.yaml" -v
wait_line "$tmp/deaf.out" "number 40\."
ok $? "a clean stop before somebody was told: told after the start"
has_line "$tmp/broker.log" 'values that may be news are told again topics=1$'
ok $? "of that one topic"
# The newest value again and again, after two seconds at least and after six: that is older
# than what the store knows to be told otherwise.
sent_again() {
	[ "$(told deaf "number 40\.")" -ge 3 ]
}
wait_until 20 sent_again
stop broker KILL
start_on_disk "$tmp/coapcast.yaml" -v
has_line "$tmp/broker.log" 'values that may be news are told again topics=1$'
ok $? "and after a kill, as long as it is not acknowledged"
stop deaf KILL

# --- stopped before those of a kill were told -------------------------------------------------------
disk_fault synced
spawn pub "$talk" -n 0 "127.0.0.1:$port" "non put /ps/data/single format=0 text=late"
finish broker
stop pub KILL
# One operation of the disk after the other: a start that is stopped before it is one.
mkfifo "$tmp/gate"
disk_fault hang
launch_on_disk "$tmp/coapcast.yaml" -v
wait_until 10 port_is_used "$port" || bail "the port is not bound"
kill -TERM "${spawned[broker]}"
go_on() {
	timeout 0.2 bash -c ": >'$tmp/gate'" 2>/dev/null
	gone "${spawned[broker]}"
}
wait_until 30 go_on
finish broker
is $? 0 "a start that was stopped at once"
is "$(told single late)" 0 "told nobody"
is "$(grep -c ready "$tmp/broker.log")" 0 "and was never ready"
rm -f "$tmp/fault" "$tmp/gate"
start_on_disk "$tmp/coapcast.yaml" -v
wait_line "$tmp/single.out" late
ok $? "and leaves that to the next one"
stop_broker
done_testing
