#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What coapcast says of long block-wise transfers, either way: with -v a line now and then,
# on a terminal one that is written over, else nothing.
. "${srcdir:-.}/tests/lib.sh"
need script
free_port
uri=coap://127.0.0.1:$port

cat >"$tmp/coapcast.yaml" <<END
listen: [ "coap://127.0.0.1:$port" ]
topics:
  - { name: demo, content-format: 0, initialize: "start" }
END
start_broker "$tmp/coapcast.yaml"
head -c 60000 /dev/zero | tr '\0' z >"$tmp/large"

"$coapcast" pub -f "$tmp/large" "$uri/demo" 2>"$tmp/err"
is "$? $(cat "$tmp/err")" "0 " "pub: nothing without -v"
"$coapcast" pub -v -f "$tmp/large" "$uri/demo" 2>"$tmp/err"
is "$(grep -cE '^coapcast: [0-9]+ of 60000 bytes$' "$tmp/err")" 9 "pub -v: a line for each tenth"
"$coapcast" get -v "$uri/demo" >"$tmp/out" 2>"$tmp/err"
cmp -s "$tmp/large" "$tmp/out"
ok $? "get: the value"
is "$(grep -cE '^coapcast: [0-9]+ of 60000 bytes$' "$tmp/err")" 9 "get -v: a line for each tenth"

"$coapcast" sub -v -C 1 "$uri/demo" >"$tmp/out" 2>"$tmp/err"
is "$? $(grep -cE '^coapcast: [0-9]+ of 60000 bytes$' "$tmp/err")" "0 9" "sub -v: as well"

# On a terminal, which stdout is not: rewritten, and gone in the end.
script -qec "'$coapcast' get '$uri/demo' >'$tmp/out'" /dev/null </dev/null >"$tmp/screen"
cmp -s "$tmp/large" "$tmp/out"
ok $? "get on a terminal: the value"
like "$(tr '\r' '\n' <"$tmp/screen")" $'coapcast: 30720 of 60000 bytes\e\\[K' "how far it is"
is "$(tr '\r' '\n' <"$tmp/screen" | tail -n 1)" $'\e[K' "gone when it is over"
script -qec "'$coapcast' pub -m small '$uri/demo'" /dev/null </dev/null >"$tmp/screen"
is "$(cat "$tmp/screen")" "" "nothing of what is short"
stop_broker
done_testing
