#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Datagrams that are no CoAP messages, or broken ones, by the thousand: none of them
# gets an answer it should not get, and the daemon serves afterwards.
. "${srcdir:-.}/tests/lib.sh"
need_coap_client
free_port

cat >"$tmp/coapcast.yaml" <<END
broker: { limits: { peers: 1000, bodies: 4, exchanges: 64 } }
listen: [ "coap://[::]:$port" ]
topics: [ { name: demo, content-format: 0, initialize: "hello" } ]
END
start_broker "$tmp/coapcast.yaml"

# What must be answered by RST when Confirmable, and by silence when not (RFC 7252 4.2, 4.3).
broken=(
	"4f01"         # a token of 15 bytes
	"4101"         # a token that is not there
	"4001%M%f1"    # option delta 15
	"4001%M%1f"    # option length 15
	"4001%M%12aa"  # an option that ends too late
	"4001%M%e1"    # an extended delta that ends too late
	"4001%M%ff"    # a payload marker without a payload
	"4000%M%ff61"  # an empty message that is not empty
	"4020%M%"      # code class 1
	"40e0%M%"      # code class 7
)
n=0
for message in "${broken[@]}"; do
	n=$((n + 1))
	mid=$(printf '77%02x' $n)
	case $message in
	*%M%*) con=${message/\%M\%/$mid} ;;
	*) con=$message$mid ;;
	esac
	is "$("$talk" -b -n 1 "127.0.0.1:$port" "raw=$con" | sed -n 's/^< [^ ]* //p')" \
		"rst empty mid=$mid" "RFC 7252 4.2: $con is reset"
	# The same as NON, and a ping that is answered first of all.
	is "$("$talk" -b -n 1 "[::1]:$port" "raw=5${con:1}" "con empty mid=6666" |
		sed -n 's/^< [^ ]* //p')" "rst empty mid=6666" "RFC 7252 4.3: 5${con:1} is ignored"
done

# Noise, from many ports: random bytes of many lengths, and ones that begin like CoAP.
sent=$(broker_counter udp received)
for n in {1..20}; do
	noise=$(head -c 6000 /dev/urandom | od -An -v -tx1 | tr -d ' \n')
	batch=()
	for i in {1..100}; do
		bytes=${noise:(i - 1) * 120:2*(RANDOM % 60 + 1)}
		if [ $((i % 2)) -eq 0 ]; then
			bytes=4${bytes:1}
		fi
		batch+=("raw=$bytes")
	done
	"$talk" -b -q -n 1 -w 0 "127.0.0.1:$port" "${batch[@]}" >/dev/null
	# The receive buffer may not have room for all of it at once.
	wait_until 20 counter_reaches udp received $((sent + 100 * n)) || break
done
counter_reaches udp received $((sent + 2000))
ok $? "2000 datagrams of noise are received"

# Bodies that are begun and never ended (RFC 7959): more than there is room for.
batch=()
for i in {1..200}; do
	# Block1 0/1/16, a Request-Tag of its own
	batch+=("con put /ps/data/demo 27=08 292=$(printf %04x "$i") hex=$(printf '%032x' "$i")")
done
"$talk" -b -q -n 200 -w 20 "127.0.0.1:$port" "${batch[@]}" >"$tmp/bodies"
is "$(grep -c '^< .* ack ' "$tmp/bodies")" 200 "200 bodies begun: each first block is answered"
is "$(grep -c '^< .* ack 2\.31 ' "$tmp/bodies")" 4 "as many as the limit allows are taken"

is "$(client "coap://127.0.0.1:$port/ps/data/demo")" hello "it serves, over IPv4"
is "$(client "coap://[::1]:$port/ps/data/demo")" hello "and over IPv6"
like "$(broker_counter messages peers)" '^[0-9]{1,3}$|^1000$' "peers are within their limit"
like "$(broker_counter messages malformed)" '^[0-9]{2,}$' "the noise was counted"
stop_broker
done_testing
