#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# 10 % loss in either direction at every host: registrations, informative responses and
# notifications get lost, and still every subscriber ends with the newest value. Where the
# last notification was lost, the one that follows after its Max-Age brings it, and where
# that is lost too the subscriber asks (product.md: within 5 s more).
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/netns/hall.sh"
hall_begin "$@"
max_age=5
hall_conf "threshold: 3, max-age: ${max_age}s"
start_broker "$tmp/coapcast.yaml" -v

for host in "${hosts[@]}"; do
	host_loses "$host" 10
done

names=()
for host in "${hosts[@]}"; do
	for family in 4 6; do
		case $family in
		4) uri="coap://${host_ip4[b]}/demo" ;;
		6) uri="coap://[${host_ip6[b]}]/demo" ;;
		esac
		for i in 1 2; do
			names+=("$host-$family-$i")
			sub "$host-$family-$i" "$host" "$uri"
		done
	done
done

# Some are moved at once, some after retransmissions, which take up to 93 s (RFC 7252 4.8.2),
# first of the registration and then of the informative response.
n_moved() {
	grep -l 'moved to' "$tmp"/h*.err 2>/dev/null | wc -l
}
all_moved() {
	[ "$(n_moved)" -eq ${#names[@]} ]
}
wait_until 150 all_moved
ok $? "all ${#names[@]} subscribers are moved in spite of the loss"
for name in "${names[@]}"; do
	if ! has_line "$tmp/$name.err" 'moved to'; then
		sed "s/^/$name: /" "$tmp/$name.err" | comment
	fi
done

# The publisher loses nothing: it is on the broker's host.
capture_start wire b
mapfile -t values < <(seq -f 'value %g' 1 100)
pub "coap://127.0.0.1/demo" "${values[@]}"
published=$EPOCHREALTIME
have() {
	has_value "value 100" "${names[@]}"
}
n_at_once=0
for name in "${names[@]}"; do
	if has_value "value 100" "$name"; then
		n_at_once=$((n_at_once + 1))
	fi
done
# The question, or what is said to it, may get lost as well, and is repeated after 2 to 3 s.
wait_until $((max_age + 5 + 1 + 10)) have
ok $? "every subscriber has the newest value"
took=$(awk "BEGIN { printf \"%.1f\", $EPOCHREALTIME - $published }")
capture_stop wire
echo "# $n_at_once of ${#names[@]} had it at once, all after $took s"

# The capture is before the loss: the broker repeated nothing but what got too old, which
# the value before the publishes and the last one may have.
for group in "$group4" "$group6"; do
	to_group wire "$group" | payloads | grep -vx -e first -e 'value 100' >"$tmp/seen"
	is "$(cat "$tmp/seen")" "$(printf '%s\n' "${values[@]:0:99}")" \
		"$group: one datagram per publish"
done

# What a subscriber prints is in order, without repetition, whatever was lost.
n_good=0 n_values=0
for name in "${names[@]}"; do
	grep '^value' "$tmp/$name.out" | sed 's/value //' >"$tmp/numbers"
	n_values=$((n_values + $(wc -l <"$tmp/numbers")))
	if sort -nu -c "$tmp/numbers"; then
		n_good=$((n_good + 1))
	fi
done
is "$n_good" "${#names[@]}" "every subscriber printed what it got in order, none twice"
echo "# $n_values of $((100 * ${#names[@]})) values arrived"
rc=1
if [ "$n_values" -lt $((100 * ${#names[@]})) ] && [ "$n_values" -gt $((70 * ${#names[@]})) ]; then
	rc=0
fi
ok $rc "and there was loss, about as much as there should be"

stop_broker
done_testing
