#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Figures for Prometheus over HTTP: `metrics.listen`. Nothing but GET /metrics, in a
# bounded number of connections that last a bounded time.
. "${srcdir:-.}/tests/lib.sh"
need curl
need_coap_client
free_port
at=127.0.0.1:$port
free_port
http=127.0.0.1:$port

cat >"$tmp/coapcast.yaml" <<END
listen: [ "coap://$at" ]
metrics: { listen: "$http" }
topics:
  - { name: demo, content-format: 0, initialize: "hello" }
END
start_broker "$tmp/coapcast.yaml"

# scrape: all there is.
scrape() {
	curl -sS -m 20 "http://$http/metrics"
}

# metric NAME: its value.
metric() {
	scrape | sed -n "s/^$1 //p"
}

metric_is() { # NAME VALUE
	[ "$(metric "$1")" = "$2" ]
}

# --- what is told -------------------------------------------------------------------------
is "$(client "coap://$at/ps/data/demo")" hello "a request"
is "$(client -m put -t 0 -e new "coap://$at/ps/data/demo")" "" "and a publish"
scrape >"$tmp/text"
is "$(sed -n 's/^coapcast_messages_requests_total //p' "$tmp/text")" 2 "two requests were counted"
is "$(sed -n 's/^coapcast_broker_publishes_total //p' "$tmp/text")" 1 "and one publish"
is "$(sed -n 's/^coapcast_broker_topics //p' "$tmp/text")" 1 "gauges are there"
is "$(grep -cvE '^# (HELP|TYPE) coapcast_[a-z_]+ [A-Za-z].*$|^coapcast_[a-z_]+({[a-z]+="[^"]*"})? [0-9]+$' \
	"$tmp/text")" 0 "every line is one of the format"
is "$(sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' "$tmp/text" | sort | uniq -d)" "" "each has one TYPE"
is "$(sed -n 's/^\(coapcast_[a-z_]*\).*/\1/p' "$tmp/text" | sort)" \
	"$(sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' "$tmp/text" | sort)" "and one value"
is "$(sed -n 's/^# HELP \([a-z_]*\) .*/\1/p' "$tmp/text" | sort)" \
	"$(sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' "$tmp/text" | sort)" "and one HELP"
is "$(curl -sS -m 20 -o /dev/null -w '%{http_code} %{content_type}' "http://$http/metrics?x=1")" \
	"200 text/plain; version=0.0.4; charset=utf-8" "the type is that of the format"

# The dump has the same figures under the same names.
kill -USR1 "${spawned[broker]}"
wait_line "$tmp/broker.log" 'state: groups '
scrape | sed -n 's/^coapcast_\(udp\|messages\|oscore\|broker\|refused\|groups\)_\([a-z_]*\) .*/\1 \2/p' |
	sed 's/_total$//; s/_/-/g' | sort >"$tmp/told"
grep -E 'state: (udp|messages|oscore|broker|refused|groups) ' "$tmp/broker.log" | sed 's/.*state: //' |
	awk '{ for (i = 2; i <= NF; i++) { sub(/=.*/, "", $i); print $1, $i } }' | sort >"$tmp/dumped"
is "$(cat "$tmp/told")" "$(cat "$tmp/dumped")" "SIGUSR1 dumps the same figures"

# coapcastd(8) has all of them, and no others.
is "$(sed -n 's/^\.It Li \(coapcast_[a-z_]*\)$/\1/p' "$top_srcdir/man/coapcastd.8" | sort)" \
	"$(sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' "$tmp/text" | sort)" "the page lists them all"

# --- what is refused ----------------------------------------------------------------------
code() {
	curl -sS -m 20 -o /dev/null -w '%{http_code}' "$@"
}
is "$(code "http://$http/")" 404 "another path: 404"
is "$(code "http://$http/metrics/x")" 404 "one below: 404"
is "$(code -X POST -d x=y "http://$http/metrics")" 405 "another method: 405"

# say TEXT: what is answered to these bytes.
say() {
	exec 4<>"/dev/tcp/${http%:*}/${http#*:}"
	printf '%b' "$1" >&4
	timeout 20 cat <&4
	exec 4>&-
}
like "$(say 'nonsense\r\n\r\n')" '^HTTP/1\.1 400 ' "no HTTP: 400"
like "$(say 'GET /metrics HTTP/2.0\r\n\r\n')" '^HTTP/1\.1 400 ' "another HTTP: 400"
like "$(say '\0\0\0\0\r\n\r\n')" '^HTTP/1\.1 400 ' "no text at all: 400"
like "$(say "GET /metrics HTTP/1.1\r\nX: $(printf %03000d 0)\r\n\r\n")" '^HTTP/1\.1 431 ' \
	"a head without end: 431"
like "$(say 'GET /metrics HTTP/1.0\r\n\r\n')" '^HTTP/1\.1 200 OK' "HTTP/1.0 will do"

# --- who is slow --------------------------------------------------------------------------
# Twelve that never finish their request: eight take all places, four wait in the kernel.
fds=()
for i in {1..12}; do
	exec {fd}<>"/dev/tcp/${http%:*}/${http#*:}"
	printf 'GET /met' >&"$fd"
	fds+=("$fd")
done
is "$(client "coap://$at/ps/data/demo")" new "slow ones do not hold up CoAP"
n_files=$(find "/proc/${spawned[broker]}/fd" | wc -l)
rc=0
[ "$n_files" -lt 40 ] || rc=1
ok $rc "nor take more than their number of descriptors"
is "$(metric coapcast_broker_topics)" 1 "who comes after them is answered when their time is up"
for fd in "${fds[@]}"; do
	timeout 20 cat <&"$fd" >"$tmp/slow.$fd"
	exec {fd}>&-
done
is "$(cat "$tmp"/slow.*)" "" "and they were answered nothing"

# --- refused to start ---------------------------------------------------------------------
cat >"$tmp/second.yaml" <<END
listen: [ "coap://127.0.0.2:${at#*:}" ]
metrics: { listen: "$http" }
END
rc=0
timeout 20 "$coapcastd" -c "$tmp/second.yaml" 2>"$tmp/second.err" || rc=$?
is "$rc" 69 "the port is somebody else's: 69"
like "$(cat "$tmp/second.err")" "metrics: cannot listen at $http: .*in use" "and it is said"

# Stopped while somebody is connected.
exec 5<>"/dev/tcp/${http%:*}/${http#*:}"
printf 'GET ' >&5
stop_broker
exec 5>&-
done_testing
