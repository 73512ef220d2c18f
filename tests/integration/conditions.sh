#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Conditional requests and what else coap-client cannot say: ETag, If-Match,
# If-None-Match, Accept, No-Response, duplicates, ping, unknown options, datagram by
# datagram.
. "${srcdir:-.}/tests/lib.sh"
free_port

cat >"$tmp/coapcast.yaml" <<END
listen: [ "coap://[::]:$port" ]
topics:
  - { name: demo, content-format: 0, initialize: "hello" }
  - { name: empty, content-format: 0 }
END
start_broker "$tmp/coapcast.yaml"

# ask HOST MESSAGE...: what comes back, without where it comes from.
ask() {
	local host=$1
	shift
	"$talk" "$host:$port" "$@" | sed -n 's/^< [^ ]* //p'
}

for host in 127.0.0.1 "[::1]"; do
	answer=$(ask "$host" "con get mid=0101 token=c0ffee /ps/data/demo")
	like "$answer" '^ack 2\.05 mid=0101 token=c0ffee etag=[0-9a-f]+ format=0 "hello"$' \
		"$host: RFC 7252 5.2.1, piggybacked, with the token of the request"
	etag=$(sed -n 's/.* etag=\([0-9a-f]*\) .*/\1/p' <<<"$answer")

	is "$(ask "$host" "con get mid=0102 /ps/data/demo etag=$etag")" \
		"ack 2.03 mid=0102 etag=$etag" "$host: RFC 7252 5.10.6.2, still valid"
	is "$(ask "$host" "con get mid=0103 /ps/data/demo etag=01 etag=$etag")" \
		"ack 2.03 mid=0103 etag=$etag" "$host: one of several is"
	like "$(ask "$host" "con get mid=0104 /ps/data/demo etag=0102030405060708")" \
		'^ack 2\.05 .* "hello"$' "$host: none is"

	is "$(ask "$host" "con put mid=0105 /ps/data/demo if-match=0102 text=no")" \
		"ack 4.12 mid=0105" "$host: RFC 7252 5.10.8.1, If-Match fails"
	is "$(ask "$host" "con put mid=0106 /ps/data/demo if-match=$etag text=hello")" \
		"ack 2.04 mid=0106" "$host: If-Match holds"
	is "$(ask "$host" "con put mid=0107 /ps/data/demo if-none-match text=no")" \
		"ack 4.12 mid=0107" "$host: RFC 7252 5.10.8.2, If-None-Match fails"
	is "$(ask "$host" "con put mid=0108 /ps/data/empty if-match= text=no")" \
		"ack 4.12 mid=0108" "$host: an empty If-Match wants something there"
	is "$(ask "$host" "con put mid=0109 /ps/data/empty if-none-match text=x" \
		"con delete mid=010a /ps/data/empty")" $'ack 2.01 mid=0109\nack 2.02 mid=010a' \
		"$host: If-None-Match holds"

	like "$(ask "$host" "con get mid=010b /ps/data/demo accept=0")" '^ack 2\.05 ' \
		"$host: RFC 7252 5.10.4, Accept"
	is "$(ask "$host" "con get mid=010c /ps/data/demo accept=50")" "ack 4.06 mid=010c" \
		"$host: not acceptable"

	# RFC 7252 5.4.1: 9 is a critical option nobody has, 2048 is elective.
	like "$(ask "$host" "con get mid=010d /ps/data/demo 9=00")" '^ack 4\.02 mid=010d' \
		"$host: RFC 7252 5.4.1, an unknown critical option"
	like "$(ask "$host" "con get mid=010e /ps/data/demo 2048=00")" '^ack 2\.05 ' \
		"$host: an unknown elective one"
	is "$(ask "$host" "con get mid=010f /x 35=$(printf coap://a/b | od -An -tx1 | tr -d ' \n')")" \
		"ack 5.05 mid=010f" "$host: RFC 7252 5.7.2, not a proxy"

	is "$(ask "$host" "con empty mid=0110")" "rst empty mid=0110" \
		"$host: RFC 7252 4.3, a ping"
	is "$(ask "$host" "raw=4f010111")" "rst empty mid=0111" \
		"$host: RFC 7252 3, a token of 15 bytes is malformed"

	# The same message again: the same answer, and it runs once (RFC 7252 4.5).
	is "$("$talk" -b "$host:$port" "con post mid=0112 /ps format=606 hex=a2006474776963026c636f72652e70732e64617461" \
		"con post mid=0112 /ps format=606 hex=a2006474776963026c636f72652e70732e64617461" |
		grep -c '^< .* ack 2\.01 mid=0112 location=/ps/twic ')" 2 \
		"$host: RFC 7252 4.5, a duplicate POST gets the answer of the first"
	is "$(ask "$host" "con delete mid=0113 /ps/twic")" "ack 2.02 mid=0113" "$host: it was made once"

	# RFC 7967 2.1: 26 is 2+8+16, all classes.
	is "$("$talk" -b -n 1 "$host:$port" "non put mid=0114 /ps/data/demo 258=1a text=hello" \
		"con empty mid=0115" | grep '^<' | sed 's/^< [^ ]* //')" "rst empty mid=0115" \
		"$host: RFC 7967 2.1, no response wanted, none sent"

	# Deregistration by RST of a notification (RFC 7641 3.6 and 4.5).
	reply=$("$talk" -b -n 2 "$host:$port" "con get mid=0116 token=0a observe=0 /ps/data/demo" \
		"con get mid=0117 token=0a observe=1 /ps/data/demo")
	is "$(grep -c ' ack 2\.05 mid=0116 token=0a .*observe=[0-9]' <<<"$reply") \
$(grep ' mid=0117 ' <<<"$reply" | grep '^<' | grep -c observe=)" "1 0" \
		"$host: RFC 7641 3.1 and 3.6, register and deregister"
done

stop_broker
done_testing
