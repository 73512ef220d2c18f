#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Sequence numbers of OSCORE (RFC 8613 7.2.1, B.1.1): none is used twice when what was put down is
# lost, at once and again, by the daemon or by coapcast; and processes that share a file of
# them do not get in each other's way.
. "${srcdir:-.}/tests/lib.sh"
free_port
broker=$port
free_port
warded=$port
secret=0102030405060708090a0b0c0d0e0f10
ward=$top_builddir/tests/tools/ward

cat >"$tmp/coapcast.yaml" <<END
listen: "coap://127.0.0.1:$broker"
security: { nosec: deny }
identities:
  - { name: panel, oscore: { sender-id: hex:03, recipient-id: hex:01,
      master-secret: hex:$secret } }
  - { name: sensor, oscore: { sender-id: hex:03, recipient-id: hex:02,
      master-secret: hex:${secret}11 } }
access:
  - { who: "*", topics: "*", may: [ discover, read, subscribe, publish ] }
topics:
  - { name: demo, content-format: 0, initialize: hello }
  - { name: other, content-format: 0, initialize: hello }
  - { name: third, content-format: 0, initialize: hello }
END
cat >"$tmp/credentials.yaml" <<END
identities:
  - { name: sensor, oscore: { sender-id: hex:02, recipient-id: hex:03,
      master-secret: hex:${secret}11 } }
END
chmod 600 "$tmp"/*.yaml
uri=coap://127.0.0.1:$broker/demo
as=(--credentials "$tmp/credentials.yaml")
file=$tmp/credentials.yaml.ssn

# --- the broker's state is lost, and it is started anew at once -----------------------------
spawn ward "$ward" -s 01 -r 03 -k "$secret" "127.0.0.1:$warded" "127.0.0.1:$broker"
wait_line "$tmp/ward.out" '^ready' || bail "no ward"

n_numbers() {
	grep -c '^< piv=[0-9a-f]' "$tmp/ward.out"
}

more_than() { # N
	[ "$(n_numbers)" -gt "$1" ]
}

for i in 1 2 3 4 5; do
	start_broker "$tmp/coapcast.yaml"
	before=$(n_numbers)
	spawn sub "$talk" -e -w 20 "127.0.0.1:$warded" "con get observe=0 /ps/data/demo"
	wait_line "$tmp/sub.out" '^< .* 2\.05 ' || bail "no answer after start $i"
	"$coapcast" pub "${as[@]}" -m "$i" "$uri" 2>&1 | comment
	wait_until 10 more_than "$before"
	ok $? "start $i: a notification has a number of the broker's"
	stop sub KILL 2>/dev/null
	stop broker KILL 2>/dev/null
done
sed -n 's/^< piv=\([0-9a-f]\{1,\}\) .*/\1/p' "$tmp/ward.out" >"$tmp/numbers"
comment <"$tmp/numbers"
is "$(sort "$tmp/numbers" | uniq -d)" "" "no two brokers that knew nothing of each other used the same"

# --- coapcast's file is lost --------------------------------------------------------------------
start_broker "$tmp/coapcast.yaml"
# upto: the number that comes next; a run of two requests or so took those below.
upto() {
	awk 'NR == 3 { print $2 }' "$file"
}
last=0
for i in 1 2 3; do
	rm -f "$file"
	is "$("$coapcast" get "${as[@]}" "$uri")" hello "get without the file ($i)"
	is "$(($(upto) > last + 1))" 1 "begins above those that were used"
	last=$(upto)
done

# --- several at once ------------------------------------------------------------------------------
publish() { # WHO: the exit status of each that failed
	local i
	for i in $(seq 25); do
		"$coapcast" pub "${as[@]}" -m "$1.$i" "$uri" 2>>"$tmp/err.$1" || echo "$?"
	done
}
rm -f "$file"
pids=()
for who in 1 2 3 4 5 6 7 8; do
	publish "$who" >"$tmp/failed.$who" &
	pids+=($!)
done
wait "${pids[@]}"
cat "$tmp"/err.? | sort | uniq -c | comment
is "$(cat "$tmp"/failed.? | sort | uniq -c)" "" "8 processes with one file: 200 publishes, all of status 0"
like "$("$coapcast" get "${as[@]}" "$uri")" '^[1-8]\.25$' "the last one is there"
rm -f "$file"
for who in 1 2 3; do
	spawn "sub-$who" "$coapcast" sub "${as[@]}" "$uri" "${uri%demo}other" "${uri%demo}third"
done
for who in 1 2 3; do
	wait_lines "$tmp/sub-$who.out" 3
	ok $? "$who of 3 at once that begin without a file: all of three topics"
	stop "sub-$who" INT
	is "$? $(grep -c . "$tmp/sub-$who.err")" "0 0" "and nothing is wrong"
done
stop_broker
done_testing
