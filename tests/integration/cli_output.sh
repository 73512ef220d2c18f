#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Where coapcast writes to: closed, full, left by its reader; and what names and other
# text from elsewhere may do to a terminal. Both programs with descriptors missing.
. "${srcdir:-.}/tests/lib.sh"
need_coap_client
free_port
uri=coap://127.0.0.1:$port

cat >"$tmp/coapcast.yaml" <<END
listen: [ "coap://127.0.0.1:$port" ]
topics:
  - { name: demo, content-format: 0, initialize: "hello" }
  - { name: other }
END
# The daemon's own log goes to a file: nothing else is left to it.
# shellcheck disable=SC2016 # for the inner shell
spawn broker bash -c 'exec "$@" <&- >&-' sh "$coapcastd" -c "$tmp/coapcast.yaml"
ln -sf broker.err "$tmp/broker.log"
wait_until 10 broker_is_up && ! gone "${spawned[broker]}"
ok $? "the daemon starts without stdin and stdout"

run() { # STATUS NAME COMMAND...
	local wanted=$1 name=$2 rc=0
	shift 2
	timeout -k 1 20 "$@" 2>"$tmp/err" || rc=$?
	is "$rc" "$wanted" "$name"
}

# --- missing and full ---------------------------------------------------------
# shellcheck disable=SC2016 # for the inner shell
shut() { # N STATUS NAME COMMAND...: with descriptor N closed
	local n=$1 wanted=$2 name=$3
	shift 3
	run "$wanted" "$name" bash -c 'eval "exec $1>&-"; shift; exec "$@"' sh "$n" "$@"
}
shut 1 1 "get, stdout closed" "$coapcast" get "$uri/demo"
like "$(cat "$tmp/err")" 'coapcast: cannot write to stdout: ' "which says so"
shut 1 1 "ls, stdout closed" "$coapcast" ls "$uri"
shut 1 1 "sub, stdout closed" "$coapcast" sub "$uri/demo"
shut 1 1 "--help, stdout closed" "$coapcast" --help
shut 0 1 "pub -s, stdin closed" "$coapcast" pub -s "$uri/demo"
like "$(cat "$tmp/err")" 'coapcast: cannot read stdin: ' "which says so"
is "$("$coapcast" get "$uri/demo")" hello "and publishes nothing"
is "$("$coapcast" get "$uri/demo" 2>&-)" hello "get, stderr closed"
is "$("$coapcast" get "$uri/demo" <&-)" hello "get, stdin closed"
# shellcheck disable=SC2016 # for the inner shell
full() { # STATUS NAME COMMAND...
	local wanted=$1 name=$2
	shift 2
	run "$wanted" "$name" bash -c 'exec "$@" >/dev/full' sh "$@"
}
for command in get sub; do
	full 1 "$command to a full device" "$coapcast" "$command" "$uri/demo"
	like "$(cat "$tmp/err")" 'cannot write to stdout: No space left' "which says so"
done
full 1 "ls to a full device" "$coapcast" ls "$uri"
is "$(wc -l <"$tmp/err")" 1 "which says so once"

# --- left by the reader -------------------------------------------------------
left() { # COMMAND...: runs it with nobody reading its output; its status, and stderr
	(
		exec 3> >(:)
		wait $! # the reader is gone before anything is written
		rc=0
		"$@" >&3 2>"$tmp/err" || rc=$?
		echo "$rc $(cat "$tmp/err")"
	)
}
is "$(left "$coapcast" get "$uri/demo")" "0 " "get | head: quietly 0"
is "$(left "$coapcast" ls "$uri")" "0 " "ls | head: quietly 0"
is "$(left "$coapcast" sub "$uri/demo")" "0 " "sub | head: quietly 0"

# --- text of others -----------------------------------------------------------
for command in get sub; do
	run 4 "$command of an unknown name" "$coapcast" "$command" "$uri/no%1b%5b31m%07"
	like "$(cat "$tmp/err")" 'no topic no\\x1b\[31m\\x07$' "$command: its name is escaped"
done
run 2 "a command with control characters" "$coapcast" $'\e[31m'
like "$(head -n 1 "$tmp/err")" 'no command \\x1b\[31m$' "is escaped"

long=$(printf '%256s' '' | tr ' ' a)
# A name may have such a segment, a path may not.
for command in get sub "pub -m x"; do
	# shellcheck disable=SC2086 # a command and its options
	run 4 "$command: a name with a long segment" "$coapcast" $command "$uri/$long"
	like "$(cat "$tmp/err")" 'there is no topic a' "is one that is not there"
done
for command in get ls sub "pub -m x"; do
	# shellcheck disable=SC2086 # a command and its options
	run 2 "$command: a segment that is too long" "$coapcast" $command "$uri/ps/data/$long"
	like "$(cat "$tmp/err")" 'a segment has more than 255 bytes' "which says so"
done

stop_broker

# --- a listing in which one topic cannot be read ------------------------------
free_port
spawn listing "$top_builddir/tests/tools/listing" "$port"
wait_line "$tmp/listing.out" listening || bail "the server of the test does not start"
rc=0
"$coapcast" ls "coap://127.0.0.1:$port" >"$tmp/out" 2>"$tmp/err" || rc=$?
is "$rc $(tr '\n' ' ' <"$tmp/out")" '1 first last\x1b[2J ' \
	"ls goes on after a topic it cannot read, and prints no control characters"
is "$(grep -c '^coapcast: /ps/' "$tmp/err")" 3 "and names each of them"
stop listing TERM

"$coapcast" get "coap://239.1.2.3:5684/demo" 2>"$tmp/dtls.err"
is $? 2 "groupcomm-bis 3.4: no group is asked at port 5684"

done_testing
