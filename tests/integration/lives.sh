#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Observe numbers rise over kills that follow each other so fast that nothing of the life
# between them reached the disk (tests/tools/disk.h). RFC 7641 4.4: "strictly increasing".
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/disk.sh"
free_port
server=127.0.0.1:$port
free_port
me=127.0.0.1:$port

cat >"$tmp/coapcast.yaml" <<END
state: { commit-interval: 60s }
listen: [ "coap://$server" ]
topics:
  - { name: demo, content-format: 0, initialize: "hello" }
END

# The Observe number that a registration is told after a publish.
number() { # VALUE
	"$talk" -a "$me" "$server" "con put /ps/data/demo format=0 text=$1" >/dev/null
	"$talk" -a "$me" "$server" "con get token=01 observe=0 /ps/data/demo" |
		sed -n 's/^< .* observe=\([0-9]*\) .*/\1/p'
}

rises() { # FROM TO, of 24 bits
	local ahead=$((($2 - $1) & 0xffffff))
	[ "$ahead" -gt 0 ] && [ "$ahead" -lt $((1 << 23)) ]
}

keep_state=yes
start_on_disk "$tmp/coapcast.yaml"
last=$(number first)
like "$last" '^[0-9]+$' "a number"
wait_until 10 counter_is store waiting 0
stop broker KILL
for life in 1 2 3; do
	start_on_disk "$tmp/coapcast.yaml"
	wait_until 10 counter_is store waiting 0
	disk_fault enospc
	next=$(number "life-$life")
	rises "$last" "$next"
	ok $? "life $life: a higher number ($last, $next)"
	last=$next
	stop broker KILL
	rm -f "$tmp/fault"
done
start_on_disk "$tmp/coapcast.yaml"
next=$(number last)
rises "$last" "$next"
ok $? "a higher one at last ($last, $next)"
stop_broker
start_on_disk "$tmp/coapcast.yaml"
rises "$next" "$(number again)"
ok $? "and after a clean stop"
stop_broker
done_testing
