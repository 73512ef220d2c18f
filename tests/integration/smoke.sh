#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The daemon starts, serves a coap-client on ::1 and 127.0.0.1, and stops.
. "${srcdir:-.}/tests/lib.sh"
need_coap_client
plan 5
free_port

cat >"$tmp/coapcast.yaml" <<END
listen: [ "coap://[::]:$port" ]
topics:
  - { name: demo, content-format: 0, initialize: "hello" }
END
start_broker "$tmp/coapcast.yaml"

client() {
	"$COAP_CLIENT" -B 5 "$@" 2>"$tmp/client.err"
}

is "$(client -m get "coap://127.0.0.1:$port/ps/data/demo")" hello "GET over IPv4"
is "$(client -m get "coap://[::1]:$port/ps/data/demo")" hello "GET over IPv6"
# coap-client's status is always 0, but it prints the code of an error.
is "$(client -m put -t 0 -e "good bye" "coap://127.0.0.1:$port/ps/data/demo")" "" "PUT"
is "$(client -m get "coap://[::1]:$port/ps/data/demo")" "good bye" "GET of what was PUT"

stop_broker
