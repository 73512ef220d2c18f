#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# SIGHUP: topics, groups, identities, limits and the log level change together or not at
# all, what can go on goes on, and nothing that is published meanwhile is lost.
# coapcastd(8), "SIGNALS". Access rules: access.sh.
. "${srcdir:-.}/tests/lib.sh"
need coap-client-openssl
COAP_CLIENT=coap-client-openssl
free_port
secure=$port
free_port
group_port=$port
free_port
at=coap://127.0.0.1:$port
group="{ name: hall, address: 239.255.17.4, port: $group_port, interface: lo, topics: [ hall ]"
other=${group/239.255.17.4/239.255.17.5}
ident='  - { name: one, psk: { identity: one, key: "text:the first key" } }'
both="$ident"$'\n''  - { name: two, psk: { identity: two, key: "text:another key" } }'

configure() { # GROUPS IDENTITIES LIMITS [TOPICS]
	cat >"$tmp/coapcast.yaml" <<-END
		broker: { create-on-publish: true, limits: { topics: $3 } }
		listen: [ "coap://127.0.0.1:$port", "coaps://127.0.0.1:$secure" ]
		groups: [ $1 ]
		identities:
		$2
		topics:
		  - { name: hall, content-format: 0, initialize: "0" }
		  - { name: plain, content-format: 0, initialize: "0" }
		${4:-}
	END
	chmod 600 "$tmp/coapcast.yaml"
}

n_reloads=0
has_reloads() { # N
	[ "$(grep -cE 'server: reload(ed| failed)' "$tmp/broker.log")" -ge "$1" ]
}
reload() {
	n_reloads=$((n_reloads + 1))
	kill -HUP "${spawned[broker]}"
	wait_until 10 has_reloads "$n_reloads"
	ok $? "$1"
}

configure "$group, threshold: 1 }" "$both" 10
start_broker "$tmp/coapcast.yaml" -v

# --- groups ------------------------------------------------------------------------------
spawn sub "$coapcast" sub -v "$at/hall"
wait_line "$tmp/sub.err" 'moved to.*239\.255\.17\.4'
ok $? "a subscriber in the group"
configure "$group, threshold: 1, max-age: 30s, hops: 2, members: [ 127.0.0.0/8 ] }" "$both" 10
reload "other figures of the group"
is "$(broker_counter groups cancelled)" 0 "are taken up without a word to the subscriber"
"$coapcast" pub -m one "$at/hall"
wait_line "$tmp/sub.out" '^one$'
ok $? "who hears the next publish"
configure "$other, threshold: 1 }" "$both" 10
reload "another address of the group"
wait_line "$tmp/sub.err" 'moved to.*239\.255\.17\.5'
ok $? "the subscriber is in the new one"
is "$(broker_counter groups cancelled)" 1 "and the old one was cancelled"
"$coapcast" pub -m two "$at/hall"
wait_line "$tmp/sub.out" '^two$'
ok $? "it hears the next publish"
configure "" "$both" 10
reload "no group any more"
wait_until 10 counter_is broker observers 1
ok $? "the subscriber observes as others do"
"$coapcast" pub -m three "$at/hall"
wait_line "$tmp/sub.out" '^three$'
ok $? "it hears the next publish"
configure "$group, threshold: 1 }" "$both" 10
reload "a group again"
wait_until 10 counter_is broker observers 0
ok $? "the subscriber is moved there without asking"
"$coapcast" pub -m four "$at/hall"
wait_line "$tmp/sub.out" '^four$'
ok $? "it hears the next publish"

# --- a file that is no good ----------------------------------------------------------------
configure "$group, threshold: 1 }, { name: second, address: 239.255.17.6, interface: none9, topics: [ x ] }" \
	"$both" 10 '  - { name: extra }'
reload "an interface that is not there"
like "$(tail -n 5 "$tmp/broker.log")" 'reload failed, .*second: no interface none9' "is said"
is "$(client_codes "$at/ps/extra")" 4.04 "and nothing of the file is taken up"

# The public half in it is not that of itself taken as a private key.
credential=a108a101a4010103272006215820a09aa5f47a6759802ff955f8dc2d2a14a5c99d23be97f864127ff9383455a4f0
keys=$'oscore-groups:\n  - { name: k, private-key: hex:'${credential:28}", credential: hex:$credential }"
configure "$group, threshold: 1 }" "$both" 10 $'  - { name: extra }\n'"$keys"
reload "a key that does not belong to its credential"
like "$(tail -n 5 "$tmp/broker.log")" \
	'reload failed, .*coapcast\.yaml:[0-9]+:[0-9]+: oscore-groups\[0\]\.private-key: does not' "is named"
is "$(client_codes "$at/ps/extra")" 4.04 "and nothing of the file is taken up"

# --- a file that is being written -----------------------------------------------------------
cp -p "$tmp/coapcast.yaml" "$tmp/whole"
: >"$tmp/coapcast.yaml"
reload "a file that an editor has truncated"
like "$(tail -n 5 "$tmp/broker.log")" 'reload failed, .*the file sets nothing' "is not taken up"
is "$(broker_counter groups observations) $(client "$at/ps/data/hall")" "1 four" \
	"group observations and values are what they were"
printf '# all of it\n---\n# is to come\n' >"$tmp/coapcast.yaml"
reload "one with nothing but comments yet"
like "$(tail -n 5 "$tmp/broker.log")" 'reload failed, .*the file sets nothing' "is no better"
mkdir "$tmp/conf.d"
printf 'log: { level: notice }\n' >"$tmp/conf.d/log.yaml"
reload "one beside a conf.d"
like "$(tail -n 5 "$tmp/broker.log")" 'reload failed, .*the file sets nothing' "neither"
is "$(broker_counter groups observations)" 1 "nothing was taken up"
rm -r "$tmp/conf.d"
cp -p "$tmp/whole" "$tmp/coapcast.yaml"

# --- limits --------------------------------------------------------------------------------
configure "$group, threshold: 1 }" "$both" 3 '  - { name: extra, content-format: 0 }'
reload "a lower limit of topics"
is "$(client_codes -m put -t 0 -e x "$at/ps/data/new")" 5.03 "no topic past it"
configure "$group, threshold: 1 }" "$both" 2
reload "one that is lower than what there is"
is "$(client "$at/ps/data/plain")" 0 "what there is stays"
is "$(client_codes "$at/ps/extra")" 2.05 "even what is no longer in the file"
configure "$group, threshold: 1 }" "$both" 10
reload "a higher one"
is "$(client_codes -m put -t 0 -e x "$at/ps/data/new")" 2.01 "has room for more"

# --- identities ------------------------------------------------------------------------------
for who in one two; do
	key='the first key'
	[ "$who" = one ] || key='another key'
	spawn "$who" "$COAP_CLIENT" -u "$who" -k "$key" -w -s 1000 "coaps://127.0.0.1:$secure/ps/data/plain"
	wait_line "$tmp/$who.out" 0 || bail "$who does not observe"
done
wait_until 10 counter_is broker observers 2
ok $? "two identities observe"
configure "$group, threshold: 1 }" "$ident" 10
reload "one of them is taken away"
wait_until 10 counter_is broker observers 1
ok $? "its observations end"
"$coapcast" pub -m news "$at/plain"
wait_line "$tmp/one.out" news
ok $? "those of the other go on"
is "$(client_codes -u two -k 'another key' "coaps://127.0.0.1:$secure/ps/data/plain")" "" \
	"it cannot come back"
is "$(client_codes -u one -k 'the first key' "coaps://127.0.0.1:$secure/ps/data/plain")" 2.05 \
	"the other can"
stop one INT
stop two INT
configure "$group, threshold: 1 }" "$ident
  - { name: three, oscore: { sender-id: hex:01, recipient-id: hex:02, master-secret: text:x } }" 10
reload "keys of OSCORE are new"
configure "$group, threshold: 1 }" "$ident" 10
reload "and gone"
is "$(grep -c 'a restart is needed' "$tmp/broker.log")" 0 "no restart is needed for any of it"

# --- the level of the log: -v adds one to it -------------------------------------------------------
configure "$group, threshold: 1 }" "$ident" 10 '  - { name: silent, content-format: 0, initialize: "0" }
log: { level: error }'
n_lines=$(wc -l <"$tmp/broker.log")
kill -HUP "${spawned[broker]}"
is_silent() {
	[ "$(client_codes "$at/ps/data/silent")" = 2.05 ]
}
wait_until 10 is_silent
"$coapcast" pub -m quiet "$at/plain"
configure "$group, threshold: 1 }" "$ident" 10 'log: { level: notice }'
reload "the level of the log"
is "$(tail -n "+$((n_lines + 1))" "$tmp/broker.log" | grep -v 'server: reloaded' | head -n 1)" "" \
	"a higher one is silent"
is "$(grep -c 'server: reloaded' <(tail -n "+$((n_lines + 1))" "$tmp/broker.log"))" 1 \
	"of two reloads one is told"

# --- under load ----------------------------------------------------------------------------------
# The subscriber of before is in the group; another one observes as others do.
spawn plain "$COAP_CLIENT" -w -s 1000 "$at/ps/data/plain"
wait_line "$tmp/plain.out" quiet || bail "the traditional one does not observe"
for topic in hall plain; do
	seq -f "$topic %g" 1 2000 >"$tmp/values.$topic"
	# shellcheck disable=SC2016 # expanded in there
	spawn "pub-$topic" bash -c '"$1" pub -l "$2" <"$3"' sh "$coapcast" "$at/$topic" "$tmp/values.$topic"
done
for i in {1..20}; do
	n_reloads=$((n_reloads + 1))
	configure "$group, max-age: ${i}0s, threshold: $((i % 3 + 1)) }" "$both" $((i + 5)) \
		"  - { name: more/$i, content-format: 0, initialize: \"\" }"
	kill -HUP "${spawned[broker]}"
	wait_until 10 has_reloads "$n_reloads" || break
done
is "$i" 20 "20 reloads while there are publishes"
finish pub-hall 60
is $? 0 "every publish to the group's topic is acknowledged"
finish pub-plain 60
is $? 0 "and every one to the other"
wait_line "$tmp/sub.out" '^hall 2000$' && wait_line "$tmp/plain.out" 'plain 2000'
ok $? "both subscribers have the newest value"
is "$(grep '^hall ' "$tmp/sub.out" | uniq)" "$(cat "$tmp/values.hall")" \
	"the one in the group has seen all of them, in order"
is "$(tr -s '\n' <"$tmp/plain.out" | grep -o 'plain [0-9]*' | uniq | sort -c -n -k 2 2>&1)" "" \
	"the other in order"
grep "reload failed" "$tmp/broker.log" | tail -n 3 | comment
is "$(grep -c 'reload failed' "$tmp/broker.log")" 5 "no other reload failed"
stop plain INT
stop sub INT
stop_broker
done_testing
