#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# RFC 6347 4.2.1: a ClientHello from an address that is not proven costs the broker nothing,
# and keeps nobody out. Each here comes from another address, which never answers.
. "${srcdir:-.}/tests/lib.sh"
need coap-client-openssl
COAP_CLIENT=coap-client-openssl
# What AddressSanitizer holds back of freed memory is not the broker's.
export ASAN_OPTIONS=quarantine_size_mb=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}
RATE=2000 # a second
SECONDS_OF_IT=8
free_port
secure=$port

cat >"$tmp/coapcast.yaml" <<END
listen: [ "coaps://[::]:$secure" ]
identities:
  - { name: sensor-1, psk: { identity: sensor-1, key: "text:the first key" } }
topics:
  - { name: demo, content-format: 0, initialize: hello }
END
cat >"$tmp/credentials.yaml" <<END
identities:
  - { name: sensor-1, psk: { identity: sensor-1, key: "text:the first key" } }
END
chmod 600 "$tmp/coapcast.yaml" "$tmp/credentials.yaml"
start_broker "$tmp/coapcast.yaml"

# The resident memory of the broker, in kB.
memory() {
	sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/${spawned[broker]}/status"
}

# honest NAME AT: a client of ours and another one, each with a handshake of its own.
honest() {
	local from=$EPOCHREALTIME took_ms
	is "$("$coapcast" get -W 20 --credentials "$tmp/credentials.yaml" "coaps://$2/demo" 2>&1)" \
		hello "$1: coapcast"
	is "$("$COAP_CLIENT" -B 20 -u sensor-1 -k "the first key" "coaps://$2/ps/data/demo" 2>&1)" \
		hello "$1: coap-client"
	took_ms=$(((${EPOCHREALTIME/./} - ${from/./}) / 1000))
	ok $((took_ms >= 2000 * TEST_TIME_FACTOR)) "$1: both within 2 s ($took_ms ms)"
}

honest "before" "127.0.0.1:$secure"
honest "over IPv6" "[::1]:$secure"
before=$(memory)
spawn hellos "$top_builddir/tests/tools/hellos" "$secure" "$RATE" "$SECONDS_OF_IT"
# libcoap alone had 2000 of them for the half of a minute.
wait_until 20 counter_reaches sessions challenged 4000
ok $? "the flood is on"
for i in 1 2 3; do
	honest "meanwhile, $i" "127.0.0.1:$secure"
done
finish hellos 60
is "$?" 0 "the flood ends"
n=$(cat "$tmp/hellos.out")
ok $(($(broker_counter sessions challenged) < n * 9 / 10)) "nearly all of its $n were answered"
is "$(broker_counter sessions failed)" 0 "none counts as a handshake"
after=$(memory)
# 16,000 sessions of libcoap would be over 9 MB.
ok $((after - before > 6000)) "and nothing is kept of them ($before kB, then $after kB)"
honest "afterwards" "127.0.0.1:$secure"
stop_broker
done_testing
