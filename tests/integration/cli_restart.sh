#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Subscribers of a group observation outlive the broker that moved them: it forgets them
# when it is started again, and they notice by themselves.
. "${srcdir:-.}/tests/lib.sh"
free_port
group=$port
free_port
uri=coap://127.0.0.1:$port

cat >"$tmp/coapcast.yaml" <<END
listen: [ "coap://127.0.0.1:$port" ]
groups:
  - { name: hall, address: 239.255.17.4, port: $group, interface: lo, topics: [ "hall/*" ],
      threshold: 2, max-age: 2s }
topics:
  - { name: hall/demo, content-format: 0, initialize: "start" }
END
start_broker "$tmp/coapcast.yaml"

moves() { # N: how often each subscriber was moved, at least
	local i
	for i in 1 2 3; do
		[ "$(grep -c 'moved to ' "$tmp/s$i.err")" -ge "$1" ] || return 1
	done
}

for i in 1 2 3; do
	spawn "s$i" "$coapcast" sub -v --json "$uri/hall/demo"
done
wait_until 10 moves 1 || bail "the subscribers are not moved"
"$coapcast" pub -m before "$uri/hall/demo"
for i in 1 2 3; do
	wait_line "$tmp/s$i.out" '"before".*"via":"multicast"'
	ok $? "subscriber $i is told by multicast"
done

# Killed, with its state: the numbers of notifications jump, and nothing was missed by that.
keep_state=yes
stop broker KILL
start_broker "$tmp/coapcast.yaml"
"$coapcast" pub -m killed "$uri/hall/demo"
for i in 1 2 3; do
	wait_line "$tmp/s$i.out" '"killed".*"via":"multicast".*"missed":0}'
	ok $? "subscriber $i: after a kill it is told, and misses nothing"
	wait_line "$tmp/s$i.err" 'the numbers go on elsewhere'
	ok $? "and says what it knows of it"
done
keep_state=

stop_broker
start_broker "$tmp/coapcast.yaml"
# Max-Age, up to 5 s, one GET, Max-Age, up to 5 s; a minute more for one that had to
# renew a traditional observation just before.
wait_until 90 moves 2
ok $? "after the restart each of them registers again, and is moved again"
for v in one two three; do
	"$coapcast" pub -m "$v" "$uri/hall/demo"
	for i in 1 2 3; do
		wait_line "$tmp/s$i.out" "\"$v\".*\"via\":\"multicast\""
		ok $? "subscriber $i is told $v by multicast"
	done
done
for i in 1 2 3; do
	asked=$(grep -c 'asking for the current value' "$tmp/s$i.err")
	[ "$asked" -ge 1 ] && [ "$asked" -le 6 ]
	ok $? "subscriber $i asked a few times for the value ($asked)"
	stop "s$i" INT
	is "$?" 0 "SIGINT ends it"
done

stop_broker
done_testing
