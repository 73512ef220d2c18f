#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Fewer open files than limits.sessions asks for: connections, whether they say something or
# not, never take the last ones, so that all else goes on. net/descriptors.c.
. "${srcdir:-.}/tests/lib.sh"
need prlimit
free_port

cat >"$tmp/coapcast.yaml" <<END
listen: [ "coap://127.0.0.1:$port", "coap+tcp://127.0.0.1:$port" ]
topics: [ { name: demo, content-format: 0, initialize: "hello" } ]
END
n_files() {
	find "/proc/${spawned[broker]}/fd" -mindepth 1 | wc -l
}
connections=()
has_files() { # AT-LEAST AT-MOST
	local n
	n=$(n_files)
	[ "$n" -ge "$1" ] && [ "$n" -le "$2" ]
}
# connect_more N [BYTES]: so many more, which say that.
connect_more() {
	local fd i
	for ((i = 0; i < $1; i++)); do
		exec {fd}<>"/dev/tcp/127.0.0.1/$port"
		printf '%b' "${2:-}" >&"$fd"
		connections+=("$fd")
	done
}
disconnect_all() {
	local fd
	for fd in "${connections[@]}"; do
		exec {fd}>&-
	done
	connections=()
}

COAPCASTD_WRAPPER="prlimit --nofile=200:200 $COAPCASTD_WRAPPER"
start_broker "$tmp/coapcast.yaml"
has_line "$tmp/broker.log" 'limit of open files \(200\) allows for fewer sessions .* n=54$'
ok $? "the log says that there will be fewer sessions"
quiet=$(n_files)
connect_more 150
wait_until 10 counter_is sessions refused 132
ok $? "of 150 connections that say nothing 18 stay"
wait_until 10 has_files $((quiet + 18)) $((quiet + 18))
ok $? "and are all that is open"
# No more at once than there is room for before they are set up: a CSM each.
for n in 10 20 30 40 50 54; do
	connect_more 10 '\x00\xe1'
	wait_until 10 counter_is sessions open "$n"
	ok $? "$n are set up"
done
connect_more 10 '\x00\xe1'
wait_until 10 has_files $((quiet + 54)) $((quiet + 54 + 18))
ok $? "and no more, so that there is room for other files"
is "$("$coapcast" get "coap://127.0.0.1:$port/demo")" hello "UDP is served"
disconnect_all
wait_until 10 counter_is sessions open 0
ok $? "they go"
is "$("$coapcast" get "coap+tcp://127.0.0.1:$port/demo")" hello "and others may come"
stop_broker

# What is allowed is used.
COAPCASTD_WRAPPER="prlimit --nofile=150:1000"
start_broker "$tmp/coapcast.yaml"
has_line "$tmp/broker.log" 'limit of open files'
is $? 1 "a soft limit is raised"
like "$(prlimit --noheadings --output=SOFT --nofile --pid "${spawned[broker]}")" 884 \
	"to what is needed"
stop_broker
done_testing
