#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Protected requests that come while the daemon starts, on a disk that takes its time: they
# are not read before what it promises to keep can be kept, and then answered as ever, after
# a clean stop and after none. product.md, "Daemon": `ready`.
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/disk.sh"
free_port

"$coapcast" keygen identity -o "$tmp/keys" panel-1 >/dev/null
"$coapcast" keygen identity -o "$tmp/keys" panel-2 >/dev/null
cp -a "$tmp/keys/broker/." "$tmp/"
cat >"$tmp/coapcast.yaml" <<END
listen: [ "coap://127.0.0.1:$port", "coap+tcp://127.0.0.1:$port" ]
security: { nosec: deny }
topics: [ { name: demo, content-format: 0, initialize: "hello" } ]
END

# Requests are taken from the network, by UDP and by TCP (state 0A: it listens).
is_bound() {
	local hex
	printf -v hex '%04X' "$port"
	grep -q ":$hex " /proc/net/udp && grep -qE ":$hex [0-9A-F:]+ 0A " /proc/net/tcp
}

# Bytes wait in the receive buffer of the port: 4 bytes of port, the other end, state, queues.
has_waiting() {
	local hex
	printf -v hex '%04X' "$port"
	grep -qE ":$hex [0-9A-F:]+ [0-9A-F]{2} [0-9A-F]{8}:0*[1-9A-F]" /proc/net/udp
}

# One operation of the disk goes on when it hangs; there may be none right now.
let_one_pass() {
	timeout 0.2 bash -c ": >'$tmp/gate'" 2>/dev/null
	broker_is_up
}

mkfifo "$tmp/gate"
keep_state=yes
start_on_disk "$tmp/coapcast.yaml" -v
for way in TERM KILL; do
	stop broker "$way"
	echo hang >"$tmp/fault"
	launch_on_disk "$tmp/coapcast.yaml" -v
	wait_until 10 is_bound || bail "the port is not bound"
	spawn udp "$coapcast" get -W 30 --credentials "$tmp/keys/panel-1/panel-1.yaml" \
		"coap://127.0.0.1:$port/demo"
	spawn tcp "$coapcast" get -W 30 --credentials "$tmp/keys/panel-2/panel-2.yaml" \
		"coap+tcp://127.0.0.1:$port/demo"
	wait_until 10 has_waiting
	ok $? "after $way: a request waits"
	is "$(grep -c ready "$tmp/broker.log")" 0 "the daemon is not ready"
	wait_until 30 let_one_pass
	ok $? "it becomes ready"
	# With an end of it open for good, all pass: who came just now, and who comes yet.
	rm -f "$tmp/fault"
	exec 3<>"$tmp/gate"
	finish udp 30
	is "$? $(cat "$tmp/udp.out")" "0 hello" "and answers"
	comment <"$tmp/udp.err"
	finish tcp 30
	is "$? $(cat "$tmp/tcp.out")" "0 hello" "as it does over TCP"
	comment <"$tmp/tcp.err"
	is "$(grep -c 'request refused' "$tmp/broker.log")" 0 "nothing was refused"
	exec 3>&-
done
stop_broker
done_testing
