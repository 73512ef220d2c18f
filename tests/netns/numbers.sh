#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# No nonce is used twice (oscore.md sections 0 and 9): an observer that is moved after its
# first answers, kill -9 in the middle of publishing, a clean stop, the state directory lost
# under keys of the configuration, and numbers that are used up. All that was sent under each
# key is in the capture.
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/netns/hall.sh"
. "${srcdir:-.}/tests/netns/pairs.sh"
hall_begin "$@"
shim=$top_builddir/tests/tools/clockstep.so
[ -e "$shim" ] || bail "$shim is not built"
keep_state=1

keys=$tmp/keys
for who in one two three pub; do
	"$coapcast" keygen identity -o "$keys" $who >>"$tmp/made.out" || bail "no keys"
done
"$coapcast" keygen group -o "$keys" --members one,two --join-uri coap://gm.example/hall hall \
	>>"$tmp/made.out" || bail "no keys"
for who in one two; do
	(umask 077 && cat "$keys/$who/$who.yaml" "$keys/$who/hall.yaml" >"$keys/$who/credentials.yaml")
done
for who in three pub; do
	cp -p "$keys/$who/$who.yaml" "$keys/$who/credentials.yaml"
done
cat >"$keys/broker/coapcast.yaml" <<END
listen: [ "coap://[::]:5683" ]
state: { directory: "$tmp/state" }
security: { nosec: allow }
groups:
  - { name: hall, address: 239.255.17.4, interface: eth0, topics: [ hall ], threshold: 2,
      max-age: 2s, oscore: hall }
topics:
  - { name: hall, content-format: 0, initialize: "first" }
  - { name: solo, content-format: 0, initialize: "first" }
END
uri=coap://${host_ip4[b]}
as() { # WHO
	printf '%s\n' --identity "$1" --credentials "$keys/$1/credentials.yaml"
}
listen_to() { # NAME HOST WHO TOPIC
	local with
	mapfile -t with < <(as "$3")
	sub "$1" "$2" "$uri/$4" "${with[@]}"
}
mapfile -t publisher < <(as pub)
say() { # TOPIC VALUE...
	local topic=$1
	shift
	printf '%s\n' "$@" | in_host h4 "$coapcast" pub -l "${publisher[@]}" "$uri/$topic"
}
has_n_moves() { # NAME N
	[ "$(grep -c 'moved to' "$tmp/$1.err")" -ge "$2" ]
}
everybody() { # VALUE
	wait_until 40 has_value "$1" one two solo
	ok $? "all three have: $1"
}

# --- what looks for it finds it ----------------------------------------------------------
is "$(printf '%s\n' "group 01 aa" "group 01 aa" "group 02 aa" "to:h 01 bb" | twice)" "" \
	"the same message again is not another one"
is "$(printf '%s\n' "group 01 aa" "group 02 aa" "group 01 ab" | twice)" "group 01" \
	"another one with the same number is"

# --- moved after its first answers ---------------------------------------------------------
capture_start all b
start_broker "$keys/broker/coapcast.yaml" -v
mapfile -t with < <(as one)
is "$(in_host h1 "$coapcast" get "${with[@]}" "$uri/hall")" first "a plain request is answered"
listen_to one h1 one hall
listen_to solo h3 three solo
wait_until 10 has_value first one solo || bail "nobody observes"
say hall alone
wait_until 10 has_value alone one
ok $? "the only observer is told by itself"
is "$(broker_counter groups observations)" 0 "in no group observation yet"
listen_to two h2 two hall
for name in one two; do
	wait_line "$tmp/$name.err" 'moved to 239\.255\.17\.4:5683 token [0-9a-f]*, protected'
	ok $? "the second one makes a group: $name is moved"
done
say solo moved
say hall moved
everybody moved
capture_start again b
capture_stop all
"$coapcast" decode --config "$keys/broker/coapcast.yaml" "$tmp/all.pcap" >"$tmp/all.txt"
to_one=$(grep -F " > ${host_ip4[h1]}:" "$tmp/all.txt")
like "$to_one" 'oscore=\[\] .*\} 2\.05 [^"]*"first" \[to GET /ps/data/hall\]' \
	"its first answer is under the nonce of its request"
like "$to_one" 'oscore=\[piv=[0-9]+\] .*\} 2\.05 [^"]*observe[^"]*"first" \[to GET /ps/data/hall\]' \
	"that to its registration is not"
like "$to_one" 'oscore=\[piv=[0-9]+\] .*\} 5\.03 .*<informative response' "nor is that which moves it"

# --- lives ------------------------------------------------------------------------------------
# live N SIGNAL: publishes, is ended in the middle of it, and goes on.
live() {
	local i from to
	from=$(wc -l <"$tmp/one.out")
	for topic in hall solo; do
		seq -f "$1-%g" 1 400 >"$tmp/values"
		# shellcheck disable=SC2016 # expanded in there
		spawn "pub-$topic" in_host h4 bash -c 'exec "${@:2}" <"$1"' sh "$tmp/values" \
			"$coapcast" pub -l "${publisher[@]}" "$uri/$topic"
	done
	wait_lines "$tmp/one.out" $((from + 20 + 10 * $1)) || return
	stop broker "$2"
	for topic in hall solo; do
		stop "pub-$topic" KILL
	done 2>/dev/null
	to=$(wc -l <"$tmp/one.out")
	start_broker "$keys/broker/coapcast.yaml" -v
	for topic in hall solo; do
		say "$topic" "after $1"
	done
	echo "# $2 after $((to - from)) values"
	everybody "after $1"
}
for n in 1 2 3 4 5; do
	live $n KILL
done
live 6 TERM
like "$(cat "$tmp"/broker.log)" 'group observation resumed' "the group observation went on"
is "$(grep -c 'moved to' "$tmp/one.err") $(grep -c 'moved to' "$tmp/two.err")" "1 1" \
	"nobody had to register again"
is "$(grep -c 'registered again' "$tmp/solo.err")" 0 "nor had the one that is notified alone"
is "$(grep -c 'could not be verified' "$tmp/one.err")" 0 "and all of it was verified"

# --- the state is lost, under the same keys ---------------------------------------------------
# As if an hour later: that many lives in a row run ahead of 1024 numbers for each second.
COAPCASTD_WRAPPER="$COAPCASTD_WRAPPER env LD_PRELOAD=$shim CLOCKSTEP_FILE=$tmp/step"
COAPCASTD_WRAPPER+=" ASAN_OPTIONS=verify_asan_link_order=0:${ASAN_OPTIONS:-}"
echo 3600 >"$tmp/step"
stop broker KILL
rm -rf "$tmp/state"
start_broker "$keys/broker/coapcast.yaml" -v
# It is forgotten, and would find out after Max-Age.
stop solo KILL 2>/dev/null
listen_to solo h3 three solo
wait_lines "$tmp/solo.out" 1
for topic in hall solo; do
	say "$topic" lost
done
everybody lost
for name in one two; do
	wait_until 60 has_n_moves "$name" 2
	ok $? "$name is moved into the new group observation"
done
say hall found
wait_until 20 has_value found one two
ok $? "and hears what is published"
capture_stop again

# --- what all of it was protected with ----------------------------------------------------------
piv_pairs "$server4" all again >"$tmp/pairs"
is "$(twice <"$tmp/pairs")" "" "no number protected two things"
n_of() { # KEY: how many numbers there were
	grep -E "^$1 " "$tmp/pairs" | cut -d' ' -f2 | sort -u | wc -l
}
echo "# numbers seen: group $(n_of group), to one $(n_of "to:${host_ip4[h1]}")," \
	"to two $(n_of "to:${host_ip4[h2]}"), to solo $(n_of "to:${host_ip4[h3]}")," \
	"of publishers $(n_of "from:${host_ip4[h4]}")"
ok $(($(n_of group) < 100)) "the group's were seen"
ok $(($(n_of "to:${host_ip4[h3]}") < 100)) "a traditional observer's, too"
ok $(($(n_of "to:${host_ip4[h1]}") < 8)) "and those of who was moved"
ok $(($(n_of "from:${host_ip4[h4]}") < 200)) "and those of who publishes"

# --- numbers are used up: the clock of a first start begins 1024 or 2048 before the last one ------
for name in one two solo; do
	stop "$name" INT
done
stop_broker
rm -rf "$tmp/state"
sed -i 's/threshold: 2/threshold: 1/' "$keys/broker/coapcast.yaml"
echo $((1767225600 + (1 << 30) - 3 - $(date +%s))) >"$tmp/step"
capture_start last b
start_broker "$keys/broker/coapcast.yaml" -v
listen_to one h1 one hall
listen_to solo h3 three solo
wait_line "$tmp/one.err" 'moved to .*, protected' || bail "the observer is not moved"
for topic in hall solo; do
	seq -f "$topic-%g" 1 2500 | in_host h4 "$coapcast" pub -l "${publisher[@]}" "$uri/$topic"
	is "$?" 0 "used up, $topic: who publishes is served"
done
wait_until 60 has_value hall-2500 one
ok $? "used up: who was in the group asks, and is answered under the nonces of its requests"
like "$(cat "$tmp/broker.log")" 'the last sequence numbers of a key are in use' "the log says so"
capture_stop last
piv_pairs "$server4" last >"$tmp/pairs"
is "$(twice <"$tmp/pairs")" "" "used up: no number protected two things"
last=$(grep '^group ' "$tmp/pairs" | cut -d' ' -f2 | sort -u | tail -n 1)
is "$last $(grep '^group ' "$tmp/pairs" | cut -d' ' -f2 | grep -cv '^ff')" "ffffffffff 0" \
	"used up: the group's last number is the last there is"
ok $(($(broker_counter groups dropped) < 400)) "what could not be sent is counted"
stop_broker
done_testing
