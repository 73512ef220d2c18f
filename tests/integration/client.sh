#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What users of libcoap's coap-client do with a broker, over IPv4 and IPv6: publish,
# read, subscribe, discover, create and delete topics (coap-pubsub).
. "${srcdir:-.}/tests/lib.sh"
need_coap_client
free_port

cat >"$tmp/coapcast.yaml" <<END
broker: { create-on-publish: true }
listen: [ "coap://[::]:$port" ]
groups:
  - { name: hall, address: 239.255.17.4, port: 61616, interface: lo, topics: [ "hall/*" ] }
topics:
  - { name: demo, content-format: 0, initialize: "hello" }
  - { name: hall/demo, content-format: 0, initialize: "hello" }
  - { name: empty }
END
start_broker "$tmp/coapcast.yaml"

# From here on everything over either address family.
for host in 127.0.0.1 "[::1]"; do
	at=coap://$host:$port

	# --- publish, read ------------------------------------------------------
	value="from $host"
	is "$(client_codes -m put -t 0 -e "$value" "$at/ps/data/demo")" 2.04 "$host: publish"
	is "$(client "$at/ps/data/demo")" "$value" "$host: read"
	is "$(client_codes -N "$at/ps/data/demo")" 2.05 "$host: read, NON"
	is "$(client_codes -A 60 "$at/ps/data/demo")" 4.06 "$host: not to be had as CBOR"
	is "$(client_codes -m put -t 60 -e x "$at/ps/data/demo")" 4.15 "$host: a wrong format"
	is "$(client_codes -m post -e x "$at/ps/data/demo")" 4.05 "$host: no POST to topic data"
	is "$(client_codes "$at/ps/data/nothing")" 4.04 "$host: an unknown topic"
	is "$(client_codes "$at/elsewhere")" 4.04 "$host: an unknown resource"

	# --- subscribe ----------------------------------------------------------
	spawn "sub$host" "$COAP_CLIENT" -w -s 1000 "$at/ps/data/demo"
	wait_lines "$tmp/sub$host.out" 1
	for i in 1 2 3; do
		client -m put -t 0 -e "value $i" "$at/ps/data/demo"
		wait_lines "$tmp/sub$host.out" $((i + 1)) || break
	done
	is "$(cat "$tmp/sub$host.out")" "$value"$'\nvalue 1\nvalue 2\nvalue 3' \
		"$host: subscribe: the current value, then each that is published"
	# coap-client deregisters when it is interrupted, and has to hear of it once more.
	stop "sub$host" INT

	# --- discover -----------------------------------------------------------
	core=$(client "$at/.well-known/core")
	like "$core" '</ps>;rt="core.ps.coll"' "$host: the collection in /.well-known/core"
	like "$core" '</ps/demo>;rt="core.ps.conf"' "$host: a topic"
	like "$core" '</ps/data/demo>;rt="core.ps.data";obs;ct=0(,|$)' "$host: its data"
	like "$core" '</ps/data/hall/demo>;rt="core.ps.data";obs;gp-obs;ct=0(,|$)' \
		"$host: data that may be group-observed"
	is "$(client "$at/.well-known/core?rt=core.ps.coll")" '</ps>;rt="core.ps.coll"' \
		"$host: RFC 6690 4.1, filtered by resource type"
	is "$(client "$at/ps" | tr , '\n' | sort | paste -sd,)" "</ps/demo>,</ps/empty>,</ps/hall/demo>" \
		"$host: the topics of the collection"
	is "$(client_codes "$at/ps/data/empty")" 4.04 "$host: a topic without a value has no data"

	# --- create -------------------------------------------------------------
	# { 0: "made", 2: "core.ps.data", 3: 0 }
	printf '\xa3\x00\x64made\x02\x6ccore.ps.data\x03\x00' >"$tmp/made.cbor"
	answer=$(client -v 6 -m post -t 606 -f "$tmp/made.cbor" -o /dev/null "$at/ps")
	like "$answer" 'c:2\.01 .*Location-Path:ps, Location-Path:made, Content-Format:606' \
		"$host: create a topic by POST"
	is "$(client_codes -m post -t 606 -f "$tmp/made.cbor" "$at/ps")" 4.00 \
		"$host: but not twice"
	is "$(client_codes -m post -t 60 -f "$tmp/made.cbor" "$at/ps")" 4.15 \
		"$host: nor in another format"
	is "$(client_codes "$at/ps/made")" 2.05 "$host: its properties"
	printf '\x81\x00' >"$tmp/keys.cbor" # [ 0 ]
	answer=$(client -m fetch -t 60 -o "$tmp/part.cbor" -f "$tmp/keys.cbor" "$at/ps/made")
	is "$answer $("$packets" -c "$(od -An -v -tx1 "$tmp/part.cbor" | tr -d ' \n')")" \
		' {0: "made"}' "$host: a part of them by FETCH"
	is "$(client_codes "$at/ps/data/made")" 4.04 "$host: half created"
	is "$(client_codes -m put -t 0 -e first "$at/ps/data/made")" 2.01 "$host: its first value"
	is "$(client "$at/ps/data/made")" first "$host: which can be read"
	printf '\xa1\x00\x64made' >"$tmp/filter.cbor"
	is "$(client -m fetch -t 606 -f "$tmp/filter.cbor" "$at/ps")" "</ps/made>" \
		"$host: found by name"

	is "$(client_codes -m put -t 0 -e one "$at/ps/data/new/topic")" 2.01 \
		"$host: created by publishing"
	is "$(client "$at/ps/data/new/topic")" one "$host: with that value"

	# --- delete -------------------------------------------------------------
	spawn "end$host" "$COAP_CLIENT" -w -s 1000 "$at/ps/data/made"
	wait_line "$tmp/end$host.out" first
	is "$(client_codes -m delete "$at/ps/data/made")" 2.02 "$host: delete topic data"
	wait_line "$tmp/end$host.err" 4.04
	ok $? "$host: its subscriber gets a final 4.04"
	stop "end$host" INT
	is "$(client_codes "$at/ps/data/made")" 4.04 "$host: it is gone"
	is "$(client_codes "$at/ps/made")" 2.05 "$host: the topic is not"
	is "$(client_codes -m delete "$at/ps/made")" 2.02 "$host: delete a topic"
	is "$(client_codes "$at/ps/made")" 4.04 "$host: now it is"
	is "$(client_codes -m delete "$at/ps/new/topic")" 2.02 "$host: topic and data at once"
	is "$(client_codes "$at/ps/data/new/topic")" 4.04 "$host: both are gone"
done

stop_broker
done_testing
