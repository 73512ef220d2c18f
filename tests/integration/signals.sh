#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The daemon as a service: SIGHUP with a good and with a bad file, SIGUSR1, SIGTERM,
# SIGINT, and what it tells the service manager. coapcastd(8), "SIGNALS".
. "${srcdir:-.}/tests/lib.sh"
need_coap_client
free_port
at=coap://127.0.0.1:$port/ps/data

configure() { # MORE-TOPICS
	cat >"$tmp/coapcast.yaml" <<-END
		listen: [ "coap://[::]:$port" ]
		topics:
		  - { name: demo, content-format: 0, initialize: "hello" }
		$1
	END
}

# How many lines of the log match.
said() {
	grep -cE -- "$1" "$tmp/broker.log"
}

spawn manager "$top_builddir/tests/tools/heed" "$tmp/notify"
wait_line "$tmp/manager.out" listening || bail "the service manager's side does not start"
told() { # STATE [SECONDS]
	wait_line "$tmp/manager.out" "^$1\$" "${2:-10}"
}

configure ""
export NOTIFY_SOCKET=$tmp/notify WATCHDOG_USEC=200000
start_broker "$tmp/coapcast.yaml"
unset NOTIFY_SOCKET WATCHDOG_USEC
told READY=1
ok $? "sd_notify: READY=1"
told WATCHDOG=1
ok $? "sd_notify: the watchdog is fed"

client -m put -t 0 -e changed "$at/demo"

# --- SIGHUP, a good file ----------------------------------------------------------------
is "$(client_codes "$at/later")" 4.04 "a topic that is not there yet"
configure '  - { name: later, content-format: 0, initialize: "now" }'
kill -HUP "${spawned[broker]}"
wait_line "$tmp/broker.log" 'server: reloaded'
ok $? "SIGHUP: said to be reloaded"
told RELOADING=1
ok $? "sd_notify: RELOADING=1"
is "$(client "$at/later")" now "SIGHUP: the new topic is there"
is "$(client "$at/demo")" changed "SIGHUP: the old one keeps its value"

is "$(said 'a restart is needed')" 0 "SIGHUP: nothing is left to a restart"
configure '  - { name: later, content-format: 0 }
security: { nosec: deny }
groups: [ { name: g, address: 239.255.17.4, interface: lo } ]'
kill -HUP "${spawned[broker]}"
wait_line "$tmp/broker.log" 'a restart is needed for changes in sections=security$'
ok $? "SIGHUP: names the sections that need a restart"

# --- SIGHUP, a bad file -----------------------------------------------------------------
configure '  - { name: third, content-formt: 0 }'
kill -HUP "${spawned[broker]}"
wait_line "$tmp/broker.log" 'reload failed, the old configuration stays: .*coapcast\.yaml:4:[0-9]+: topics\[1\]\.content-formt: unknown key, did you mean content-format\?'
ok $? "SIGHUP with an error: the log says where"
is "$(client "$at/later")" now "SIGHUP with an error: the old configuration stays"
rm "$tmp/coapcast.yaml"
kill -HUP "${spawned[broker]}"
wait_line "$tmp/broker.log" 'reload failed, .*No such file'
ok $? "SIGHUP without the file: the log says so"
is "$(client "$at/demo")" changed "and it goes on"

# --- SIGUSR1 ----------------------------------------------------------------------------
spawn sub "$COAP_CLIENT" -w -s 1000 "$at/demo"
wait_line "$tmp/sub.out" changed
kill -USR1 "${spawned[broker]}"
wait_line "$tmp/broker.log" 'state: groups '
ok $? "SIGUSR1: dumps the state"
like "$(grep 'state: broker ' "$tmp/broker.log")" 'topics=2 observers=1 .*publishes=1 ' \
	"with topics, observers and publishes"
like "$(grep 'state: messages ' "$tmp/broker.log")" ' peers=[1-9]' "with peers"
is "$(said changed)" 0 "without values"

# --- the end ----------------------------------------------------------------------------
stop_broker
is "$(said 'server: stopping signal=15')" 1 "the log says why"
told STOPPING=1
ok $? "sd_notify: STOPPING=1"
stop sub KILL

configure ""
start_broker "$tmp/coapcast.yaml"
rc=0
stop broker INT || rc=$?
is "$rc" 0 "SIGINT ends it with status 0 too"

# Whoever ends it may say so again, as timeout(1) does, at any moment of the stop.
insist() { # NAME SIGNAL...: until it is gone, or for as long as a stop may take at most
	local pid=${spawned[$1]} i
	shift
	for i in $(seq 100000); do
		kill "-${*:i % $# + 1:1}" "$pid" 2>/dev/null || return 0
	done
}
for round in 1 2 3; do
	keep_state=1 start_broker "$tmp/coapcast.yaml" -v
	[ "$round" = 1 ] || is "$(said 'store: .* clean=1')" 1 "what was kept is sound"
	client -m put -t 0 -e "round $round" "$at/demo"
	insist broker TERM INT TERM HUP USR1
	rc=0
	finish broker || rc=$?
	is "$rc" 0 "SIGTERM again and again: status 0"
done
keep_state=1 start_broker "$tmp/coapcast.yaml" -v
is "$(said 'store: .* clean=1') $(client "$at/demo")" "1 round 3" "what was kept is sound, and all of it"
for round in 1 2 3; do
	spawn cast "$coapcast" sub "coap://127.0.0.1:$port/demo"
	wait_line "$tmp/cast.out" 'round 3'
	insist cast TERM
	rc=0
	finish cast || rc=$?
	is "$rc" 0 "SIGTERM again and again, coapcast sub: status 0"
done
stop_broker
rm -rf "$STATE_DIRECTORY"

# Whoever reads the log may go away.
mkfifo "$tmp/pipe"
head -n 1 "$tmp/pipe" >"$tmp/head.out" &
reader=$!
"$coapcastd" -c "$tmp/coapcast.yaml" 2>"$tmp/pipe" &
daemon=$!
wait "$reader"
is "$(grep -c ready "$tmp/head.out")" 1 "a daemon whose log is a pipe"
kill -USR1 "$daemon"
is "$(client "$at/demo")" hello "nobody reads the log any more: it serves"
kill "$daemon"
rc=0
wait "$daemon" || rc=$?
is "$rc" 0 "and ends with status 0"

# The same port again at once: nothing holds it.
start_broker "$tmp/coapcast.yaml"
is "$(client "$at/demo")" hello "a quick restart serves"
stop_broker

stop manager KILL
done_testing
