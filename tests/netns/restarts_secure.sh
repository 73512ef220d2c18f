#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# As restarts.sh, with object security: who cannot go on as before is told under the keys of
# before, as long as they are there, so that it is believed. Who is told asks again.
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/netns/hall.sh"
. "${srcdir:-.}/tests/netns/keyed.sh"
hall_begin "$@"
make_keys one two pub
conf=$keys/broker/coapcast.yaml
cat >"$conf" <<END
listen: [ "coap://[::]:5683" ]
broker: { collection: /ps }
state: { directory: "$tmp/state" }
security: { nosec: deny }
groups:
  - { name: hall, address: 239.255.17.4, interface: eth0, topics: [ hall ], threshold: 1,
      max-age: 1h, oscore: own }
oscore-groups: [ { name: own, private-key: "file:own.key" } ]
topics:
  - { name: hall, content-format: 0, initialize: "first" }
  - { name: solo, content-format: 0, initialize: "first" }
END
uri=coap://${host_ip4[b]}
listen_to() { # NAME HOST WHO TOPIC
	sub "$1" "$2" "$uri/$4" --identity "$3" --credentials "$keys/$3/$3.yaml"
}
say() { # VALUE
	local topic
	for topic in hall solo; do
		in_host h5 "$coapcast" pub -m "$1" --identity pub \
			--credentials "$keys/pub/pub.yaml" "$uri/$topic"
	done
}
both() { # VALUE WHAT
	say "$1"
	wait_until 20 has_value "$1" hall solo
	ok $? "$2: what is published then reaches both"
}
n_lines() { # NAME REGEX
	grep -cE "$2" "$tmp/$1.err"
}
has_n_lines() { # N NAME REGEX
	[ "$(n_lines "$2" "$3")" -ge "$1" ]
}
# restart WHAT SED-SCRIPT: with another configuration. What that says is in the capture WHAT.
restart() {
	sed "$2" "$conf" >"$keys/broker/other.yaml"
	wait_until 10 counter_is store waiting 0
	stop_broker
	capture_start "$1" b
	start_broker "$keys/broker/other.yaml" -v
	capture_stop "$1"
}
# moved N: one is in the group, for the N-th time.
moved() {
	wait_until 20 has_n_lines "$1" hall 'moved to 239\.255\.17\.[45]:5683 .*, protected'
	ok $? "$2: one is moved into the group"
}
# cancelled N WHAT: and it was told of the end of that before, which it believes.
cancelled() {
	wait_until 20 has_n_lines "$1" hall 'the group observation was cancelled \(5\.03\)'
	ok $? "$2: the group is told, under its keys"
	like "$(cat "$tmp/broker.log")" 'group observation is not what it was, cancelled [^
]* error=0' "$2: which the log says"
}

start_broker "$conf" -v
listen_to hall h1 one hall
listen_to solo h2 two solo
moved 1 "at first"
wait_lines "$tmp/solo.out" 1
both before "at first"
restart same ''
both same "another start"
is "$(n_lines hall 'missed')" 0 "another start: no number is missed"

restart address 's/17\.4/17.5/'
cancelled 1 "another address"
moved 2 "another address"
both address "another address"

restart removed '/^groups:/,/max-age/d'
cancelled 2 "no group"
both removed "no group"
is "$(broker_counter groups observations)" 0 "no group: there is none"

restart again ''
moved 3 "a group again"
both again "a group again"

restart keys 's/, oscore: own//'
cancelled 3 "a group without keys"
both keys "a group without keys"
is "$(broker_counter groups observations)" 0 "a group without keys: it is not for the protected"

restart back ''
moved 4 "with keys again"
both back "with keys again"

# --- what they had is not there any more ----------------------------------------------------
# ended WHAT: both are told and end, with what they asked for not being there.
ended() {
	local name
	cancelled 4 "$1"
	wait_line "$tmp/solo.err" 'solo: 4\.04 Not Found'
	ok $? "$1: who observed alone is told"
	like "$(capture_show "$1" | grep -F " > ${host_ip4[h2]}:")" \
		"$server4 > [^ ]* ttl=64 non 2\.05 mid=[0-7][^ ]* token=[0-9a-f]+ .*" \
		"$1: by a message that is protected, from the address it knows"
	is "$(n_lines hall 'could not be verified')$(n_lines solo 'could not be verified')" 00 \
		"$1: all of it was verified"
}
restart collection 's,/ps,/qs,'
ended collection
stop_broker
done_testing
