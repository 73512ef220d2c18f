#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# coapcastd --farewell: a running broker ends for good. Its group observations are
# cancelled, its other observers get a 4.04, who registers again hears that there is
# nothing, and the daemon ends with status 0 when all have acknowledged, or no later than
# a bound.
. "${srcdir:-.}/tests/lib.sh"
[ -x "$coapcast" ] || bail "$coapcast is not built"
need_coap_client
free_port
group_port=$port
free_port
at=127.0.0.1:$port
cat >"$tmp/coapcast.yaml" <<END
listen: [ "coap://127.0.0.9:$port", "coap://$at" ]
groups:
  - { name: hall, address: 239.255.17.4, port: $group_port, interface: lo, topics: [ "hall/*" ], threshold: 1 }
topics:
  - { name: demo, content-format: 0, initialize: "hello" }
  - { name: hall/demo, content-format: 0, initialize: "hello" }
END

# farewell: sets `status`, and `said` to stderr.
farewell() {
	status=0
	timeout 60 "$coapcastd" --farewell -c "$tmp/coapcast.yaml" 2>"$tmp/farewell.err" ||
		status=$?
	said=$(cat "$tmp/farewell.err")
}

farewell
is "$status" 69 "nobody is there: 69"
like "$said" 'no coapcastd runs with this configuration' "and it is said"

start_broker "$tmp/coapcast.yaml" -v
spawn grouped "$coapcast" sub -v "coap://$at/hall/demo"
spawn plain "$coapcast" sub -v "coap://$at/demo"
spawn other "$COAP_CLIENT" -w -s 1000 "coap://$at/ps/data/demo"
wait_line "$tmp/plain.out" hello
wait_line "$tmp/other.out" hello
wait_until 10 counter_is groups moved 1
ok $? "one in a group observation, two traditional"
farewell
is "$status" 0 "--farewell: status 0"
is "$said" "" "and no complaint"
rc=0
finish broker || rc=$?
is "$rc" 0 "the daemon has ended, with status 0"
like "$(cat "$tmp/broker.log")" 'server: farewell group-observations=1 observers=2' "its log says why"
finish grouped
is $? 4 "who was in the group hears that there is nothing: 4"
has_line "$tmp/grouped.err" 'group observation was cancelled'
ok $? "after the cancellation to the group"
finish plain
is $? 4 "a traditional subscriber gets a 4.04: 4"
wait_line "$tmp/other.err" 4.04
ok $? "so does coap-client"
stop other INT

# Somebody who does not acknowledge: a bound.
start_broker "$tmp/coapcast.yaml" -v
"$talk" "$at" "con get token=01 observe=0 /ps/data/demo" >/dev/null
exec 3<>"/dev/udp/${at%:*}/${at#*:}"
# A CON GET with Observe 0, of a peer that then says nothing any more.
printf '\x41\x01\x12\x34\x07\x60\x52ps\x04data\x04demo' >&3
timeout 10 dd bs=64 count=1 status=none <&3 >/dev/null
began=$SECONDS
spawn asker "$coapcastd" --farewell -c "$tmp/coapcast.yaml"
wait_line "$tmp/broker.log" 'server: farewell '
like "$(client_codes "coap://$at/ps/data/demo")" '^5\.03$' "meanwhile a GET gets 5.03"
is "$(client_codes -s 2 "coap://$at/ps/data/demo")" 4.04 "and a registration 4.04"
finish asker 60
is $? 0 "status 0 all the same"
finish broker
is $? 0 "and the daemon's"
rc=0
[ $((SECONDS - began)) -le 45 ] || rc=1
ok $rc "within the bound"
exec 3>&-

# Not for everybody.
start_broker "$tmp/coapcast.yaml"
chmod 755 "$tmp"
chmod 644 "$tmp/coapcast.yaml"
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	status=0
	cp "$coapcastd" "$tmp/daemon" && chmod 755 "$tmp/daemon"
	timeout 60 setpriv --reuid=65534 --regid=65534 --clear-groups "$tmp/daemon" --farewell \
		-c "$tmp/coapcast.yaml" 2>"$tmp/nobody.err" || status=$?
	is "$status" 69 "another user may not: 69"
	like "$(cat "$tmp/nobody.err")" "is another user's" "and it is said"
else
	ok 0 "another user may not # SKIP not root"
	ok 0 "and it is said # SKIP not root"
fi
is "$(client "coap://$at/ps/data/demo")" hello "the broker serves on"
stop_broker
done_testing
