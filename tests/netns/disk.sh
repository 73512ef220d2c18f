#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The daemon's state on file systems that are full, read-only or gone, for once without
# tests/tools/disk.h: changes get 5.03 while nothing can be written, all else goes on, and
# what was acknowledged is there afterwards. No system makes one read-only under a file that
# is open to be written; what is put over it is.
. "${srcdir:-.}/tests/lib.sh"
need_coap_client
netns_begin "$@"
port=5683
at=coap://127.0.0.1/ps/data
disk=$tmp/disk
cat >"$tmp/coapcast.yaml" <<END
state: { directory: disk }
listen: [ "coap://127.0.0.1" ]
topics:
  - { name: demo, content-format: 0, initialize: "hello" }
  - { name: large }
END
mkdir "$disk"
mount -t tmpfs -o size=600k tmpfs "$disk" || skip_all "cannot mount in a mount namespace"

put() { # VALUE: the code of the answer to a publish of it
	client_codes -m put -t 0 -e "$1" "$at/demo"
}
# The line that says it, once more than before.
says() { # TEXT N
	[ "$(grep -c "$1" "$tmp/broker.log")" -ge "$2" ]
}
# is_refused TEXT N [COMMAND...]: what holds while nothing can be written, told of the Nth
# time; the command brings that about when a small value does not.
is_refused() {
	is "$(put "last $1")" 2.04 "$1: a publish before anybody knows"
	"${@:3}"
	wait_until 10 says 'store: cannot write, publishes are refused' "$2"
	ok $? "$1: the log says it"
	is "$(broker_counter store well)" 0 "$1: so do the figures"
	is "$(put refused)" 5.03 "$1: a publish is refused"
	is "$(client "$at/demo")" "last $1" "$1: reading goes on"
}
is_well() {
	wait_until 20 says 'store: can write again' "$2"
	ok $? "$1: the log says that it is over"
	wait_until 10 counter_is store waiting 0
	ok $? "$1: what was accepted is written"
	is "$(broker_counter store well)" 1 "$1: the store is well"
}
# Killed and started again, with what the file system has.
is_kept() {
	stop broker KILL
	start_broker "$tmp/coapcast.yaml" -v
	is "$(client "$at/demo")" "last $1" "$1: what was accepted is there after a kill"
}

start_broker "$tmp/coapcast.yaml" -v
is "$(put first)" 2.04 "a publish"
wait_until 10 counter_is store waiting 0 || bail "the first publish is not written"

# --- full --------------------------------------------------------------------------------
dd if=/dev/zero of="$disk/filler" bs=1k status=none 2>/dev/null
is "$(stat -f -c %a "$disk")" 0 "full: there is no room at all"
head -c 60000 /dev/zero >"$tmp/large"
is_refused full 1 "$coapcast" pub -f "$tmp/large" coap://127.0.0.1/large
rm "$disk/filler"
is_well full 1
is_kept full

# --- read-only, over what is there ----------------------------------------------------------
mount -t tmpfs -o ro tmpfs "$disk"
is_refused read-only 1
like "$(grep 'cannot write' "$tmp/broker.log" | tail -n 1)" 'lost|Read-only|removed' "read-only: and why"
umount -l "$disk"
is_well read-only 1
is_kept read-only

# --- read-only at the start --------------------------------------------------------------
stop_broker
mount -o remount,ro "$disk"
ok $? "the file system is made read-only"
sum=$(sha256sum "$disk/coapcast.db")
launch_broker "$tmp/coapcast.yaml"
finish broker
is $? 74 "a start on it: 74"
like "$(cat "$tmp/broker.log")" 'store: .*Read-only file system' "and why"
mount -o remount,rw "$disk"
is "$(sha256sum "$disk/coapcast.db")" "$sum" "the database is as it was"
start_broker "$tmp/coapcast.yaml" -v
is "$(client "$at/demo")" "last read-only" "when it can be written again, all is there"

# --- gone, with all that was on it ------------------------------------------------------------
umount -l "$disk"
is "$(put "last gone")" 2.04 "gone: a publish before anybody knows"
wait_line "$tmp/broker.log" 'store: the database was lost, another one is made'
ok $? "gone: another database is made in what is there now"
wait_until 10 counter_is store waiting 0
ok $? "gone: with all there was"
is_kept gone
stop_broker
done_testing
