#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# coapcast pub, get and ls against the real daemon, and the exit status of each failure.
. "${srcdir:-.}/tests/lib.sh"
need_coap_client
free_port

cat >"$tmp/coapcast.yaml" <<END
broker: { limits: { payload: 200000 } }
listen: [ "coap://[::]:$port" ]
topics:
  - { name: demo, content-format: 0, initialize: "hello" }
  - { name: hall/demo }
  - { name: "data/odd one", initialize: "x", content-format: 0 }
END
start_broker "$tmp/coapcast.yaml"

# exits STATUS NAME COMMAND...: its exit status; nothing on stdout when it failed.
exits() {
	local wanted=$1 name=$2 rc=0
	shift 2
	"$@" >"$tmp/out" 2>"$tmp/err" </dev/null || rc=$?
	is "$rc" "$wanted" "$name"
	if [ "$wanted" -ne 0 ]; then
		is "$(cat "$tmp/out")" "" "$name: nothing on stdout"
		like "$(cat "$tmp/err")" '^(coapcast|usage): ' "$name: a line on stderr"
	fi
}

for host in "[::1]" 127.0.0.1 localhost; do
	uri=coap://$host:$port
	is "$("$coapcast" get "$uri/demo")" hello "$host: get by name"
	is "$("$coapcast" get "$uri/ps/data/demo")" hello "$host: get by the URI of the data"
done

is "$("$coapcast" ls "$uri" | grep -v odd)" "demo
hall/demo" "ls prints names, in order"
is "$("$coapcast" ls "$uri" | grep -c '^data/odd one$')" 1 "that of a generated path, too"
is "$("$coapcast" ls "$uri/ps" | wc -l)" 3 "ls of a collection"
is "$("$coapcast" ls --json "$uri" | grep '"demo"')" \
	'{"topic":"demo","path":"/ps/demo","data":"/ps/data/demo","content_format":0}' "ls --json"
is "$("$coapcast" get "$uri/data/odd%20one")" x "a topic whose path is generated"

exits 0 "pub -m" "$coapcast" pub -m "good bye" "$uri/hall/demo"
is "$("$coapcast" get "$uri/hall/demo")" "good bye" "what was published"
is "$("$COAP_CLIENT" -v 0 -m get "$uri/ps/data/hall/demo" 2>/dev/null)" "good bye" \
	"coap-client reads it"
exits 0 "pub -m with an empty text" "$coapcast" pub -m "" "$uri/hall/demo"
is "$("$coapcast" get --json "$uri/hall/demo")" \
	'{"topic":"hall/demo","payload":"","via":"unicast","verified":false}' "get --json of nothing"
printf 'one\ntwo\nthree' | "$coapcast" pub -l -v "$uri/demo" 2>"$tmp/err"
is "$(grep -c 'published' "$tmp/err") $("$coapcast" get "$uri/demo")" "3 three" "pub -l"
# Lines that come slower than -W: a subscriber tells when that time is over.
mkfifo "$tmp/lines"
spawn first "$coapcast" sub -W 30 "$uri/demo"
# shellcheck disable=SC2016 # expanded in there
spawn slow bash -c 'exec "$1" pub -l -W 2 "$2" <"$3"' sh "$coapcast" "$uri/demo" "$tmp/lines"
exec 9>"$tmp/lines"
echo early >&9
wait_line "$tmp/first.out" '^early$'
exits 0 "-W 2.5 passes" "$coapcast" sub -W 2.5 "$uri/demo"
echo late >&9
wait_line "$tmp/first.out" '^late$'
ok $? "the time for a line begins when it comes"
exec 9>&-
finish slow
is $? 0 "pub -l of slow lines: status 0"
stop first INT
printf 'a\nb\n' | "$coapcast" pub -s --ct 0 "$uri/demo"
is "$("$coapcast" get --json "$uri/demo")" \
	'{"topic":"demo","payload":"a\nb\n","content_format":0,"via":"unicast","verified":false}' \
	"pub -s, get --json"
printf '\377\001' >"$tmp/binary"
"$coapcast" pub -f "$tmp/binary" "$uri/hall/demo"
like "$("$coapcast" get --json "$uri/hall/demo")" '"payload":"/wE=","encoding":"base64"' "base64"
head -c 100000 /dev/urandom >"$tmp/large"
"$coapcast" pub -f "$tmp/large" "$uri/hall/demo"
"$coapcast" get "$uri/hall/demo" | cmp -s - "$tmp/large"
ok $? "100 kB there and back"

# Names that are no paths.
long=$(printf 'n%.0s' {1..300})
many=$(printf 'x/%.0s' {1..70})x
for name in "$long" "$many"; do
	exits 0 "topic create of ${#name} bytes" "$coapcast" topic create --ct 0 "$uri/$name"
	exits 0 "pub there" "$coapcast" pub -m value "$uri/$name"
	is "$("$coapcast" get "$uri/$name")" value "get there"
	is "$("$coapcast" sub -C 1 -W 5 "$uri/$name")" value "sub there"
	is "$("$coapcast" ls "$uri" | grep -cx "$name")" 1 "ls lists it"
	exits 0 "topic rm there" "$coapcast" topic rm "$uri/$name"
	exits 4 "then it is gone" "$coapcast" get "$uri/$name"
	exits 4 "for pub, too" "$coapcast" pub -m x "$uri/$name"
done
exits 2 "a path with a segment that is too long" "$coapcast" get "$uri/ps/data/$long"
exits 2 "no UTF-8" "$coapcast" get "$uri/%ff"
exits 2 "a NUL" "$coapcast" get "$uri/a%00"
exits 2 "a query behind a name" "$coapcast" pub -m x "$uri/demo?x=1"
exits 2 "and for topic set" "$coapcast" topic set --type x "$uri/demo?x=1"
like "$("$coapcast" get "$uri/.well-known/core?rt=core.ps")" '^</>;rt="core.ps"$' "any resource"
exits 0 "a name with all sorts of characters" \
	"$coapcast" topic create --ct 0 --initialize text:v "$uri/50%25%20%3Ca%3E%22%C3%A4"
is "$("$coapcast" topic show --json "$uri/50%25%20%3Ca%3E%22%C3%A4" | sed 's/.*"data":"\([^"]*\)".*/\1/')" \
	"/ps/data/50%25%20%3Ca%3E%22%C3%A4" "topic-data is a URI reference"
is "$("$coapcast" get "$uri/50%25%20%3Ca%3E%22%C3%A4")" v "which is followed"
exits 0 "and removed by its data" "$coapcast" topic rm "$uri/ps/data/50%25%20%3ca%3e%22ä"

exits 4 "get of an unknown topic" "$coapcast" get "$uri/nix"
like "$(cat "$tmp/err")" 'there is no topic nix' "which says so"
exits 4 "pub to an unknown topic" "$coapcast" pub -m x "$uri/nix"
like "$(cat "$tmp/err")" 'there is no topic nix' "which says so"
exits 4 "sub to an unknown topic" "$coapcast" sub "$uri/nix"
exits 4 "a wrong Content-Format" "$coapcast" pub --ct 60 -m x "$uri/demo"
like "$(cat "$tmp/err")" '4\.15' "which says so"
head -c 300000 /dev/zero >"$tmp/huge"
exits 4 "a payload past the limit" "$coapcast" pub -f "$tmp/huge" "$uri/hall/demo"
like "$(cat "$tmp/err")" '4\.13' "which says so"
exits 2 "no topic in the URI" "$coapcast" get "$uri"
exits 2 "no such option" "$coapcast" get -x "$uri/demo"
exits 2 "no such command" "$coapcast" frobnicate "$uri/demo"
exits 2 "no command" "$coapcast"
exits 2 "no URI" "$coapcast" get http://127.0.0.1/demo
exits 2 "protection" "$coapcast" get --identity me "$uri/demo"
exits 2 "DTLS" "$coapcast" get coaps://127.0.0.1/demo
exits 1 "an unknown host" "$coapcast" get coap://nosuchhost.invalid/demo
exits 1 "a file that is not there" "$coapcast" pub -f "$tmp/nix" "$uri/demo"
exits 0 "--help" "$coapcast" --help
commands=$("$coapcast" --help | sed -nE 's/^usage: coapcast ([a-z]+( [a-z]+)?) .*/\1/p' | sort)
is "$commands" "$(printf '%s\n' decode discover doctor get 'keygen group' 'keygen identity' ls pub \
	status sub 'topic create' 'topic rm' 'topic set' 'topic show')" "which lists every command"
while read -r command; do
	grep -q "^\.It Cm $command\$" "$top_srcdir/man/coapcast.1"
	ok $? "coapcast(1) has $command"
done <<<"$commands"
exits 0 "--version" "$coapcast" --version
free_port
for host in "[::1]" 127.0.0.1; do
	for what in "get -W 5" "pub -W 5 -m x" "sub -W 5" "ls -W 5" "topic show -W 5"; do
		# shellcheck disable=SC2086 # several words
		exits 1 "nobody there: $what" "$coapcast" $what "coap://$host:$port/demo"
		like "$(cat "$tmp/err")" 'connection refused' "which says so"
	done
done

stop_broker

# Another broker, without the state of this one: another collection is discovered, and a
# publish may create a topic.
rm -r "$STATE_DIRECTORY"
free_port
uri=coap://127.0.0.1:$port
cat >"$tmp/other.yaml" <<END
broker: { collection: /topics, create-on-publish: true }
listen: [ "coap://127.0.0.1:$port" ]
topics: [ { name: demo, content-format: 0, initialize: "hello" } ]
END
start_broker "$tmp/other.yaml"
is "$("$coapcast" get "$uri/demo")" hello "another collection: by name"
is "$("$coapcast" get "$uri/topics/data/demo")" hello "another collection: by the URI of the data"
is "$("$coapcast" ls "$uri")" demo "another collection: ls"
exits 0 "pub creates a topic" "$coapcast" pub -m new "$uri/a/b"
is "$("$coapcast" get "$uri/a/b")" new "which is there"
stop_broker
done_testing
