#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# RFC 7959 2.6: coap-client observes a topic of 60 kB block by block. Every notification's
# whole body is compared: what it wrote is the values, one behind the other.
. "${srcdir:-.}/tests/lib.sh"
need_coap_client
free_port

cat >"$tmp/coapcast.yaml" <<END
listen: [ "coap://[::]:$port" ]
topics:
  - { name: big }
END
start_broker "$tmp/coapcast.yaml"

# publish BYTES: a value nobody has seen, which is what the subscriber is to get next.
publish() {
	head -c "$1" /dev/urandom >"$tmp/sent"
	client -b 1024 -m put -f "$tmp/sent" "$at"
	cat "$tmp/sent" >>"$tmp/wanted"
}

got_all() {
	cmp -s "$tmp/wanted" "$tmp/observed"
}

all_came() { # NAME
	local rc=0
	wait_until 20 got_all || rc=$?
	ok "$rc" "$1"
	if [ "$rc" -ne 0 ]; then
		cmp "$tmp/wanted" "$tmp/observed" 2>&1 | comment
		stat -c '%n has %s bytes' "$tmp/wanted" "$tmp/observed" 2>&1 | comment
	fi
}

for host in 127.0.0.1 "[::1]"; do
	at=coap://$host:$port/ps/data/big
	for size in 1024 256 64; do
		: >"$tmp/wanted"
		rm -f "$tmp/observed"
		publish 60000
		spawn sub "$COAP_CLIENT" -s 1000 -b "$size" -o "$tmp/observed" "$at"
		all_came "$host, blocks of $size: the current 60,000 bytes"
		for n in 1 2 3; do
			publish 60000
			all_came "$host, blocks of $size: notification $n, 60,000 bytes"
		done
		# The number of blocks changes, down to one; the last one is full, or has one byte.
		for bytes in 59392 1025 20 60001; do
			publish "$bytes"
			all_came "$host, blocks of $size: a notification of $bytes bytes"
		done
		stop sub INT
	done
done

stop_broker
done_testing
