#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The daemon on a disk that fails (tests/tools/disk.h): changes get 5.03 while nothing can
# be written, all else goes on, and what was acknowledged before is there afterwards, also
# when the broker is killed and started again.
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/disk.sh"
need_coap_client
free_port
at=coap://127.0.0.1:$port/ps/data
uri=coap://127.0.0.1:$port

cat >"$tmp/coapcast.yaml" <<END
listen: [ "coap://127.0.0.1:$port" ]
topics:
  - { name: demo, content-format: 0, initialize: "hello" }
END

# The line that says it, once more than before.
says() { # TEXT N
	[ "$(grep -c "$1" "$tmp/broker.log")" -ge "$2" ]
}

keep_state=yes
start_on_disk "$tmp/coapcast.yaml" -v
n=0
for word in enospc eio erofs fsync; do
	n=$((n + 1))
	disk_fault "$word"
	is "$(client_codes -m put -t 0 -e "accepted $word" "$at/demo")" 2.04 \
		"$word: a publish before anybody knows"
	wait_until 10 says 'store: cannot write, publishes are refused' "$n"
	ok $? "$word: the log says it"
	is "$(broker_counter store well)" 0 "$word: so do the figures"
	counter_reaches store failures 1
	ok $? "$word: which count the failures"
	is "$(client_codes -m put -t 0 -e refused "$at/demo")" 5.03 "$word: a publish is refused"
	is "$(broker_counter broker publishes-refused)" "$n" "$word: and counted"
	is "$(client_codes -m delete "$uri/ps/demo")" 5.03 "$word: so is the end of a topic"
	is "$(client "$at/demo")" "accepted $word" "$word: reading goes on"
	"$coapcast" sub -C 1 "$uri/demo" >"$tmp/sub.out"
	is "$(cat "$tmp/sub.out")" "accepted $word" "$word: so does subscribing"
	rm "$tmp/fault"
	wait_until 20 says 'store: can write again' "$n"
	ok $? "$word: the log says that it is over"
	wait_until 10 counter_is store waiting 0
	ok $? "$word: what was accepted is written"
	is "$(broker_counter store well)" 1 "$word: the store is well"
	stop broker KILL
	start_on_disk "$tmp/coapcast.yaml" -v
	n=0
	# What the start itself puts would find the fault first.
	wait_until 10 counter_is store waiting 0
	is "$(client "$at/demo")" "accepted $word" "$word: and there after a kill"
	is "$(client_codes -m put -t 0 -e after "$at/demo")" 2.04 "$word: all is well again"
	# Or that would find the next fault.
	wait_until 10 counter_is store waiting 0
done

# --- the disk is gone, and back -----------------------------------------------------------
rm -rf "$STATE_DIRECTORY"
: >"$STATE_DIRECTORY"
is "$(client_codes -m put -t 0 -e gone "$at/demo")" 2.04 "gone: a publish before anybody knows"
wait_line "$tmp/broker.log" 'store: cannot write, publishes are refused'
ok $? "gone: the log says it"
is "$(client_codes -m put -t 0 -e refused "$at/demo")" 5.03 "gone: a publish is refused"
is "$(client "$at/demo")" gone "gone: reading goes on"
rm "$STATE_DIRECTORY"
wait_line "$tmp/broker.log" 'store: the database was lost, another one is made' 20
ok $? "gone: another database is made when there is a place for it"
wait_line "$tmp/broker.log" 'store: can write again' 20
ok $? "gone: and the log says that it is over"
wait_until 10 counter_is store waiting 0
is "$(broker_counter store anew)" 1 "gone: the figures count it"
is "$(client_codes -m put -t 0 -e back "$at/demo")" 2.04 "gone: all is well again"
wait_until 10 counter_is store waiting 0
stop broker KILL
start_on_disk "$tmp/coapcast.yaml" -v
wait_until 10 counter_is store waiting 0
is "$(client "$at/demo")" back "gone: and everything is there after a kill"

disk_fault eio
is "$(client_codes -m put -t 0 -e last "$at/demo")" 2.04 "a publish that cannot be kept"
status=0
stop broker TERM || status=$?
is "$status" 74 "a stop that loses something: 74"
like "$(cat "$tmp/broker.log")" 'store: what came last is not kept' "and why"
done_testing
