#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# commit-interval 0: a publish, and a topic that is created, configured or deleted, is
# durable before anybody sees it. On a disk that takes its time (tests/tools/disk.h) nothing
# of it is seen, after a second it gets the empty ACK, as does a duplicate, and then a
# separate 2.04; what cannot be kept gets 5.03 and has changed nothing. RFC 7252 5.2.2,
# product.md "Configuration".
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/disk.sh"
need_coap_client
free_port
server=127.0.0.1:$port
at=coap://$server/ps/data
uri=coap://$server

cat >"$tmp/coapcast.yaml" <<END
broker: { create-on-publish: true }
state: { commit-interval: 0 }
listen: [ "coap://$server" ]
topics:
  - { name: demo, content-format: 0, initialize: "hello" }
END

start() {
	start_on_disk "$tmp/coapcast.yaml" -v
	wait_until 10 counter_is store waiting 0
}

keep_state=yes
mkfifo "$tmp/gate"
start
spawn sub "$coapcast" sub "coap://$server/demo"
wait_line "$tmp/sub.out" hello
wait_until 10 counter_is store waiting 0
is "$(client_codes -m put -t 0 -e quick "$at/demo")" 2.04 "a quick disk: 2.04"
wait_line "$tmp/sub.out" quick
ok $? "and a notification"
stop broker KILL
start
is "$(client "$at/demo")" quick "it is there after a kill at once"
is "$(client_codes -m put -t 0 -e made "$at/made/so")" 2.01 "one that makes its topic: 2.01"
stop broker KILL
start
is "$(client "$at/made/so")" made "it is there after a kill at once"

# --- topics: killed right after the answer ------------------------------------------------
"$coapcast" topic create --type lamp --ct 0 "$uri/lamp" >/dev/null
stop broker KILL
start
like "$("$coapcast" topic show "$uri/lamp")" lamp "a topic that was created is there"
"$coapcast" topic set --max-subscribers 7 "$uri/lamp" >/dev/null
stop broker KILL
start
like "$("$coapcast" topic show "$uri/lamp")" 'max-subscribers[^0-9]*7' "one that was configured is as it was"
like "$("$coapcast" topic show "$uri/lamp")" lamp "with all the rest"
is "$(client_codes -m delete "$uri/ps/lamp")" 2.02 "and one that is deleted"
stop broker KILL
start
is "$(client_codes "$uri/ps/lamp")" 4.04 "is gone"

# --- a slow disk -------------------------------------------------------------------------
wait_until 10 counter_is store waiting 0
disk_fault hang
spawn slow "$talk" -n 3 "$server" \
	"con put /ps/data/demo token=aa01 mid=1234 format=0 text=slow"
wait_line "$tmp/slow.out" '^< .* ack empty'
ok $? "a slow disk: the empty ACK after a second"
is "$(client "$at/demo")" quick "nobody sees it yet"
is "$(grep -c slow "$tmp/sub.out")" 0 "nor is told"
disk_goes_on
wait_line "$tmp/slow.out" '^< .* con 2\.04 .*token=aa01'
ok $? "then the 2.04 on its own"
wait_line "$tmp/sub.out" slow
ok $? "and the notification"
is "$(client "$at/demo")" slow "and the value"
finish slow >/dev/null

disk_fault hang
spawn twice "$talk" -b -n 3 "$server" \
	"con put /ps/data/demo token=aa02 mid=2234 format=0 text=twice" \
	"con put /ps/data/demo token=aa02 mid=2234 format=0 text=twice"
wait_line "$tmp/twice.out" '^< .* ack empty'
ok $? "a duplicate of one in progress gets the empty ACK"
is "$(client "$at/demo")" slow "and nobody sees it"
disk_goes_on
wait_line "$tmp/twice.out" '^< .* con 2\.04 .*token=aa02'
ok $? "the 2.04 is separate then"
is "$(client "$at/demo")" twice "and the value is there"
finish twice >/dev/null
is "$(grep -c ' 2\.04 ' "$tmp/twice.out")" 1 "once"

"$coapcast" topic create --type lamp "$uri/lamp" >/dev/null
shown=$("$coapcast" topic show "$uri/lamp")
disk_fault hang
spawn create "$coapcast" topic create "$uri/late"
spawn set "$coapcast" topic set --max-subscribers 7 "$uri/lamp"
spawn delete "$talk" -n 1 "$server" "con delete /ps/made/so token=aa03"
wait_line "$tmp/delete.out" '^< .* ack empty'
ok $? "the end of a topic waits, too"
is "$(client_codes "$uri/ps/late")" 4.04 "one that is being created is not there yet"
is "$("$coapcast" topic show "$uri/lamp")" "$shown" "nor is anybody shown other properties"
is "$(client "$at/made/so")" made "and one that is being deleted still is"
disk_goes_on
finish create
ok $? "it is created"
finish set
ok $? "configured"
wait_line "$tmp/delete.out" '^< .* con 2\.02 .*token=aa03'
ok $? "and deleted"
finish delete >/dev/null
is "$(client_codes "$uri/ps/made/so")" 4.04 "and gone"
stop broker KILL
start
is "$(client_codes "$uri/ps/late")" 2.05 "what was created outlives a kill"

# --- a disk that fails -------------------------------------------------------------------
disk_fault eio
is "$(client_codes -m put -t 0 -e lost "$at/demo")" 5.03 "a disk that fails: 5.03"
is "$(client_codes -m delete "$at/demo")" 5.03 "for the end of it too"
is "$(client_codes -m put -t 0 -e lost "$at/never/made")" 5.03 "and for what would make a topic"
is "$(client "$at/demo")" twice "nothing has changed"
is "$(client_codes "$at/never/made")" 4.04 "and nothing was made"
rm "$tmp/fault"
wait_line "$tmp/broker.log" 'store: can write again' 20
# Each of them finds the failure itself.
has_recovered() { # N
	[ "$(grep -c 'store: can write again' "$tmp/broker.log")" -ge "$1" ]
}
shown=$("$coapcast" topic show "$uri/lamp")
n=1
finds_out() { # NAME COMMAND...
	local name=$1
	shift
	wait_until 10 counter_is store waiting 0
	n=$((n + 1))
	disk_fault eio
	like "$("$@" 2>&1)" '5\.03' "$name while the disk fails: 5.03"
	rm "$tmp/fault"
	wait_until 20 has_recovered "$n"
}
finds_out creating "$coapcast" topic create "$uri/never"
finds_out configuring "$coapcast" topic set --max-subscribers 9 "$uri/lamp"
finds_out deleting client_codes -m delete "$uri/ps/lamp"
finds_out making client_codes -m put -t 0 -e lost "$at/never/made"
for when in now "after a kill"; do
	is "$(client_codes "$uri/ps/never")" 4.04 "$when: none was created"
	is "$(client_codes "$uri/ps/never/made")" 4.04 "$when: nor made by a publish"
	is "$("$coapcast" topic show "$uri/lamp")" "$shown" "$when: none was configured or deleted"
	stop broker KILL
	start
done
is "$(client_codes -m put -t 0 -e again "$at/demo")" 2.04 "all is well again"
is "$(client_codes -m delete "$at/demo")" 2.02 "data are deleted"
stop broker KILL
start
is "$(client_codes "$at/demo")" 4.04 "and stay so over a kill at once"
stop sub KILL
stop_broker
done_testing
