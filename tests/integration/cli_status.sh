#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# coapcast status: what a running broker tells of itself. coapcast(1), "STATUS".
. "${srcdir:-.}/tests/lib.sh"
need python3
free_port
group=$port
free_port
at=coap://127.0.0.1:$port
secret=000102030405060708090a0b0c0d0e0f

configure() { # NOSEC
	cat >"$tmp/coapcast.yaml" <<-END
		listen: [ "coap://127.0.0.1:$port", "coap+tcp://127.0.0.1:$port" ]
		security: { nosec: $1 }
		identities:
		  - { name: panel-1, oscore: { sender-id: hex:01, recipient-id: hex:02, master-secret: hex:$secret } }
		groups:
		  - { name: hall, address: 239.255.17.7, port: $group, interface: lo, threshold: 1, topics: "hall/*" }
		topics:
		  - { name: hall/demo, content-format: 0, initialize: "hello" }
		  - { name: hall/quiet, content-format: 0, initialize: "hello" }
		  - { name: "hälf" }
		  - { name: plain, content-format: 50, initialize: "1" }
	END
	chmod 600 "$tmp/coapcast.yaml"
}
cat >"$tmp/credentials.yaml" <<END
identities:
  - { name: me, oscore: { sender-id: hex:02, recipient-id: hex:01, master-secret: hex:$secret } }
END
chmod 600 "$tmp/credentials.yaml"

# status STATUS NAME ARG...: runs it; $tmp/out and $tmp/err.
status() {
	local rc=0
	timeout 30 "$coapcast" status "${@:3}" >"$tmp/out" 2>"$tmp/err" || rc=$?
	is "$rc" "$1" "$2: status $1"
}
# json KIND KEY: of each line of that kind, as Python writes it.
json() {
	python3 -c 'import json, sys
for line in sys.stdin:
	o = json.loads(line)
	if o["kind"] == sys.argv[1]:
		print(o.get(sys.argv[2]))' "$@" <"$tmp/out"
}

configure loopback
start_broker "$tmp/coapcast.yaml" -v
status 0 "a broker that nobody uses" "$at"
like "$(cat "$tmp/out")" "^$at is at 127\.0\.0\.1:$port: answers in [0-9.]+ ms by UDP, security none" \
	"where it is, and how far away"
like "$(cat "$tmp/out")" $'\ncollection /ps: topics 4\ntopics 4, half created 1, in a group observation 0\n' \
	"what it has"
spawn sub "$coapcast" sub -v "$at/hall/demo"
wait_line "$tmp/sub.err" "moved to"
token=$(sed -n 's/.* group observation started .* token=\([0-9a-f]*\).*/\1/p' "$tmp/broker.log")
"$coapcast" pub -m news "$at/hall/demo"
status 0 "with a group observation" "$at"
like "$(cat "$tmp/out")" "hall/demo +created +239\.255\.17\.7:$group +$token +[0-9]+" \
	"its group and its token are told"
like "$(cat "$tmp/out")" "hall/quiet +created"$'\n' "the other topic has none"
like "$(cat "$tmp/out")" $'\nhälf        half created\n' "a topic without a value"
status 0 "--json" --json "$at"
is "$(json broker topics) $(json broker half_created) $(json broker grouped)" "4 1 1" "the sums"
is "$(json collection path) $(json collection topics)" "/ps 4" "the collection"
is "$(json topic state | sort | uniq -c | tr -s ' \n' ' ')" " 3 created 1 half created " "the states"
is "$(json topic token | grep -v None)" "$token" "the token"
is "$(json topic group | grep -v None)" "239.255.17.7:$group" "the group"
is "$(json topic generation | grep -v None)" "current" "the generation of what was read"
is "$(json topic protected | grep -v None)" "False" "whether it is protected"
is "$(json broker rtt_us | grep -cE '^[0-9]+$')" 1 "the round-trip time"
status 0 "one topic" --json "$at/hall/demo"
is "$(json topic topic)" "hall/demo" "and no other"
status 4 "a topic that is not there" "$at/nix"
status 0 "over TCP" --json "coap+tcp://127.0.0.1:$port"
is "$(json broker transport) $(json broker security)" "TCP none" "says so"
status 0 "with OSCORE" --json --credentials "$tmp/credentials.yaml" "$at"
is "$(json broker security)" "OSCORE as me" "says so"
is "$(json topic token | grep -v None)" "" "who is protected is not told of what is not"
stop sub INT

# --- what does not answer ---------------------------------------------------------------
kill -STOP "${spawned[broker]}"
status 3 "a broker that hangs" -W 0.3 "$at"
kill -CONT "${spawned[broker]}"
configure deny
stop_broker
start_broker "$tmp/coapcast.yaml"
status 4 "a broker that lets nobody in" "$at"
like "$(cat "$tmp/err")" '4\.01 Unauthorized' "which it says"
is "$(cat "$tmp/out")" "" "and nothing on stdout"
status 0 "with keys" --credentials "$tmp/credentials.yaml" "$at"
sed -i "s/$secret/${secret/00/ff}/" "$tmp/credentials.yaml"
rm -f "$tmp/credentials.yaml.ssn"
status 6 "with keys that are not its" -W 2 --credentials "$tmp/credentials.yaml" "$at"
stop_broker
status 1 "a port that nobody has" "$at"

# --- a server that would steer the terminal ----------------------------------------------
cat >"$tmp/server.py" <<'END'
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", int(sys.argv[1])))
print("ready", file=sys.stderr, flush=True)
while True:
	b, peer = s.recvfrom(2048)
	token = b[4:4 + (b[0] & 15)]
	code, payload = 0x45, b""
	if b"core.ps.coll" in b:
		payload = b'\xff</p\x1b[2Js>;rt="core.ps.coll"'
	elif b"well-known" not in b and b"\x1b[2J" not in b:
		code = 0x84
	# Content-Format 40
	format = b"\xc1\x28" if code == 0x45 else b""
	s.sendto(bytes([0x60 | len(token), code]) + b[2:4] + token + format + payload, peer)
END
spawn server python3 "$tmp/server.py" "$port"
wait_line "$tmp/server.err" ready
status 0 "a collection with escapes in its path" "$at"
like "$(cat "$tmp/out")" 'collection /p[\\]x1b[[]2Js: topics 0' "they are made harmless"
stop server
status 2 "no URI"
done_testing
