#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The keys of a self-managed group are replaced while it runs (oscore.md section 9): members
# follow, newcomers have only the new ones, both kinds of restart go on with them, and so does
# the next replacement; and when the state is lost there are fresh ones.
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/netns/hall.sh"
. "${srcdir:-.}/tests/netns/keyed.sh"
hall_begin "$@"
make_keys one two pub
"$coapcast" keygen identity -o "$keys" --psk three >>"$tmp/made.out" || bail "no keys"
# Replaced after three quarters of their life.
cat >"$keys/broker/coapcast.yaml" <<-END
	listen: [ "coap://[::]:5683", "coaps://[::]:5684" ]
	state: { directory: "$tmp/state" }
	security: { nosec: deny }
	groups:
	  - { name: hall, address: 239.255.17.4, interface: eth0, topics: [ "*" ], threshold: 1,
	      max-age: 2s, oscore: own }
	oscore-groups: [ { name: own, private-key: "file:own.key", lifetime: 12s } ]
	topics: [ { name: demo, content-format: 0, initialize: "first" } ]
END
n_new() { # NAME
	grep -c 'the group has new keys' "$tmp/$1.err"
}
has_new() { # N NAME...
	local n=$1 name
	shift
	for name; do
		[ "$(n_new "$name")" -ge "$n" ] || return 1
	done
}
n_moves() {
	grep -c 'moved to' "$tmp/$1.err"
}
has_moves() { # N NAME...
	local n=$1 name
	shift
	for name; do
		[ "$(n_moves "$name")" -ge "$n" ] || return 1
	done
}

start_broker "$keys/broker/coapcast.yaml" -v
capture_start all b
member one h1
member three h3 coaps
hear old one three

# --- members and newcomers --------------------------------------------------------------------
wait_until 20 has_new 1 one three
ok $? "both members are told the new keys"
wait_until 10 counter_is groups notices 3
ok $? "which is not confirmed, and said three times"
member two h2
hear new one two three
wait_until 10 counter_is store waiting 0
stop broker KILL 2>/dev/null
start_broker "$keys/broker/coapcast.yaml" -v
hear killed one two three
capture_stop all

# --- restarts on the same state ---------------------------------------------------------------
stop_broker
start_broker "$keys/broker/coapcast.yaml" -v
hear stopped one two three
is "$(n_moves one) $(n_moves two) $(n_moves three)" "1 1 1" "nobody had to register again"
before=$(n_new one)
wait_until 20 has_new $((before + 1)) one three
ok $? "the next keys are followed, too"
wait_until 20 has_new 1 two
ok $? "also by the newcomer"
hear next one two three
is "$(n_moves one) $(n_moves two) $(n_moves three)" "1 1 1" "and still nobody had to"
is "$(cat "$tmp"/{one,two,three}.err | grep -c 'could not be verified')" 0 \
	"everything that came was verified"

# --- what is on the network ------------------------------------------------------------------------
reads() { # NAME: values to the group that its keys open
	"$coapcast" decode --credentials "$keys/$1/$1.yaml" "$tmp/all.pcap" >"$tmp/$1.txt"
	sed -nE 's/.* > 239\.255\.17\.4:5683 NON .*signature verified\} 2\.05 .* "([^"]*)" .*/\1/p' \
		"$tmp/$1.txt" | uniq | paste -sd' '
}
like "$(reads one)" '^(first )?old new killed$' "a member reads all of it"
is "$(reads two)" "$(reads two | sed 's/.*old/new/')" "a newcomer nothing of before"
like "$(reads two)" '^(old )?new killed$' "and all since"
is "$(grep -F ' > 239.255.17.4:5683 ' "$tmp/one.txt" |
	grep -c 'signature verified} 5\.03 .*<informative response')" 3 \
	"the new keys were told under the old ones"
is "$("$packets" -r "$tmp/all.pcap" | grep -F ' > 239.255.17.4:5683 ' | grep -v ' observe=' |
	sed 's/.* raw=.\{8\}//' | sort | uniq -c | awk '{ print $1 }')" 3 \
	"three times in the same bytes, but for the message id"
is "$(grep -F ' > 239.255.17.4:5683 ' "$tmp/two.txt" | grep -c '<informative response')" 0 \
	"which who has no old ones cannot read"

# --- the state is lost --------------------------------------------------------------------------
# Who came by DTLS finds out when its session is given up, after a minute and a half.
stop three INT
is "$?" 0 "three ends with status 0"
stop broker KILL 2>/dev/null
rm -rf "$tmp/state"
start_broker "$keys/broker/coapcast.yaml" -v
wait_until 60 has_moves 2 one two
ok $? "the state is lost: both register again"
hear fresh one two
is "$(cat "$tmp"/{one,two,three}.out | grep -c '"via":"multicast".*"verified":false')" 0 \
	"nothing was delivered that was not verified"
for name in one two; do
	stop "$name" INT
	is "$?" 0 "$name ends with status 0"
done
stop_broker
done_testing
