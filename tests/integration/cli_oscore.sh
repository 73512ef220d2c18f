#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# OSCORE (RFC 8613) from coapcast to the broker, over UDP, TCP and DTLS: requests, bodies in
# blocks, Observe, wrong keys, the file of sequence numbers, and a broker that is started anew.
. "${srcdir:-.}/tests/lib.sh"
free_port
plain=$port
free_port
secure=$port
free_port
open=$port

cat >"$tmp/coapcast.yaml" <<END
listen: [ "coap://127.0.0.1:$plain", "coap+tcp://127.0.0.1:$plain", "coaps://127.0.0.1:$secure" ]
state: { directory: "$tmp/state" }
security: { nosec: deny }
identities:
  - name: panel
    psk: { identity: panel, key: "text:the key" }
    oscore: { sender-id: "hex:03", recipient-id: "hex:01", master-salt: "hex:9e7c",
              master-secret: "hex:0102030405060708090a0b0c0d0e0f10", id-context: "hex:37cb" }
access:
  - { who: panel, topics: "*", may: [ discover, read, subscribe, publish, create, delete ] }
topics:
  - { name: demo, content-format: 0, initialize: hello }
END
cat >"$tmp/credentials.yaml" <<END
identities:
  - name: panel
    psk: { identity: panel, key: "text:the key" }
    oscore: { sender-id: "hex:01", recipient-id: "hex:03", master-salt: "hex:9e7c",
              master-secret: "file:secret", id-context: "hex:37cb" }
  - name: wrong
    oscore: { sender-id: "hex:01", recipient-id: "hex:03", master-salt: "hex:9e7d",
              master-secret: "file:secret", id-context: "hex:37cb" }
  - name: unknown
    oscore: { sender-id: "hex:07", recipient-id: "hex:03", master-secret: "file:secret" }
  - { name: bare, psk: { identity: panel, key: "text:the key" } }
END
printf '\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20' >"$tmp/secret"
chmod 600 "$tmp"/*.yaml "$tmp/secret"
start_broker "$tmp/coapcast.yaml"
head -c 45000 /dev/urandom | base64 -w0 >"$tmp/large" # 60,000 bytes

# cast ARG...: sets `status`.
cast() {
	status=0
	"$coapcast" "$@" 2>"$tmp/cast.err" </dev/null || status=$?
	comment <"$tmp/cast.err" >&2
}
as=(--credentials "$tmp/credentials.yaml" --identity)

# --- over every transport ---------------------------------------------------------------
for at in "coap://127.0.0.1:$plain" "coap+tcp://127.0.0.1:$plain" "coaps://127.0.0.1:$secure"; do
	name=${at%%:*}
	is "$(cast get "${as[@]}" panel "$at/demo")" hello "$name: get"
	cast pub "${as[@]}" panel -f "$tmp/large" "$at/demo"
	is "$status" 0 "$name: pub of 60,000 bytes"
	is "$(cast get "${as[@]}" panel "$at/demo" | cksum)" "$(cksum <"$tmp/large")" "$name: and get"
	cast pub "${as[@]}" panel -m "value 0" "$at/demo"
	spawn sub "$coapcast" sub --json "${as[@]}" panel -C 4 "$at/demo"
	wait_lines "$tmp/sub.out" 1
	# Others use the same keys meanwhile.
	for i in 1 2 3; do
		cast pub "${as[@]}" panel -m "value $i" "$at/demo"
		wait_lines "$tmp/sub.out" $((i + 1)) || break
	done
	finish sub
	is "$? $(grep -c '"verified":true' "$tmp/sub.out")" "0 4" "$name: sub, all of it verified"
	cast pub "${as[@]}" panel -m hello "$at/demo"
done

# --- who has other keys -----------------------------------------------------------------
at=coap://127.0.0.1:$plain
for scheme in coap coap+tcp; do
	cast get "${as[@]}" wrong "$scheme://127.0.0.1:$plain/demo"
	is "$status" 6 "$scheme, wrong keys: status 6"
	cast get "${as[@]}" unknown "$scheme://127.0.0.1:$plain/demo"
	is "$status" 6 "$scheme, an identity that the broker does not know: status 6"
	like "$(cat "$tmp/cast.err")" "Security context not found" "and it says so"
done
cast sub "${as[@]}" wrong "$at/demo"
is "$status" 6 "sub with wrong keys: status 6"
cast get "$at/demo"
is "$status" 4 "without keys: status 4"
cast get "${as[@]}" bare "$at/demo"
is "$status" 2 "an identity without OSCORE sends nothing unprotected in its name"
cast get "${as[@]}" panel "coap://239.1.2.3:$plain/demo"
is "$status" 2 "nor is a group asked in clear as somebody who is in none"
cast get "${as[@]}" bare "coaps://239.1.2.3:$plain/demo"
is "$status" 2 "nor one in clear by a secure scheme"
cast discover "${as[@]}" panel -i lo
is "$status" 2 "nor is discovery"
# Where the broker takes everything in clear, nothing is there after a pub of nobody in particular.
cat >"$tmp/open.yaml" <<END
listen: [ "coap://127.0.0.1:$open", "coap+tcp://127.0.0.1:$open" ]
state: { directory: "$tmp/open" }
topics:
  - { name: demo, content-format: 0, initialize: hello }
END
spawn open "$coapcastd" -c "$tmp/open.yaml"
wait_line "$tmp/open.err" "server: ready" || bail "the open broker does not start"
for scheme in coap coap+tcp; do
	cast pub --credentials "$tmp/credentials.yaml" -m SECRET "$scheme://127.0.0.1:$open/demo"
	is "$status" 2 "$scheme, several identities and none named: status 2"
	like "$(cat "$tmp/cast.err")" "--identity: panel, wrong, unknown, bare$" "and their names"
	cast pub "${as[@]}" bare -m SECRET "$scheme://127.0.0.1:$open/demo"
	is "$status" 2 "$scheme, one without OSCORE: status 2"
	is "$(cast get "$scheme://127.0.0.1:$open/demo")" hello "nothing was sent in clear"
done
stop open

# --- sequence numbers -------------------------------------------------------------------
file=$tmp/credentials.yaml.ssn
is "$(stat -c %a "$file")" 600 "nobody else can read the file of sequence numbers"
# The numbers of all keys, summed up.
numbers() {
	awk 'NR > 2 { n += $2 } END { printf "%.0f", n }' "$file"
}
before=$(numbers)
cast get "${as[@]}" panel "$at/demo" >"$tmp/got"
after=$(numbers)
is "$((after > before && after < before + 100))" 1 "a run goes on where the last one ended"
chmod 644 "$file"
cast get "${as[@]}" panel "$at/demo"
is "$status" 6 "others can read it: status 6"
chmod 600 "$file"
rm -f "$file"
is "$(cast get "${as[@]}" panel "$at/demo")" hello "it is lost: numbers go on by the clock"
chmod 644 "$tmp/secret"
cast get "${as[@]}" panel "$at/demo"
is "$status" 2 "others can read the key: status 2"
chmod 600 "$tmp/secret"

# --- the broker is killed: its windows are gone, an Echo makes them anew (B.1.2) ----------
spawn sub "$coapcast" sub "${as[@]}" panel "$at/demo"
wait_lines "$tmp/sub.out" 1
kill -KILL "${spawned[broker]}"
finish broker 2>/dev/null
start_broker "$tmp/coapcast.yaml"
is "$(cast get "${as[@]}" panel "$at/demo")" hello "after a kill -9 of the broker: get"
cast pub "${as[@]}" panel -m again "$at/demo"
is "$status" 0 "and pub"
kill -INT "${spawned[sub]}"
finish sub
done_testing
