#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# As many sessions as there may be, all of which observe; and one that stops reading.
. "${srcdir:-.}/tests/lib.sh"
# What AddressSanitizer holds back of freed memory is not the broker's.
export ASAN_OPTIONS=quarantine_size_mb=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}
free_port
plain=$port
free_port
secure=$port

cat >"$tmp/coapcast.yaml" <<END
listen:
  - coap://127.0.0.1:$plain
  - coap+tcp://127.0.0.1:$plain
  - coaps://127.0.0.1:$secure
  - coaps+tcp://127.0.0.1:$secure
identities:
  - { name: sensor-1, psk: { identity: sensor-1, key: "text:the first key" } }
topics:
  - { name: demo, content-format: 0, initialize: hello }
END
chmod 600 "$tmp/coapcast.yaml"
start_broker "$tmp/coapcast.yaml"

# The resident memory of the broker, in kB.
memory() {
	sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/${spawned[broker]}/status"
}

# crowd NAME SCHEME PORT N: N sessions that observe; what is written to descriptor 3 is published.
crowd() {
	rm -f "$tmp/$1.in"
	mkfifo "$tmp/$1.in"
	# shellcheck disable=SC2016 # expanded in there
	spawn "$1" sh -c 'exec <"$1" && shift && exec "$@"' sh "$tmp/$1.in" \
		"$top_builddir/tests/tools/streams" "$2" "$3" "$4" /ps/data/demo sensor-1 "the first key"
	exec 3>"$tmp/$1.in"
	wait_lines "$tmp/$1.out" 1 120
}

# --- limits.sessions, by default 500 ---------------------------------------------------------
for scheme in coap+tcp coaps coaps+tcp; do
	at=$secure
	[ "$scheme" != coap+tcp ] || at=$plain
	refused=$(broker_counter sessions refused)
	crowd all "$scheme" "$at" 500
	is "$(cat "$tmp/all.out")" "observing 500 of 500" "$scheme: 500 sessions observe"
	is "$(broker_counter sessions open)" 500 "$scheme: and are all that there may be"
	comment <<<"$scheme: $(memory) kB"
	for i in 1 2 3; do
		echo "$scheme $i" >&3
		wait_lines "$tmp/all.out" $((i + 1)) 40
		like "$(tail -n 1 "$tmp/all.out")" '^told 500 of 500 in ' "$scheme: all are told, $i"
	done
	comment <"$tmp/all.out"
	ms=$(sed -n 's/.* in \([0-9]*\)\..*/\1/p' "$tmp/all.out" | sort -n | tail -n 1)
	ok $((ms > 1000 * TEST_TIME_FACTOR)) "$scheme: within a second"
	is "$(broker_counter sessions refused)" "$refused" "$scheme: none was refused"
	exec 4>&3
	crowd one coap+tcp "$plain" 1
	is "$(cat "$tmp/one.out")" "observing 0 of 1" "$scheme: one more is refused"
	is "$(broker_counter sessions refused)" $((refused + 1)) "$scheme: and counted"
	exec 3>&-
	finish one
	echo "$scheme again" >&4
	wait_lines "$tmp/all.out" 5 40
	like "$(tail -n 1 "$tmp/all.out")" '^told 500 of 500 in ' "$scheme: nobody else noticed"
	exec 4>&-
	finish all
	wait_until 20 counter_is sessions open 0
	ok $? "$scheme: they leave"
done

# --- one that stops reading -----------------------------------------------------------------
# Each notification has a kilobyte: 256 that are not read for a while are enough (coapcastd(8)).
printf -v filler '%01000d' 0
for i in {1..600}; do
	echo "$i $filler"
done >"$tmp/lines"
spawn reader "$coapcast" sub "coap+tcp://127.0.0.1:$plain/demo"
wait_lines "$tmp/reader.out" 1
before=$(memory)
# It reads its stdin from then on, and nothing else.
crowd slow coap+tcp "$plain" 1
is "$(cat "$tmp/slow.out")" "observing 1 of 1" "one observes, and then reads no more"
head -n 200 "$tmp/lines" | "$coapcast" pub -l "coap://127.0.0.1:$plain/demo"
is "$(broker_counter sessions open) $(broker_counter sessions unread)" "2 0" \
	"it is borne with for 200 kB"
tail -n 400 "$tmp/lines" | "$coapcast" pub -l "coap://127.0.0.1:$plain/demo"
is "$?" 0 "what is published meanwhile is published"
wait_until 30 counter_is sessions unread 1
ok $? "ten seconds after 256 KiB it is cut off, which is counted"
is "$(broker_counter sessions open)" 1 "another one, which reads, is not"
wait_line "$tmp/reader.out" '^600 '
ok $? "and gets everything"
is "$(grep -c "^[0-9]* 0" "$tmp/reader.out")" 600 "all of it"
after=$(memory)
ok $((after - before > 4000)) "the broker keeps little of it ($before kB, then $after kB)"
exec 3>&-
finish slow
stop reader INT
stop_broker
done_testing
