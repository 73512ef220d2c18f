#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A reload takes members of a self-managed group their identity, their right or their keys:
# what is published from then on they cannot read, and the others go on without a break.
# SECURITY.md, "What is promised".
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/netns/hall.sh"
. "${srcdir:-.}/tests/netns/keyed.sh"
hall_begin "$@"
head -c 32 /dev/urandom >"$tmp/key"

three='  - { name: three, psk: { identity: three, key: "text:the key" } }'
{
	echo "identities:"
	identity one 01 1
	identity two 02 1
	identity four 04 1
	identity pub 05 1
	echo "$three"
} >"$tmp/credentials.yaml"

# configure MAY-SUBSCRIBE LINES-OF-IDENTITIES
configure() {
	cat >"$tmp/coapcast.yaml" <<-END
		listen: [ "coap://[::]:5683", "coaps://[::]:5684" ]
		security: { nosec: deny }
		groups:
		  - { name: hall, address: 239.255.17.4, interface: eth0, topics: [ demo ], threshold: 1,
		      max-age: 1h, oscore: hall }
		oscore-groups: [ { name: hall, private-key: "file:key" } ]
		topics:
		  - { name: demo, content-format: 0, initialize: "first" }
		  - { name: side, content-format: 0, initialize: "first" }
		access:
		  - { who: "$1", topics: demo, may: [ discover, read, subscribe ] }
		  - { who: "*", topics: side, may: [ discover, read, subscribe ] }
		  - { who: pub, topics: "*", may: [ discover, publish ] }
		identities:
		$(identity one 01 0)
		$(identity pub 05 0)
		$2
	END
}
two=$(identity two 02 0)
four=$(identity four 04 0)
all="$two"$'\n'"$three"$'\n'"$four"
n_reloads=0
has_reloads() { # N
	[ "$(grep -c 'server: reloaded' "$tmp/broker.log")" -ge "$1" ]
}
reload() {
	n_reloads=$((n_reloads + 1))
	kill -HUP "${spawned[broker]}"
	wait_until 10 has_reloads "$n_reloads" || bail "no reload"
}
n_revoked() {
	grep -c 'oscore: keys revoked oscore-group=hall' "$tmp/broker.log"
}

member() { # NAME HOST [SCHEME]
	sub "$1" "$2" "${3:-coap}://${host_ip4[b]}/demo" --json --identity "$1" \
		--credentials "$tmp/credentials.yaml"
	wait_line "$tmp/$1.err" 'moved to 239\.255\.17\.4:5683 .*, protected'
	ok $? "$1 is moved"
}
say() {
	in_host h5 "$coapcast" pub -m "$1" --identity pub --credentials "$tmp/credentials.yaml" \
		"coap://${host_ip4[b]}/demo"
}
# hear VALUE VIA NAME...: verified, but for what a DTLS session has by unicast.
hear() {
	local value=$1 via=$2 name verified=true
	shift 2
	[ "$via" = multicast ] || verified='(true|false)'
	say "$value"
	for name; do
		wait_line "$tmp/$name.out" "\"payload\":\"$value\".*\"via\":\"$via\".*\"verified\":$verified"
		ok $? "$name: has $value"
	done
}
any='(unicast|informative|multicast)'

configure '*' "$all"
start_broker "$tmp/coapcast.yaml" -v
capture_start all b
member one h1
member two h2
member three h3 coaps
hear before multicast one two three

# --- nothing is taken away ---------------------------------------------------------------
configure '*' "$all
  - { name: five, psk: { identity: five, key: \"text:another key\" } }"
reload
is "$(n_revoked)" 0 "one more identity revokes nothing"
configure '*' "$all"
sed -i 's/who: pub, topics: "\*"/who: pub, topics: demo/' "$tmp/coapcast.yaml"
reload
# It might have had the keys, whether or not it ever asked.
is "$(n_revoked)" 1 "one less does"
for name in one two three; do
	wait_until 10 has_line "$tmp/$name.err" 'the group observation was cancelled'
	ok $? "$name: hears that the group observation is over"
done
wait_until 10 counter_is groups moved 6
ok $? "and all three are in the next one"
hear settled multicast one two three

# --- an identity is taken away -------------------------------------------------------------
configure '*' "$three
$four"
reload
hear gone-1 "$any" one three
is "$(n_revoked)" 2 "an identity that is gone revokes the keys"
wait_line "$tmp/two.err" 'did not take the protected request: 4\.01 Security context not found' 20
ok $? "it finds out that nobody knows its keys any more"
wait_until 10 counter_is groups moved 8
ok $? "the two others are in the next group observation"
hear gone-2 multicast one three
hear gone-3 multicast one three
is "$(grep -c gone "$tmp/two.out")" 0 "who is gone has none of it"
stop two INT

# --- a right is taken away -----------------------------------------------------------------
member four h4
hear four multicast one three four
configure 'o*' "$three
$four"
reload
hear right-1 "$any" one
is "$(n_revoked)" 3 "so does a right that is gone"
for name in three four; do
	finish "$name"
	is "$?" 4 "$name: is refused from then on"
	is "$(grep -c right "$tmp/$name.out")" 0 "$name: and has none of it"
done
wait_until 10 counter_is groups moved 10
ok $? "who may is in the next group observation"
hear right-2 multicast one

# --- other keys ----------------------------------------------------------------------------
configure '*' "$all"
reload
is "$(n_revoked)" 3 "a right that is given revokes nothing"
member two h2
hear back multicast one two
configure '*' "$(identity two 02 0 others)
$three
$four"
reload
hear keys-1 "$any" one
is "$(n_revoked)" 4 "so do other keys under the same name"
counter_is oscore keys-revoked 4
ok $? "which is what the figures tell"
wait_line "$tmp/two.err" 'did not take the protected request: 4\.00 Decryption failed' 20
ok $? "the old ones are nobody's"
stop two INT
wait_until 10 counter_is groups moved 12
ok $? "the other one goes on"
hear keys-2 multicast one

is "$(sed -n 's/.*"missed":\([0-9]*\).*/\1/p' "$tmp/one.out" | sort -u)" 0 \
	"who stayed missed nothing in all that"

# --- after a restart the new keys are the ones that hold --------------------------------------
wait_until 10 counter_is store waiting 0
stop broker KILL 2>/dev/null
start_broker "$tmp/coapcast.yaml" -v
hear restarted multicast one
is "$(grep -c 'moved to' "$tmp/one.err")" 5 "after kill -9 nobody has to register again"
is "$(n_revoked)" 0 "nor are there other keys"

# --- what is taken away while the broker is down ----------------------------------------------
n_reloads=0
configure '*' "$all"
reload
is "$(n_revoked)" 1 "they get their first keys back: the others are gone"
member two h2
wait_until 10 counter_is groups moved 2
ok $? "and one is with it"
hear both multicast one two
stop_broker
configure '*' "$three
$four"
start_broker "$tmp/coapcast.yaml" -v
is "$(n_revoked)" 1 "an identity that is gone since revokes the keys at the start"
hear down-1 "$any" one
wait_until 10 counter_is groups moved 1
ok $? "who stayed is in the next group observation"
hear down-2 multicast one
is "$(grep -c down "$tmp/two.out")" 0 "who is gone has none of it"
stop two INT
wait_until 10 counter_is store waiting 0
stop broker KILL 2>/dev/null
configure 't*' "$three
$four"
start_broker "$tmp/coapcast.yaml" -v
is "$(n_revoked)" 1 "so does a right"
finish one
is "$?" 4 "who lost it is refused"
stop_broker
start_broker "$tmp/coapcast.yaml" -v
is "$(n_revoked)" 0 "nothing more is gone at the next start"
capture_stop all

# --- what each of them could read of what was on the network ----------------------------------
reads() { # NAME: values in notifications that its keys open
	{
		echo identities:
		sed -n "/name: $1,/p" "$tmp/credentials.yaml"
	} >"$tmp/$1.yaml"
	"$coapcast" decode --credentials "$tmp/$1.yaml" "$tmp/all.pcap" |
		sed -nE 's/.* > 239\.255\.17\.4:5683 NON .*signature verified\} 2\.05 .* "([^"]*)" .*/\1/p' |
		uniq | paste -sd' '
}
like "$(reads one)" '^before settled .*gone-2 gone-3 four .*right-2 back .*keys-2 restarted both .*down-2$' \
	"who stayed can read all of it"
is "$(reads two)" "before settled back both" "who was taken away reads what came before"
like "$(reads four)" '^four$' "and so does who lost its right"
"$coapcast" decode --credentials "$tmp/one.yaml" "$tmp/all.pcap" >"$tmp/all.txt"
is "$(grep -F ' > 239.255.17.4:5683 ' "$tmp/all.txt" | grep -c 'informative response')" 0 \
	"the new keys were not told under the old ones"
stop_broker
done_testing
