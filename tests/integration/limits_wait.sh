#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What waits for a disk that takes its time (commit-interval 0, tests/tools/disk.h) is bounded
# by limits.exchanges, and what a publish would have is bounded by limits.memory meanwhile.
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/disk.sh"
need_coap_client
free_port
at=127.0.0.1:$port

cat >"$tmp/coapcast.yaml" <<END
broker: { limits: { exchanges: 16, memory: 1M, payload: 300K } }
state: { commit-interval: 0 }
listen: [ "coap://$at" ]
topics:
  - { name: demo, content-format: 0, initialize: "hello" }
END
mkfifo "$tmp/gate"
start_on_disk "$tmp/coapcast.yaml"
wait_until 10 counter_is store waiting 0

open_gate() {
	disk_goes_on
	wait_until 10 counter_is store waiting 0
}

answered() { # CODE N: so many of them got it
	[ "$(cat "$tmp"/put*.out | grep -cE "^< [^ ]* (ack|con) $1 ")" -ge "$2" ]
}

# --- exchanges ----------------------------------------------------------------------------
disk_fault hang
for i in {1..17}; do
	spawn "put$i" "$talk" -w 60 "$at" "con put /ps/data/demo format=0 text=$i"
done
wait_until 20 answered 5.03 1
ok $? "one of seventeen publishes is refused while the disk takes its time"
like "$(cat "$tmp"/put*.out | grep ' 5\.03 ')" 'max-age=[1-9]' "with 5.03 and Max-Age"
is "$(cat "$tmp"/put*.out | grep -cE '^< [^ ]* (ack|con) 2')" 0 "sixteen wait"
is "$(broker_counter messages refused-exchanges)" 1 "counted: exchanges"
open_gate
wait_until 20 answered 2.04 16
ok $? "sixteen are kept, and answered so"
is "$(cat "$tmp"/put*.out | grep -c ' 5\.03 ')" 1 "and no other was refused"
like "$("$talk" "$at" "con put /ps/data/demo format=0 text=again")" '< .* 2\.04 ' \
	"there is room for another"

# --- memory -------------------------------------------------------------------------------
head -c 300000 /dev/zero >"$tmp/large"
disk_fault hang
for i in {1..4}; do
	spawn "large$i" "$COAP_CLIENT" -v 6 -B 60 -b 1024 -m put -t 0 -f "$tmp/large" \
		"coap://$at/ps/data/demo"
done
is_refused() {
	[ "$(cat "$tmp"/large*.out "$tmp"/large*.err | grep -c ' c:5\.03 ')" -ge 1 ]
}
wait_until 20 is_refused
ok $? "three of 300 kB may wait, not four: what waits counts as memory"
is "$(broker_counter refused memory)" 1 "counted: memory"
wait_until 20 counter_is broker value-bytes 900005
ok $? "as the values that they will be"
open_gate
wait_until 20 counter_is broker value-bytes 300000
ok $? "in the end there is one of them"
for i in {1..4}; do
	stop "large$i" || true
done
stop_broker
done_testing
