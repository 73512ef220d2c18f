#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# coapcast topic create, show, set and rm against the real daemon, and what the properties
# do there: coap-pubsub 2.4.3, 2.5 and what they say about max-subscribers, expiration-date,
# observer-check and topic-content-format.
. "${srcdir:-.}/tests/lib.sh"
free_port
uri=coap://127.0.0.1:$port

cat >"$tmp/coapcast.yaml" <<END
listen: [ "coap://[::]:$port" ]
topics:
  - { name: demo, content-format: 0, initialize: "hello" }
  - { name: "data/odd one", initialize: "x", content-format: 0 }
END
start_broker "$tmp/coapcast.yaml"

# exits STATUS NAME COMMAND...: its exit status; nothing on stdout, and a line on stderr when it failed.
exits() {
	local wanted=$1 name=$2 rc=0
	shift 2
	"$@" >"$tmp/out" 2>"$tmp/err" </dev/null || rc=$?
	is "$rc" "$wanted" "$name"
	is "$(cat "$tmp/out")" "" "$name: nothing on stdout"
	if [ "$wanted" -ne 0 ]; then
		like "$(cat "$tmp/err")" '^(coapcast|usage): ' "$name: a line on stderr"
	fi
}

# --- create, show ---------------------------------------------------------------------------
exits 0 "topic create" "$coapcast" topic create "$uri/room/1"
is "$("$coapcast" topic show "$uri/room/1")" "name: room/1
topic: /ps/room/1
data: /ps/data/room/1" "topic show"
exits 4 "it is half created" "$coapcast" get "$uri/room/1"
is "$("$coapcast" topic create --json --ct 60 --type temperature --expires 2100-01-01T00:00:00Z \
	--max-subscribers 7 --observer-check 600 --initialize hex:80ff "$uri/room/2")" \
	'{"topic":"room/2","path":"/ps/room/2","data":"/ps/data/room/2","content_format":60,"type":"temperature","expires":4102444800,"max_subscribers":7,"observer_check":600,"initialize":"gP8=","encoding":"base64"}' \
	"topic create --json with every property"
is "$("$coapcast" topic show "$uri/room/2")" "name: room/2
topic: /ps/room/2
data: /ps/data/room/2
content-format: 60
type: temperature
expires: 2100-01-01T00:00:00Z
max-subscribers: 7
observer-check: 600
initialize: hex:80ff" "topic show with every property"
# What is shown is what --initialize takes, whatever it is.
for value in plain hex:80ff text:hex:80 "text: x " 'text:a\x0a' $'text:a\nb'; do
	exits 0 "initialize $value" "$coapcast" topic create --ct 0 --initialize "$value" "$uri/first"
	shown=$("$coapcast" topic show "$uri/first" | sed -n 's/^initialize: //p')
	"$coapcast" get "$uri/first" >"$tmp/value"
	"$coapcast" topic rm "$uri/first"
	"$coapcast" topic create --ct 0 --initialize "$shown" "$uri/first"
	"$coapcast" get "$uri/first" | cmp -s "$tmp/value" -
	ok $? "is shown as $shown, which makes the same"
	"$coapcast" topic rm "$uri/first"
done
is "$("$coapcast" ls --json "$uri/ps?href=/ps/room/2" | grep -c initialize)" 0 "ls does not show it"
is "$("$coapcast" get "$uri/room/2" | od -An -tx1)" " 80 ff" "it has its first value"
is "$("$coapcast" topic show --json "coap://[::1]:$port/ps/data/room/2")" \
	"$("$coapcast" topic show --json "$uri/room/2")" "topic show by the URI of the data"
is "$("$coapcast" topic show "$uri/data/odd%20one" | head -n 1)" "name: data/odd one" \
	"topic show of a topic whose path is generated"
odd=$("$coapcast" topic show "$uri/data/odd%20one" | sed -n 's/^data: //p')
is "$("$coapcast" topic show "$uri$odd" | head -n 1)" "name: data/odd one" \
	"topic show by the URI of its data"
exits 0 "topic create by a URI of data" "$coapcast" topic create "$uri/ps/data/x/y"
is "$("$coapcast" topic show "$uri/x/y" | head -n 1)" "name: x/y" "which gives its name"

# --- set ---------------------------------------------------------------------------------------
exits 0 "topic set" "$coapcast" topic set --type humidity --max-subscribers 2 "$uri/room/2"
like "$("$coapcast" topic show --json "$uri/room/2")" \
	'"content_format":60,"type":"humidity","expires":4102444800,"max_subscribers":2,"observer_check":600' \
	"topic set leaves the others"
is "$("$coapcast" topic set --replace --ct 0 --json "$uri/room/2")" \
	'{"topic":"room/2","path":"/ps/room/2","data":"/ps/data/room/2","content_format":0}' \
	"topic set --replace resets them"
exits 4 "a publish in the old Content-Format" "$coapcast" pub --ct 60 -m x "$uri/room/2"
like "$(cat "$tmp/err")" '4\.15' "which says so"
exits 0 "and one in the new" "$coapcast" pub --ct 0 -m x "$uri/room/2"

# --- what they do --------------------------------------------------------------------------------
exits 0 "max-subscribers" "$coapcast" topic set --max-subscribers 1 "$uri/demo"
spawn first "$coapcast" sub -v "$uri/demo"
wait_line "$tmp/first.out" hello
ok $? "the first subscriber is registered"
rc=0
"$coapcast" sub -C 2 -W 1 "$uri/demo" >"$tmp/out" 2>"$tmp/err" || rc=$?
like "$rc" '^[13]$' "the second is not"
exits 0 "max-subscribers lowered" "$coapcast" topic set --max-subscribers 0 "$uri/demo"
rc=0
finish first || rc=$?
is "$rc" 4 "ends the subscription with 4.04"
like "$(cat "$tmp/first.err")" '4\.04' "which is told"
exits 0 "and without" "$coapcast" topic set --replace --ct 0 "$uri/demo"
is "$("$coapcast" sub -C 1 -W 5 "$uri/demo")" hello "anybody may subscribe again"

exits 0 "a topic that stays" "$coapcast" topic create --ct 0 --initialize soon "$uri/soon"
spawn last "$coapcast" sub "$uri/soon"
wait_line "$tmp/last.out" soon
ok $? "it is there"
exits 0 "expiration-date" "$coapcast" topic set --expires +2s "$uri/soon"
rc=0
finish last || rc=$?
is "$rc" 4 "when it comes the subscription ends with 4.04"
exits 4 "and the topic is gone" "$coapcast" topic show "$uri/soon"
like "$(broker_counter broker expired)" '^1$' "which is counted"

exits 0 "observer-check" "$coapcast" topic set --observer-check 1 "$uri/demo"
before=$(broker_counter broker notifications-con)
spawn checked "$coapcast" sub "$uri/demo"
wait_line "$tmp/checked.out" hello
is_checked() {
	[ "$(broker_counter broker notifications-con)" -ge $((before + 2)) ]
}
wait_until 10 is_checked
ok $? "is made by confirmable notifications, without a publish"
is "$(cat "$tmp/checked.out")" hello "which are not printed"
stop checked INT

# --- the same byte by byte: the examples of coap-pubsub 2.5.2 to 2.5.4 ---------------------------------
# answers MESSAGE...: what one peer is answered, without addresses and ETags.
answers() {
	"$talk" "127.0.0.1:$port" "$@" |
		sed -n 's/^< [^ ]* ack \([0-9.]*\) mid=[0-9a-f]*/\1/p' | sed 's/ etag=[0-9a-f]*//'
}
exits 0 "a topic for them" "$coapcast" topic create --ct 112 "$uri/s"
is "$(answers "con ipatch /ps/s format=606 hex=a20464746573740605")" \
	'2.04 format=606 {0: "s", 1: "/ps/data/s", 2: "core.ps.data", 3: 112, 4: "test", 6: 5}' \
	"2.5.4: iPATCH"
is "$(answers "con fetch /ps/s format=60 hex=820103")" \
	'2.05 format=606 {1: "/ps/data/s", 3: 112}' "2.5.2: FETCH"
is "$(answers "con post /ps/s format=606 hex=a1031870")" \
	'2.04 format=606 {0: "s", 1: "/ps/data/s", 2: "core.ps.data", 3: 112}' \
	"2.5.3: POST"
is "$(answers "con post /ps/s format=606 hex=a1006178" "con ipatch /ps/s format=606 hex=a10410" \
	"con ipatch /ps/s format=606 hex=a1047b7fffffffffffffff" "con ipatch /ps/s format=606" |
	sed 's/ .*//' | sort -u)" 4.00 "another name, a wrong type, a huge length, nothing: 4.00"
is "$(answers "con fetch /ps/s format=60 hex=820103")" \
	'2.05 format=606 {1: "/ps/data/s", 3: 112}' "and nothing changed"

# --- rm, failures ------------------------------------------------------------------------------------
exits 0 "topic rm" "$coapcast" topic rm "$uri/room/1"
exits 4 "topic rm of what is gone" "$coapcast" topic rm "$uri/room/1"
exits 4 "topic show of what is gone" "$coapcast" topic show "$uri/room/1"
exits 4 "topic set of what is gone" "$coapcast" topic set --type x "$uri/room/1"
exits 4 "topic create of what is there" "$coapcast" topic create "$uri/demo"
like "$(cat "$tmp/err")" '4\.00.*in use' "which says so"
exits 4 "a date that has passed" "$coapcast" topic set --expires 2020-01-01 "$uri/demo"
exits 4 "initialize without a format" "$coapcast" topic create --initialize x "$uri/z"
exits 4 "a very long type" "$coapcast" topic create --type "$(printf %0256d 0)" "$uri/z"
exits 2 "bytes that are none" "$coapcast" topic create --ct 0 --initialize hex:8 "$uri/z"
exits 2 "a day that is none" "$coapcast" topic set --expires 2030-02-30 "$uri/demo"
exits 2 "nor is this" "$coapcast" topic set --expires 2030-04-31T00:00:00Z "$uri/demo"
exits 2 "nothing to set" "$coapcast" topic set "$uri/demo"
exits 2 "no topic" "$coapcast" topic create "$uri"
exits 2 "no such command" "$coapcast" topic frobnicate "$uri/demo"
exits 2 "half a command" "$coapcast" topic
stop_broker

# --- another collection, no broker ---------------------------------------------------------------------
cat >"$tmp/other.yaml" <<END
broker: { collection: /topics }
listen: [ "coap://127.0.0.1:$port" ]
END
start_broker "$tmp/other.yaml"
exits 0 "another collection: create" "$coapcast" topic create "$uri/t"
is "$("$coapcast" topic show "$uri/t" | sed -n 2p)" "topic: /topics/t" "another collection: show"
is "$("$coapcast" topic show "$uri/topics/data/t" | sed -n 2p)" "topic: /topics/t" \
	"another collection: show by the URI of the data"
exits 0 "another collection: rm" "$coapcast" topic rm "$uri/t"
stop_broker
exits 1 "nobody there: the port is closed" "$coapcast" topic create -W 0.3 "$uri/t"
done_testing
