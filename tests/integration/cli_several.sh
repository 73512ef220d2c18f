#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# coapcast sub with several URIs: of one broker at two addresses, in group observations and
# not, counted together; and what happens to the others when one ends.
. "${srcdir:-.}/tests/lib.sh"
need_coap_client
free_port
group=$port
free_port
one=coap://127.0.0.1:$port
two=coap://127.0.0.2:$port

cat >"$tmp/coapcast.yaml" <<END
listen: [ "coap://127.0.0.1:$port", "coap://127.0.0.2:$port" ]
groups:
  - { name: hall, address: 239.255.19.1, port: $group, interface: lo, topics: [ "hall/*" ],
      threshold: 1, source: 127.0.0.1 }
topics:
  - { name: hall/a, content-format: 0, initialize: "a0" }
  - { name: hall/b, content-format: 0, initialize: "b0" }
  - { name: plain, content-format: 0, initialize: "p0" }
END
start_broker "$tmp/coapcast.yaml"

spawn all "$coapcast" sub -v --json -C 6 "$one/hall/a" "$one/hall/b" "$two/plain"
wait_lines "$tmp/all.out" 3
is "$(sed -E 's/.*"topic":"([^"]*)","payload":"([^"]*)".*"via":"([a-z]*)".*/\1 \2 \3/' \
	"$tmp/all.out" | sort)" "hall/a a0 informative
hall/b b0 informative
plain p0 unicast" "the current values of three topics"
is "$(sed -nE 's/.*coapcast: (.*): (registered|moved to 239.*) .*|.*coapcast: (.*): (registered)$/\1\3/p' \
	"$tmp/all.err" | sort | tr '\n' ' ')" "hall/a hall/b plain " "-v tells which topic it is about"
"$coapcast" pub -m a1 "$one/hall/a"
wait_lines "$tmp/all.out" 4
"$coapcast" pub -m b1 "$one/hall/b"
wait_lines "$tmp/all.out" 5
"$coapcast" pub -m p1 "$one/plain"
finish all
is "$?" 0 "-C counts the values of all of them"
is "$(tail -n 3 "$tmp/all.out" |
	sed -E 's/.*"topic":"([^"]*)","payload":"([^"]*)".*"via":"([a-z]*)".*/\1 \2 \3/')" \
	"hall/a a1 multicast
hall/b b1 multicast
plain p1 unicast" "each as it comes, two groups' topics on one address told apart by token"

# One of them ends, the others go on.
spawn rest "$coapcast" sub "$one/hall/a" "$one/plain"
wait_lines "$tmp/rest.out" 2
"$COAP_CLIENT" -v 0 -m delete "$one/ps/data/plain" >/dev/null 2>&1
wait_line "$tmp/rest.err" 'plain.*4\.04'
ok $? "one that ends is told"
"$coapcast" pub -m a2 "$one/hall/a"
wait_line "$tmp/rest.out" '^a2$'
ok $? "the other goes on"
stop rest INT
is "$?" 4 "the exit status is that of the first that ended"

spawn both "$coapcast" sub "$one/hall/a" "$one/hall/b"
wait_lines "$tmp/both.out" 2
"$COAP_CLIENT" -v 0 -m delete "$one/ps/data/hall/a" >/dev/null 2>&1
"$COAP_CLIENT" -v 0 -m delete "$one/ps/data/hall/b" >/dev/null 2>&1
finish both
is "$?" 4 "when all have ended, it ends"

rc=0
"$coapcast" sub "$two/hall/a" "$one/nothing" >"$tmp/out" 2>"$tmp/err" || rc=$?
is "$rc $(cat "$tmp/out")" "4 " "a topic that is not there: nothing is subscribed to"
like "$(cat "$tmp/err")" 'no topic nothing' "which is told"
rc=0
"$coapcast" get "$one/plain" "$two/plain" >/dev/null 2>&1 || rc=$?
is "$rc" 2 "other commands take one URI"

# A name for each in the environment of --exec.
"$coapcast" pub -m x "$one/hall/a"
"$coapcast" pub -m y "$one/hall/b"
# shellcheck disable=SC2016 # for the shell of --exec
"$coapcast" sub -C 2 --exec 'echo "$COAPCAST_TOPIC $(cat)"' "$one/hall/a" "$one/hall/b" \
	>"$tmp/out" 2>&1
is "$? $(sort "$tmp/out" | tr '\n' ' ')" "0 hall/a x hall/b y " "--exec is told which"

# Nobody answers: it can be ended all the same. (INT is ignored by what a script starts.)
kill -STOP "${spawned[broker]}"
runs_coapcast() { # PID
	grep -q coapcast "/proc/$1/comm"
}
spawn away "$coapcast" sub "$one/x"
wait_until 5 runs_coapcast "${spawned[away]}"
stop away
is "$?" 143 "ended by a signal while it looks for the broker"
kill -CONT "${spawned[broker]}"
stop_broker
done_testing
