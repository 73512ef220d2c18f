#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Sequence numbers are used when they are on the disk and not before (RFC 8613 7.2.1, B.1.1).
# While that takes its time (tests/tools/disk.h) they run out, and nobody who observes is
# lost over it: when there are numbers again, the newest value is told.
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/disk.sh"
free_port
group=$port
free_port
uri=coap://127.0.0.1:$port

head -c 32 /dev/urandom >"$tmp/own.key"
cat >"$tmp/coapcast.yaml" <<END
listen: [ "coap://127.0.0.1:$port" ]
# A disk that takes five seconds longer than that is given up, and publishes are refused.
state: { commit-interval: 120s }
identities:
  - { name: panel, oscore: { sender-id: "hex:03", recipient-id: "hex:01",
      master-secret: "text:sixteen bytes ok" } }
groups:
  - { name: own, address: 239.255.17.10, port: $group, interface: lo, topics: [ "o/*" ],
      threshold: 1, oscore: own }
oscore-groups:
  - { name: own, sender-id: "hex:05", private-key: "file:own.key" }
topics:
  - { name: s/demo, content-format: 0, initialize: "hello" }
  - { name: o/demo, content-format: 0, initialize: "hello" }
END
cat >"$tmp/credentials.yaml" <<END
identities:
  - { name: panel, oscore: { sender-id: "hex:01", recipient-id: "hex:03",
      master-secret: "text:sixteen bytes ok" } }
END
chmod 600 "$tmp"/*.yaml "$tmp/own.key"
mkfifo "$tmp/gate"
start_on_disk "$tmp/coapcast.yaml"
for kind in s o; do
	spawn "$kind" "$coapcast" sub -v --credentials "$tmp/credentials.yaml" --identity panel \
		"$uri/$kind/demo"
	wait_line "$tmp/$kind.out" hello || bail "nobody observes $kind"
done
wait_line "$tmp/o.err" 'moved to' || bail "nobody is moved"
wait_until 10 counter_is store waiting 0

disk_fault hang
for kind in s o; do
	# More than are reserved at once, and one for each, as nobody is behind.
	(seq 1 6000 && echo last) | timeout 60 "$coapcast" pub -l "$uri/$kind/demo"
	is $? 0 "$kind: thousands of publishes while nothing gets onto the disk"
	is "$("$coapcast" get "$uri/$kind/demo")" last "$kind: are all there"
	# On a slow machine fewer are told, and there may be numbers for all of them.
	echo "# $kind: told $(wc -l <"$tmp/$kind.out"), the last of them among these:" \
		"$(grep -c last "$tmp/$kind.out")"
done
rm -f "$tmp/fault"
exec 3<>"$tmp/gate" # for what hangs, and what is about to
for kind in s o; do
	wait_line "$tmp/$kind.out" '^last$' 20
	ok $? "$kind: it is when there are numbers again"
	"$coapcast" pub -m "after it" "$uri/$kind/demo"
	wait_line "$tmp/$kind.out" '^after it$'
	ok $? "$kind: and who observes goes on to"
	stop "$kind" INT
	is $? 0 "$kind: to the end"
done
stop_broker
done_testing
