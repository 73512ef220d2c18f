#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Several listen addresses, and a wildcard one: every answer, and every notification,
# comes from the address and port that was asked (RFC 7252 5.3.2).
. "${srcdir:-.}/tests/lib.sh"
free_port
one=$port
free_port
two=$port
free_port
any=$port

cat >"$tmp/coapcast.yaml" <<END
listen:
  - coap://127.0.0.1:$one
  - coap://127.0.0.2:$one
  - coap://[::1]:$two
  - coap://[::]:$any
topics: [ { name: demo, content-format: 0, initialize: "0" } ]
END
start_broker "$tmp/coapcast.yaml" -v
is "$(grep -c 'server: listening on=' "$tmp/broker.log")" 4 "four addresses"

n=0
for where in "127.0.0.1:$one" "127.0.0.2:$one" "[::1]:$two" "[::1]:$any" "127.0.0.1:$any" \
	"127.0.0.3:$any" "127.1.2.3:$any"; do
	n=$((n + 1))
	spawn "sub$n" "$talk" -n 2 "$where" "con get token=5a observe=0 /ps/data/demo"
	wait_line "$tmp/sub$n.out" "^< .* ack 2\.05 "
	"$talk" "$where" "con put mid=00$n$n /ps/data/demo text=$n" >"$tmp/put"
	is "$(sed -n 's/^< //p' "$tmp/put")" "$where ack 2.04 mid=00$n$n" "$where: it answers"
	finish "sub$n"
	is "$(grep -cF "< $where " "$tmp/sub$n.out") $(grep -c '^< .* token=5a ' "$tmp/sub$n.out")" "2 2" \
		"$where: the registration is answered and notified from there"
done

# The client's end as well: two registrations from one port of two addresses are two peers.
free_port
mine=$port
spawn first "$talk" -a "127.0.0.5:$mine" -n 0 "127.0.0.1:$any" "con get token=01 observe=0 /ps/data/demo"
spawn second "$talk" -a "127.0.0.6:$mine" -n 0 "127.0.0.1:$any" "con get token=01 observe=0 /ps/data/demo"
wait_line "$tmp/first.out" '^< .* ack 2\.05 ' && wait_line "$tmp/second.out" '^< .* ack 2\.05 '
"$talk" "127.0.0.1:$any" "con put /ps/data/demo text=both" >/dev/null
wait_line "$tmp/first.out" '^< .*"both"' && wait_line "$tmp/second.out" '^< .*"both"'
ok $? "the same port and token at two addresses are two subscribers"

stop_broker
done_testing
