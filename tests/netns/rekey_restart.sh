#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The keys of a self-managed group are replaced around the end of the daemon: those that are
# about to expire at a start, and those whose announcement a kill interrupted. Who could not
# hear of them yet is told, and nobody has to register again.
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/netns/hall.sh"
. "${srcdir:-.}/tests/netns/keyed.sh"
hall_begin "$@"
make_keys one two pub
# configure LIFETIME: a shorter one than keys have yet is that they are to be replaced.
configure() {
	cat >"$keys/broker/coapcast.yaml" <<-END
		listen: [ "coap://[::]:5683" ]
		state: { directory: "$tmp/state" }
		security: { nosec: deny }
		groups:
		  - { name: hall, address: 239.255.17.4, interface: eth0, topics: [ "*" ], threshold: 1,
		      max-age: 1h, oscore: own }
		oscore-groups: [ { name: own, private-key: "file:own.key", lifetime: $1 } ]
		topics: [ { name: demo, content-format: 0, initialize: "first" } ]
	END
}
count() { # TEXT NAME
	grep -c "$1" "$tmp/$2.err"
}
has_new() { # NAME N
	[ "$(count 'the group has new keys' "$1")" -ge "$2" ]
}
hears_again() { # HOST
	in_host "$1" nft delete table inet loss
}
kill_broker() {
	stop broker KILL 2>/dev/null
}

configure 30d
start_broker "$keys/broker/coapcast.yaml" -v
member one h1
member two h2
hear before one two
wait_until 10 counter_is store waiting 0
kill_broker

# --- keys that are to be replaced at a start -------------------------------------------------
configure 20d
start_broker "$keys/broker/coapcast.yaml" -v
wait_until 10 has_new one 1 && wait_until 10 has_new two 1
ok $? "both members are told the new keys"
wait_line "$tmp/broker.log" 'keys that not everybody may have are told again .*group-observations=1'
ok $? "which the log says"
hear replaced one two

# --- a kill in the middle of the announcement ------------------------------------------------
# One of them hears nothing of it. It takes three seconds: who is too late tries again.
# interrupt DAYS: whether the kill came after the first notice, and before the third.
interrupt() {
	local n
	host_drops h1 100 ip daddr 239.255.17.4
	wait_until 30 counter_is store waiting 0
	kill_broker
	n=$(count 'the group has new keys' two)
	configure "$1d"
	start_broker "$keys/broker/coapcast.yaml" -v
	wait_until 10 has_new two $((n + 1)) || bail "nobody is told"
	wait_until 10 counter_is store waiting 0
	n=$(broker_counter groups notices)
	kill_broker
	hears_again h1
	[ "$n" -eq 1 ]
}
days=19
until interrupt "$days"; do
	days=$((days - 1))
	[ "$days" -gt 9 ] || bail "this machine is too slow"
	start_broker "$keys/broker/coapcast.yaml" -v
	stop one INT
	member one h1
done
one=$(count 'the group has new keys' one)
two=$(count 'the group has new keys' two)
moves=$(count 'moved to' one)
start_broker "$keys/broker/coapcast.yaml" -v
is "$(grep -c 'oscore: keys replaced' "$tmp/broker.log")" 0 "there are no others now"
wait_until 10 has_new one $((one + 1))
ok $? "but who did not hear of these is told after the restart"
hear finished one two
is "$(count 'the group has new keys' two)" "$two" "who knew them is not told anything else"
is "$(count 'moved to' one) $(count 'moved to' two)" "$moves 1" "nobody had to register again"
is "$(cat "$tmp"/{one,two}.err | grep -c 'could not be verified')" 0 \
	"everything that came was verified"

# --- all is told: nothing is left to be said ---------------------------------------------------
wait_until 60 counter_is groups notices 3
ok $? "three times"
n=$(count 'the group has new keys' one)
stop_broker
start_broker "$keys/broker/coapcast.yaml" -v
hear stopped one two
is "$(broker_counter groups notices)" 0 "a stop and a start tell nothing"
is "$(count 'the group has new keys' one)" "$n" "nobody has others"
stop_broker
for name in one two; do
	stop "$name" INT
	is "$?" 0 "$name ends with status 0"
done
done_testing
