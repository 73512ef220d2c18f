#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What an attacker on the network can do to those under object security: everything that was
# sent, changed or sent again from the broker's address to the group, and to the broker. Each
# is met with the right error or with silence, and nobody takes it for a value.
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/netns/hall.sh"
hall_begin "$@"
umask 077
keys=$tmp/keys
for who in one pub; do
	"$coapcast" keygen identity -o "$keys" $who >>"$tmp/made.out" || bail "no keys"
done
"$coapcast" keygen identity -o "$keys" --psk three >>"$tmp/made.out" || bail "no keys"
"$coapcast" keygen group -o "$keys" --managed external --members one,three --gid feedca \
	--join-uri coap://gm.example/hall hall >>"$tmp/made.out" || bail "no keys"
for who in one three; do
	cat "$keys/$who/$who.yaml" "$keys/$who/hall.yaml" >"$keys/$who/credentials.yaml"
done
# h6 has the broker's address, too, of which it tells nobody.
in_host h6 sh -c "ip link set eth0 arp off && ip address add ${host_ip4[b]}/24 dev eth0"
cat >"$keys/broker/coapcast.yaml" <<-END
	listen: [ "coap://[::]:5683", "coaps://[::]:5684" ]
	security: { nosec: deny }
	groups:
	  - { name: hall, address: 239.255.17.4, interface: eth0, topics: [ "*" ], threshold: 1,
	      max-age: 1h, oscore: hall }
	topics: [ { name: demo, content-format: 0, initialize: "first" } ]
END
start_broker "$keys/broker/coapcast.yaml" -v

member() { # NAME HOST SCHEME
	sub "$1" "$2" "$3://${host_ip4[b]}/demo" --json --identity "$1" \
		--credentials "$keys/$1/credentials.yaml"
	wait_line "$tmp/$1.err" 'moved to 239\.255\.17\.4:5683 .*, protected' || bail "$1 is not moved"
}
say() {
	in_host h5 "$coapcast" pub -m "$1" --identity pub --credentials "$keys/pub/pub.yaml" \
		"coap://${host_ip4[b]}/demo"
}
values() { # NAME: what it was given, each value once
	sed -n 's/.*"payload":"\([^"]*\)".*"verified":true.*/\1/p' "$tmp/$1.out" | paste -sd' '
}
capture_start all b
member one h1 coap
member three h3 coaps
published="first"
# goes_on WHAT: the next value comes, and nothing but such values came.
n=0
goes_on() {
	local name
	n=$((n + 1))
	say "value-$n"
	published+=" value-$n"
	for name in one three; do
		wait_line "$tmp/$name.out" "\"value-$n\""
		is "$(values $name)" "$published" "$1: $name has what was published, and that once"
		is "$(wc -l <"$tmp/$name.out")" $((n + 1)) "$1: and nothing else"
	done
}
goes_on "at first"
capture_stop all

# --- to the group ----------------------------------------------------------------------------
line=$("$packets" -r "$tmp/all.pcap" | grep -F " > $group4 " | tail -n 1)
raw=${line##* raw=}
token=$(sed -n 's/.* token=\([0-9a-f]*\) .*/\1/p' <<<"$line")
option=$(sed -n 's/.* 9=\([0-9a-f]*\) .*/\1/p' <<<"$line")
like "$option" '^2[9a-d][0-9a-f]{2,10}00$' "a notification in group mode: number and kid"
n_piv=$((16#${option:1:1} & 7))
piv=${option:2:2*n_piv}
# header DELTA LENGTH: of an option (RFC 7252 3.1).
header() {
	if [ "$2" -lt 13 ]; then
		printf '%x%x' "$1" "$2"
	else
		printf '%xd%02x' "$1" $(($2 - 13))
	fi
}
delta=3 # from Observe; 9 in a request without it
# with OPTION: the message with another OSCORE option (and so another length of it).
with() {
	local old
	old=$(header $delta $((${#option} / 2)))$option
	echo "${raw/"$old"/$(header $delta $((${#1} / 2)))$1}"
}
flipped() { # AT: one bit in the byte that many from the start
	local byte=$((16#${raw:2*$1:2} ^ 1))
	printf '%s%02x%s' "${raw:0:2*$1}" $byte "${raw:2*$1+2}"
}
# throw DATAGRAM...: from the broker's address and port to the group.
n_thrown=0
throw() {
	local d words=()
	for d; do
		words+=("raw=$d")
	done
	spawn throw in_host h6 "$talk" -b -q -n 0 -w 60 -a "$server4" "$group4" "${words[@]}"
	wait_lines "$tmp/throw.out" $# || bail "nothing was sent: $(cat "$tmp/throw.err")"
	stop throw KILL 2>/dev/null
	n_thrown=$((n_thrown + $#))
}
mid() { # MID: the same as another message
	echo "${raw:0:4}$1${raw:8}"
}
bytes=$((${#raw} / 2))
cut=()
for ((i = 4; i < bytes; i += 3)); do
	cut+=("${raw:0:2*i}")
done
later=$(printf "%0$((2 * n_piv))x" $((16#$piv + 1)))

capture_start thrown h1 "udp and dst host 239.255.17.4"
throw "$raw" "$(mid 1234)" "$(mid 9999)"
goes_on "replays"
throw "$(flipped $((bytes - 1)))" "$(flipped $((bytes - 40)))"
goes_on "forged: another signature"
throw "$(flipped $((bytes - 70)))"
goes_on "forged: another ciphertext"
throw "$(with "${option:0:2}${later}00")"
goes_on "forged: a later number"
throw "${cut[@]}"
goes_on "truncated"
throw "$(with "3${option:1:1}${piv}03abcdef00")"
goes_on "wrong Gid"
throw "$(with "3${option:1:1}${piv}03feedca00")" "$(with "3${option:1:1}${later}03feedca00")"
goes_on "the Gid, where it was not"
throw "$(with "${option:0:2}${later}01")" "$(with "${option:0:2}${piv}01")"
goes_on "their own kid reflected"
throw "$(with "${option:0:2}${later}7f")" "$(with "${option:0:2}$later")"
goes_on "unknown kid"
throw "5445aaaa${token}63ffff00ff6576696c" "5445aaab${token}62ffffff6576696c"
goes_on "not protected"
throw "54a3aaac$token" "5484aaad$token"
goes_on "a cancellation that is not protected"
throw "54a3aaae${token}32${option:0:2}00ff${raw: -160}"
goes_on "a cancellation that is forged"
capture_stop thrown
is "$(capture_count thrown "udp port 5683")" $((n_thrown + n - 1)) "all of that was on the network"
is "$(cat "$tmp"/{one,three}.err | grep -c 'cancelled')" 0 "and none of it ended anything"
like "$(cat "$tmp/one.err")" 'messages to the group could not be verified and were dropped' "it is said"

# --- to the broker ----------------------------------------------------------------------------
# The publisher's last request, and the broker's notification, sent back. From another port
# than theirs the message layer has not seen them.
publish=$("$packets" -r "$tmp/all.pcap" | grep -F " > $server4 " | grep -F "${host_ip4[h5]}:" |
	grep ' con post ' | tail -n 1)
raw=${publish##* raw=}
option=$(sed -n 's/.* 9=\([0-9a-f]*\) .*/\1/p' <<<"$publish")
n_piv=$((16#${option:1:1} & 7))
piv=${option:2:2*n_piv}
kid=${option:2+2*n_piv}
bytes=$((${#raw} / 2))
delta=9
like "$option" '^0[9a-d][0-9a-f]*$' "a request: number and kid"
# answer DATAGRAM: the code, and the diagnostic, of what comes to it.
answer() {
	in_host h7 "$talk" -w "${wait_s:-5}" "$server4" "raw=$1" |
		sed -n 's/^< [^ ]* rst .*/rst/p; s/^< [^ ]* [a-z]* \([2-5]\.[0-9]*\) [^"]*\("\(.*\)"\|$\)/\1 \3/p'
}
is "$(answer "$raw")" "4.01 Replay detected" "a replay"
# One that the publisher has not come to yet.
later=$(printf "%0$((2 * n_piv))x" $((16#$piv + 4096)))
raw=$(with "${option:0:2}$later$kid")
option=${option:0:2}$later$kid
is "$(answer "$(flipped $((bytes - 1)))")" "4.00 Decryption failed" "forged: another tag"
is "$(answer "$raw")" "4.00 Decryption failed" "forged: a later number"
is "$(answer "$(with "${option:0:2}$later${kid}77")")" "4.01 Security context not found" "unknown kid"
is "$(answer "$(with "1${option:1:1}${later}03feedca$kid")")" "4.01 Security context not found" \
	"another context's kid"
is "$(answer "$(with "1${option:1:1}${later}03feedcb$kid")")" "4.01 Security context not found" "wrong Gid"
is "$(answer "$(with "e${option:1:1}$piv$kid")")" "4.02 Failed to decode COSE" "reserved bits"
# In group mode, as a member, and as the broker itself.
is "$(answer "$(with "3${option:1:1}${later}03feedca01")")" "4.00 Decryption failed" \
	"in a member's place"
is "$(answer "$(with "3${option:1:1}${later}03feedca7f")")" "5.03 " "unknown kid of the group"
wait_s=1
is "$(answer "$(with "3${option:1:1}${later}03feedca00")")" "" "its own kid reflected: silence"
forged=$raw
raw=${line##* raw=}
like "$(answer "$raw")" '^(rst)?$' "its own notification sent back"
raw=$forged
before=$(broker_counter oscore requests)
words=()
for ((i = 1; i < bytes; i++)); do
	printf -v word '%04x' $((0x7000 + i)) # each a message of its own
	word=${raw:0:4}$word${raw:8}
	words+=("raw=${word:0:2*i}")
done
spawn cut in_host h7 "$talk" -b -q -n 0 -w 60 "$server4" "${words[@]}"
wait_until 10 grep -qE "^< .* 4\.00 " "$tmp/cut.out"
ok $? "truncated at every length"
is "$(answer "${publish##* raw=}")" "4.01 Replay detected" "it is there after all of them"
stop cut KILL 2>/dev/null
is "$(sed -n 's/^< [^ ]* [a-z]* \([2-5]\.[0-9]*\) .*/\1/p' "$tmp/cut.out" | sort -u | paste -sd' ')" \
	"4.00 4.01 4.02" "with errors of object security and nothing else"
is "$(broker_counter oscore requests)" "$before" "not one of them was run"
goes_on "after all that"
for name in one three; do
	stop "$name" INT
	is "$?" 0 "$name ends with status 0"
done
stop_broker
done_testing
