#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Thousands of clients that register and never acknowledge what they get: another one
# does not wait for them (msg/exchange.c).
. "${srcdir:-.}/tests/lib.sh"
free_port
group=$port
free_port
# Another address than that of the crowd: it may have had the port that the client gets.
uri=coap://127.0.0.2:$port

configure() { # EXCHANGES
	cat >"$tmp/coapcast.yaml" <<-END
		broker: { limits: { exchanges: $1 } }
		listen: [ "coap://127.0.0.1:$port", "coap://127.0.0.2:$port" ]
		groups:
		  - { name: hall, address: 239.255.17.9, port: $group, interface: lo, threshold: 1 }
		topics:
		  - { name: demo, content-format: 0, initialize: "" }
		  - { name: other, content-format: 0, initialize: "hello" }
	END
}

# CON GET, Observe 0, /ps/data/demo; each from a socket of its own, closed at once.
crowd() { # COUNT
	local i id
	for ((i = 0; i < $1; i++)); do
		# No newline among them: it would end the datagram.
		printf -v id '\\x%02x\\x%02x' $((48 + i / 100)) $((48 + i % 100))
		# shellcheck disable=SC2059 # the message id and the token are escapes
		printf "\x44\x01${id}tk${id}\x60\x52ps\x04data\x04demo" >"/dev/udp/127.0.0.1/$port"
	done
}

configure 65536
start_broker "$tmp/coapcast.yaml"
crowd 6000
began=$EPOCHREALTIME
is "$(timeout 60 "$coapcast" sub -v -C 1 "$uri/other" 2>"$tmp/sub.err")" hello "one that is really there is moved"
# In order of arrival it would take over nine seconds.
took=$(awk "BEGIN { print $EPOCHREALTIME - $began }")
comment <<<"$took s"
has_line "$tmp/sub.err" "moved to"
ok $? "by a confirmable message"
is "$(awk "BEGIN { print ($took <= 4) }")" 1 "and does not wait for the others"
wait_line "$tmp/broker.err" "many clients acknowledge nothing"
ok $? "the log tells of them"
is "$(broker_counter messages refused-exchanges)" 0 "there was room for all"
stop_broker

# With room for fewer: an eighth of it is not for those whom nobody ever heard of.
configure 1600
start_broker "$tmp/coapcast.yaml"
crowd 2000
# The 1,600 are reached at once, as nobody acknowledges, and after a second fewer are left.
wait_until 20 counter_reaches messages crowded-out 1
ok $? "counted: those who were given up, so that there is room"
at_most() { # N
	[ "$(broker_counter messages exchanges)" -le "$1" ]
}
wait_until 20 at_most 1400
ok $? "seven eighths of limits.exchanges are for such"
is "$(timeout 60 "$coapcast" sub -v -C 1 "$uri/other" 2>"$tmp/sub.err")" hello "who comes then is served"
has_line "$tmp/sub.err" "moved to"
ok $? "and moved"
stop_broker
done_testing
