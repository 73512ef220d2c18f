#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# coapcast decode of captures of a group observation: as Ethernet, as Linux's cooked captures
# of both kinds, from a pipe, cut short and spoilt. What is protected is in unit tests.
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/netns/hall.sh"
hall_begin "$@"
hall_conf "threshold: 2"
start_broker "$tmp/coapcast.yaml" -v

# cooked NAME TYPE: the same once more on all interfaces of h1.
cooked() {
	spawn "$1" in_host h1 tcpdump -Z root --immediate-mode -U -n -i any -y "$2" -w "$tmp/$1.pcap" udp
	wait_line "$tmp/$1.err" 'listening on' || bail "tcpdump does not start"
}
capture_start eth b
cooked sll LINUX_SLL
cooked sll2 LINUX_SLL2
sub one h1 "coap://${host_ip4[b]}/demo"
wait_line "$tmp/one.out" first || bail "no subscriber"
sub two h2 "coap://${host_ip4[b]}/demo"
wait_line "$tmp/one.err" 'moved to' || bail "nobody was moved"
wait_line "$tmp/two.err" 'moved to' || bail "nobody was moved"
pub "coap://${host_ip4[b]}/demo" second third
wait_until 10 has_value third one two
ok $? "there is a group observation"
capture_stop eth
heard() { # NAME
	"$coapcast" decode "$tmp/$1.pcap" | grep -q '"third" \[group observation'
}
for name in sll sll2; do
	wait_until 10 heard "$name"
	ok $? "$name: the last notification"
	stop "$name" INT
done

# run STATUS NAME COMMAND...: its output is in out and err.
run() {
	local wanted=$1 name=$2 rc=0
	shift 2
	"$@" >"$tmp/out" 2>"$tmp/err" || rc=$?
	is "$rc" "$wanted" "$name"
}

# --- what it says ---------------------------------------------------------------
run 0 "a capture" "$coapcast" decode "$tmp/eth.pcap"
cp "$tmp/out" "$tmp/eth.txt"
is "$(grep -c '^[0-9]' "$tmp/eth.txt")" "$(capture_show eth | wc -l)" "a line for each message"
broker=${server4//./\\.}
like "$(cat "$tmp/eth.txt")" "$(printf '%s' "[0-9:]{8}\.[0-9]{6} ${host_ip4[h2]//./\\.}:[0-9]+ > $broker " \
	'CON GET mid=[0-9a-f]{4} token=[0-9a-f]+ observe=0 /ps/data/demo')" "the registration"
like "$(cat "$tmp/eth.txt")" "> ${host_ip4[h2]//./\\.}:[0-9]+ [A-Z]+ 5\.03 mid=[0-9a-f]{4} token=[0-9a-f]+ .*content-format=65001 .*<informative response, [0-9]+ bytes> \[to GET /ps/data/demo\]" \
	"its answer"
token=$(sed -n 's/.* > 239.255.17.4:5683 NON .* token=\([0-9a-f]*\) .*/\1/p' "$tmp/eth.txt" | sort -u)
like "$(cat "$tmp/eth.txt")" "
    informative response: integer and text keys
    tp_info: server=$broker group=239\.255\.17\.4:5683 token=$token
" "which is explained"
like "$(cat "$tmp/eth.txt")" "
    ph_req: GET observe=0 /ps/data/demo
" "with the phantom request"
like "$(cat "$tmp/eth.txt")" "
    last_notif: 2\.05 .*\"first\"
" "and the last notification"
is "$(grep -c "$broker > 239\.255\.17\.4:5683 NON 2\.05 .*\[group observation of GET /ps/data/demo\]\$" "$tmp/eth.txt")" \
	2 "notifications are told what they are of"
messages() { # FILE: from h1 or to it, without times
	sed -n 's/^[^ ]* \(.*'"${host_ip4[h1]//./\\.}"':.*\)/\1/p' "$1"
}
for name in sll sll2; do
	run 0 "$name" "$coapcast" decode "$tmp/$name.pcap"
	is "$(messages "$tmp/out")" "$(messages "$tmp/eth.txt")" "$name: the same as on the wire"
done
# shellcheck disable=SC2016 # for the inner shell
run 0 "from a pipe" bash -c '"$1" decode - <"$2"' sh "$coapcast" "$tmp/eth.pcap"
is "$(cat "$tmp/out")" "$(cat "$tmp/eth.txt")" "the same again"
run 0 "with the daemon's configuration" "$coapcast" decode -v --config "$tmp/coapcast.yaml" \
	"$tmp/eth.pcap"
like "$(cat "$tmp/err")" "coapcast: $(capture_show eth | wc -l) CoAP messages, 1 other" "and a count"
run 0 "as JSON" "$coapcast" decode --json "$tmp/eth.pcap"
is "$(wc -l <"$tmp/out")" "$(capture_show eth | wc -l)" "an object for each message"
like "$(grep '"value":606\|"to":"239' "$tmp/out" | tail -n 1)" \
	'"payload":"third".*"answers":"GET /ps/data/demo","group_observation":true}' "the last notification"

# --- what is spoilt -------------------------------------------------------------
size=$(stat -c %s "$tmp/eth.pcap")
head -c $((size - 100)) "$tmp/eth.pcap" >"$tmp/cut.pcap"
run 1 "cut short" "$coapcast" decode "$tmp/cut.pcap"
like "$(cat "$tmp/err")" 'cut\.pcap: truncated dump file' "says so"
like "$(cat "$tmp/eth.txt")" "$(head -n 3 "$tmp/out" | sed 's/[][\.*^$+?(){}|]/\\&/g')" \
	"after what was there"
head -c 30 "$tmp/eth.pcap" >"$tmp/head.pcap"
run 1 "no whole packet" "$coapcast" decode "$tmp/head.pcap"
: >"$tmp/empty.pcap"
run 1 "empty" "$coapcast" decode "$tmp/empty.pcap"
like "$(cat "$tmp/err")" 'empty\.pcap: truncated dump file' "says so"
run 1 "no capture" "$coapcast" decode "$tmp/coapcast.yaml"
like "$(cat "$tmp/err")" 'coapcast\.yaml: unknown file format' "says so"
run 1 "not there" "$coapcast" decode "$tmp/none.pcap"
like "$(cat "$tmp/err")" 'none\.pcap: No such file' "says so"
# Another link type (PPP), and a packet that claims to be larger than memory.
{ head -c 20 "$tmp/eth.pcap"; printf '\x09\x00\x00\x00'; } >"$tmp/ppp.pcap"
run 1 "a link type that is not understood" "$coapcast" decode "$tmp/ppp.pcap"
like "$(cat "$tmp/err")" 'link type PPP is not understood' "says so"
{ head -c 32 "$tmp/eth.pcap"; printf '\xf0\xff\xff\x7f\xf0\xff\xff\x7f'; } >"$tmp/huge.pcap"
# shellcheck disable=SC2016
run 1 "a packet of 2 GB" bash -c 'ulimit -v 1000000; exec "$@"' sh "$coapcast" decode "$tmp/huge.pcap"
run 2 "two captures" "$coapcast" decode a b
like "$(cat "$tmp/err")" 'usage: coapcast decode ' "and the usage"
run 1 "a configuration that is none" "$coapcast" decode -c "$tmp/eth.pcap" "$tmp/eth.pcap"
# shellcheck disable=SC2016
run 1 "stdout full" bash -c 'exec "$@" >/dev/full' sh "$coapcast" decode "$tmp/eth.pcap"
stop_broker
done_testing
