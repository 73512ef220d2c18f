#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# RFC 7959: 100 kB go to the broker and come back with coap-client, whole.
. "${srcdir:-.}/tests/lib.sh"
need_coap_client
free_port

cat >"$tmp/coapcast.yaml" <<END
broker: { limits: { payload: 101K } }
listen: [ "coap://[::]:$port" ]
topics:
  - { name: big }
END
start_broker "$tmp/coapcast.yaml"

same() { # FILE FILE NAME
	cmp -s "$1" "$2"
	ok $? "$3"
}

for host in 127.0.0.1 "[::1]"; do
	at=coap://$host:$port/ps/data/big
	for size in 1024 256 16; do
		head -c 100000 /dev/urandom >"$tmp/sent"
		rm -f "$tmp/got"
		client -b "$size" -m put -f "$tmp/sent" "$at"
		client -b "$size" -o "$tmp/got" "$at"
		same "$tmp/sent" "$tmp/got" "$host: 100 kB there and back in blocks of $size"
		rm -f "$tmp/got"
		client -o "$tmp/got" "$at"
		same "$tmp/sent" "$tmp/got" "$host: and back in blocks of the broker's choice"
	done

	# A notification has the first block; the rest is fetched (RFC 7959 2.6).
	spawn "sub$host" "$COAP_CLIENT" -s 1000 -o "$tmp/observed" "$at"
	got_it() { tail -c "$(stat -c %s "$tmp/sent")" "$tmp/observed" | cmp -s "$tmp/sent"; }
	wait_until 10 got_it
	ok $? "$host: Observe with Block2, the current value"
	head -c 5000 /dev/urandom >"$tmp/sent"
	client -m put -f "$tmp/sent" "$at"
	wait_until 10 got_it
	ok $? "$host: Observe with Block2, a notification"
	stop "sub$host" INT

	head -c 103425 /dev/urandom >"$tmp/large" # one more than 101 KiB
	like "$(client_codes -b 1024 -m put -f "$tmp/large" "$at" | tail -n 1)" 4.13 \
		"$host: more than the limit is refused"
	client -o "$tmp/got" "$at"
	same "$tmp/sent" "$tmp/got" "$host: and changes nothing"
	rm -f "$tmp/observed"
done

stop_broker
done_testing
