#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# coapcast decode of captures in which informative responses come in blocks (RFC 7959), plain
# in both forms and protected with keys in them: they are put together, and what follows
# from them is read. The same as JSON. coapcast(1), "CAPTURES".
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/netns/hall.sh"
hall_begin "$@"
need python3
segment=$(printf 'n%.0s' {1..150})
name=$segment/$segment
secret=000102030405060708090a0b0c0d0e0f
cat >"$tmp/coapcast.yaml" <<END
listen: [ "coap://0.0.0.0:5683" ]
security: { nosec: allow }
identities:
  - { name: panel-1, oscore: { sender-id: hex:01, recipient-id: hex:02, master-secret: hex:$secret } }
oscore-groups:
  - { name: hall-keys, private-key: hex:${secret}${secret} }
groups:
  - { name: keys, address: 239.255.18.3, interface: eth0, topics: "keys/*", threshold: 1, datagram: 512, oscore: hall-keys, informative-response: current }
  - { name: current, address: 239.255.18.1, interface: eth0, topics: "current/*", threshold: 1, datagram: 256, informative-response: current }
  - { name: seed, address: 239.255.18.2, interface: eth0, topics: "seed/*", threshold: 1, datagram: 256, informative-response: seed }
topics:
  - { name: current/$name, content-format: 0, initialize: "start" }
  - { name: seed/$name, content-format: 0, initialize: "start" }
  - { name: keys/$name, content-format: 0, initialize: "start" }
END
cat >"$tmp/credentials.yaml" <<END
identities:
  - { name: me, oscore: { sender-id: hex:02, recipient-id: hex:01, master-secret: hex:$secret } }
END
chmod 600 "$tmp"/*.yaml
start_broker "$tmp/coapcast.yaml" -v
capture_start blocks b
at=coap://${host_ip4[b]}
for topic in current seed keys; do
	as=()
	[ $topic != keys ] || as=(--credentials "$tmp/credentials.yaml")
	sub $topic h1 "$at/$topic/$name" "${as[@]}"
	wait_line "$tmp/$topic.err" 'asking for the rest of the informative response' || {
		comment <"$tmp/$topic.err"
		bail "$topic: no informative response in blocks"
	}
	wait_line "$tmp/$topic.err" 'moved to' || bail "$topic: nobody is moved"
	pub "$at/$topic/$name" "news of $topic"
	wait_line "$tmp/$topic.out" "news of $topic" || bail "$topic: no news"
done
capture_stop blocks

"$coapcast" decode -c "$tmp/coapcast.yaml" "$tmp/blocks.pcap" >"$tmp/out" 2>"$tmp/err"
is $? 0 "the capture is decoded"
# whole N: what is said below the last block of the N-th of them.
whole() {
	awk -v n="$1" '/^    put together/ { at++ } at == n && /^    / { print; next } at == n { exit }' "$tmp/out"
}
is "$(grep -c '^    put together of its blocks, [0-9]* bytes$' "$tmp/out")" 3 "three are put together"
is "$(grep -c 'does not follow' "$tmp/out")" 0 "no block is left over"
like "$(whole 1)" "informative response: integer keys"$'\n'".* group=239\.255\.18\.1:5683 " "the current form"
like "$(whole 1)" "ph_req: GET observe=0 /ps/data/current/nnn" "with its phantom request"
like "$(whole 2)" "informative response: text keys"$'\n'".* group=239\.255\.18\.2:5683 " "the seed's"
like "$(whole 2)" "registr: GET observe=0 /ps/data/seed/nnn" "with its registration"
like "$(whole 3)" 'gp_material: ms=\(secret, 32 bytes\)' "one with keys, protected"
like "$(whole 3)" "ph_req: .*signature verified} GET observe=0 /ps/data/keys/nnn" \
	"by which the phantom request is read"
like "$(cat "$tmp/out")" '> 239\.255\.18\.1:5683 NON 2\.05 .*"news of current" \[group observation of ' \
	"a notification of the first"
like "$(cat "$tmp/out")" '> 239\.255\.18\.2:5683 NON 2\.05 .*"news of seed" \[group observation of ' \
	"of the second"
like "$(cat "$tmp/out")" 'from 00: signature verified} 2\.05 .*"news of keys" \[group observation of ' \
	"and of the third, decrypted"

# --- as JSON ------------------------------------------------------------------------------
"$coapcast" decode --json -c "$tmp/coapcast.yaml" "$tmp/blocks.pcap" >"$tmp/json" 2>"$tmp/err"
is $? 0 "--json"
is "$(wc -l <"$tmp/json")" "$(grep -c '^[0-9]' "$tmp/out")" "an object for each message"
cat >"$tmp/read.py" <<'END'
import json, sys
for o in map(json.loads, sys.stdin):
    i = o.get("informative", {})
    if i.get("state") == "whole":
        print("whole", i["generation"], i["group"], i.get("keys_used"))
    m = o.get("oscore", {}).get("message", o)
    if o["to"].startswith("239.") and m["payload_size"]:
        assert o["group_observation"] and o["answers"].startswith("GET ")
        print(o["type"], m["code"], m["payload"], o.get("oscore", {}).get("mode"))
END
is "$(python3 "$tmp/read.py" <"$tmp/json")" "whole current 239.255.18.1:5683 None
NON 2.05 news of current None
whole seed 239.255.18.2:5683 None
NON 2.05 news of seed None
whole current 239.255.18.3:5683 True
NON 2.05 news of keys group" "what they say"
is "$(grep -c "$secret" "$tmp/out" "$tmp/json" | tr '\n' ' ')" "$tmp/out:0 $tmp/json:0 " "and no key"
for topic in current seed keys; do
	stop $topic INT
done
stop_broker
done_testing
