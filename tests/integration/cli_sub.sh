#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# coapcast sub as a traditional observer: what it prints, and how it ends.
. "${srcdir:-.}/tests/lib.sh"
need_coap_client
free_port
uri=coap://127.0.0.1:$port

cat >"$tmp/coapcast.yaml" <<END
listen: [ "coap://127.0.0.1:$port" ]
topics:
  - { name: demo, content-format: 0, initialize: "hello" }
  - { name: blank }
END
start_broker "$tmp/coapcast.yaml"

# follow NAME [OPTION...]: a subscriber that is registered.
follow() {
	local name=$1
	shift
	spawn "$name" "$coapcast" sub -v "$@" "$uri/demo"
	wait_line "$tmp/$name.err" 'registered' || comment <"$tmp/$name.err"
}

follow plain -C 4
"$coapcast" pub -m one "$uri/demo"
wait_lines "$tmp/plain.out" 2
"$coapcast" pub -m one "$uri/demo"
wait_lines "$tmp/plain.out" 3
"$coapcast" pub -m two "$uri/demo"
finish plain
is "$? $(tr '\n' ' ' <"$tmp/plain.out")" "0 hello one one two " "-C: values, equal ones too"

follow skip -R -C 1
"$coapcast" pub -m three "$uri/demo"
finish skip
is "$? $(cat "$tmp/skip.out")" "0 three" "-R skips the current value"

follow json --json -C 2
"$coapcast" pub -m 'a "quote"' "$uri/demo"
finish json
like "$(tail -n 1 "$tmp/json.out")" \
	'^\{"topic":"demo","payload":"a \\"quote\\"","content_format":0,"observe":[0-9]+,"via":"unicast","token":"[0-9a-f]+","verified":false,"missed":0\}$' \
	"--json"

# shellcheck disable=SC2016 # for the shell of --exec
follow exec -R -C 2 --exec 'echo "$COAPCAST_TOPIC $COAPCAST_VIA $COAPCAST_CONTENT_FORMAT <$(cat)>"'
"$coapcast" pub -m first "$uri/demo"
wait_lines "$tmp/exec.out" 1
"$coapcast" pub -m second "$uri/demo"
finish exec
is "$? $(cat "$tmp/exec.out")" "0 demo unicast 0 <first>
demo unicast 0 <second>" "--exec"

# A command that does not read, and one that fails, harm nobody.
head -c 50000 /dev/zero | "$coapcast" pub -s "$uri/demo"
follow careless -C 1 --exec 'exit 3'
finish careless
is "$?" 0 "a command that does not read"

"$coapcast" pub -m small "$uri/demo"
for how in INT TERM; do
	follow stopped
	wait_lines "$tmp/stopped.out" 1
	stop stopped "$how"
	is "$? $(cat "$tmp/stopped.out")" "0 small" "SIG$how ends it"
done

rc=0
"$coapcast" sub -W 2 "$uri/demo" >"$tmp/out" 2>/dev/null || rc=$?
is "$rc $(cat "$tmp/out")" "0 small" "-W ends it"
rc=0
"$coapcast" sub -W 2 -C 2 "$uri/demo" >"$tmp/out" 2>/dev/null || rc=$?
is "$rc $(cat "$tmp/out")" "3 small" "-W before -C: 3"

# Its reader goes away: it ends with the next value, quietly.
# shellcheck disable=SC2016 # for the inner shell
spawn pipe bash -c '"$1" sub -v "$2" 2>"$3" | head -n 1' sh "$coapcast" "$uri/demo" "$tmp/pipe.err2"
wait_line "$tmp/pipe.err2" 'registered'
wait_line "$tmp/pipe.out" small
"$coapcast" pub -m more "$uri/demo"
finish pipe
is "$? $(cat "$tmp/pipe.out")" "0 small" "a reader that goes away"

rc=0
"$coapcast" sub "$uri/blank" >"$tmp/out" 2>&1 || rc=$?
is "$rc" 4 "a topic without a value"

# A large value comes in blocks.
follow large -C 1 -R
seq 1 2000 | "$coapcast" pub -s "$uri/demo"
finish large
is "$? $(cksum <"$tmp/large.out")" "0 $( (seq 1 2000; echo) | cksum)" "a large value"

follow deleted
"$COAP_CLIENT" -v 0 -m delete "$uri/ps/data/demo" >/dev/null 2>&1
finish deleted
is "$?" 4 "the data are deleted: 4"
like "$(cat "$tmp/deleted.err")" '4\.04' "which says so"

stop_broker
done_testing
