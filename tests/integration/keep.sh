#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What outlives a restart, clean and not: topics, properties, values, ETags and observe
# numbers. A state that cannot be had ends the daemon with 74, a damaged one is set aside,
# and while the disk is full changes are refused. coapcast.yaml(5), "state".
. "${srcdir:-.}/tests/lib.sh"
need_coap_client
free_port
at=coap://127.0.0.1:$port/ps/data
uri=coap://127.0.0.1:$port

cat >"$tmp/coapcast.yaml" <<END
broker: { create-on-publish: true }
state: { directory: db }
listen: [ "coap://127.0.0.1:$port" ]
topics:
  - { name: demo, content-format: 0, initialize: "hello" }
END
state=$tmp/db

# restart [SIGNAL]: the broker, once what was published is a second old or kept at a stop.
restart() { # SIGNAL
	if [ "$1" = KILL ]; then
		stop broker KILL
	else
		stop_broker
	fi
	start_broker "$tmp/coapcast.yaml" -v
}

start_broker "$tmp/coapcast.yaml" -v
is "$(client "$at/demo")" hello "the first value is the configuration's"
is "$(stat -c %a "$state")" 700 "the state is nobody else's"
"$coapcast" pub -m one "$uri/demo"
client -m put -t 50 -e '{"a":1}' "$at/made/by/put"
"$coapcast" topic create --type lamp --max-subscribers 7 --ct 0 "$uri/lamp" >/dev/null
shown=$("$coapcast" topic show "$uri/lamp")
like "$shown" 'lamp' "a topic with properties"

for signal in TERM KILL; do
	"$coapcast" pub -m "before $signal" "$uri/demo"
	wait_until 10 counter_is store waiting 0
	ok $? "$signal: the publish is written"
	restart "$signal"
	is "$(client "$at/demo")" "before $signal" "$signal: the newest value is there"
	is "$(client "$at/made/by/put")" '{"a":1}' "$signal: the topic that a publish made"
	is "$("$coapcast" topic show "$uri/lamp")" "$shown" "$signal: a topic's properties"
done

# --- the database elsewhere, behind a symbolic link -----------------------------------------
stop_broker
mkdir "$tmp/elsewhere"
mv "$state/coapcast.db" "$tmp/elsewhere/real.db"
ln -s ../elsewhere/real.db "$state/coapcast.db"
keep_state=yes start_broker "$tmp/coapcast.yaml" -v
"$coapcast" pub -m "behind a link" "$uri/demo"
restart TERM
is "$(client "$at/demo")" "behind a link" "a link: what is behind it is used"
is "$(readlink "$state/coapcast.db") $(grep -c 'was lost' "$tmp/broker.log")" "../elsewhere/real.db 0" \
	"and nothing is said to be lost"

# --- a second daemon, and directories that are none --------------------------------------
free_port
sed "s/127.0.0.1:[0-9]*/127.0.0.1:$port/" "$tmp/coapcast.yaml" >"$tmp/second.yaml"
status=0
timeout 20 "$coapcastd" -c "$tmp/second.yaml" 2>"$tmp/second.err" || status=$?
is "$status" 74 "a second daemon with the same state: 74"
like "$(cat "$tmp/second.err")" 'another coapcastd keeps its state here' "and why"
: >"$tmp/file"
sed "s|directory: db|directory: file/db|" "$tmp/second.yaml" >"$tmp/third.yaml"
status=0
timeout 20 "$coapcastd" -c "$tmp/third.yaml" 2>"$tmp/third.err" || status=$?
is "$status" 74 "a directory that cannot be made: 74"
like "$(cat "$tmp/third.err")" 'Not a directory' "and why"

mkdir "$tmp/pipes"
mkfifo "$tmp/pipes/coapcast.db"
sed "s|directory: db|directory: pipes|" "$tmp/second.yaml" >"$tmp/fourth.yaml"
status=0
timeout 20 "$coapcastd" -c "$tmp/fourth.yaml" 2>"$tmp/fourth.err" || status=$?
is "$status" 74 "a database that is a pipe: 74, and no waiting for it"
like "$(cat "$tmp/fourth.err")" 'coapcast.db: not a file' "and why"

# --- damage ------------------------------------------------------------------------------
for damage in flip cut; do
	stop_broker
	rm -f "$state"/*.bad*
	size=$(stat -c %s "$state/coapcast.db")
	if [ "$damage" = flip ]; then
		printf 'x' | dd of="$state/coapcast.db" bs=1 seek=$((size / 2 / 4096 * 4096)) \
			conv=notrunc 2>/dev/null
	else
		size=$((size - 4096 - 1000))
		truncate -s "$size" "$state/coapcast.db"
	fi
	start_broker "$tmp/coapcast.yaml" -v
	like "$(cat "$tmp/broker.log")" 'the state was damaged.*aside=.*coapcast.db.bad' \
		"$damage: damage is said"
	is "$(stat -c %s "$state/coapcast.db.bad")" "$size" "$damage: the damaged database is kept"
	is "$(client "$at/demo")" hello "$damage: and started anew"
	is "$(client_codes -m put -t 0 -e "after $damage" "$at/demo")" 2.04 "$damage: which works"
	wait_until 10 counter_is store waiting 0
done
stop_broker

# --- an empty one: nothing to set aside, but no first start ----------------------------------
: >"$state/coapcast.db"
start_broker "$tmp/coapcast.yaml" -v
like "$(cat "$tmp/broker.log")" \
	'the state is lost, everything starts anew: .*coapcast.db: has nothing in it' \
	"empty: that all is lost is said"
is "$(client "$at/demo")" hello "empty: and started anew"
is "$(client_codes -m put -t 0 -e "after that" "$at/demo")" 2.04 "empty: which works"
stop_broker

# --- one that a newer version made: it knows what to do with it, this one does not -------------
number() { # OFFSET: 32 bits of the header
	od -An -tu4 --endian=big -j "$1" -N 4 "$state/coapcast.db" | tr -d ' '
}
put_number() { # OFFSET VALUE
	printf '%b' "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $(($2 >> 24 & 255)) \
		$(($2 >> 16 & 255)) $(($2 >> 8 & 255)) $(($2 & 255)))" |
		dd of="$state/coapcast.db" bs=1 seek="$1" conv=notrunc status=none
}
version=$(number 60)
put_number 60 $((version + 1))
put_number 68 $(($(number 68) + 1))
before=$(cd "$state" && sha256sum ./*)
status=0
timeout 20 "$coapcastd" -c "$tmp/coapcast.yaml" 2>"$tmp/newer.err" || status=$?
is "$status" 74 "a newer version's: 74"
like "$(cat "$tmp/newer.err")" \
	"made by a newer coapcastd \\(version $((version + 1)), this one knows $version\\)" "and why"
is "$(cd "$state" && sha256sum ./*)" "$before" "nothing of it is touched, and nothing made beside it"
put_number 60 "$version"
put_number 68 $(($(number 68) - 1))
start_broker "$tmp/coapcast.yaml" -v
is "$(client "$at/demo")" "after that" "the newer version would find all of it"
stop_broker
done_testing
