#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The example of section 4 of draft-tiloca-core-observe-multicast-notifications-01,
# message by message. S is the broker, /r its resource (a topic of that name), C_1 and
# C_2 clients on hosts of their own. S starts the group observation at the first
# registration. Before, no clients are observing /r, which has the value "1234".
. "${srcdir:-.}/tests/lib.sh"
netns_begin "$@"
need tcpdump
netns_hosts S C_1 C_2
broker_host=S
S=${host_ip4[S]}:5683
M_addr=239.255.17.4
M_addr_hex=efff1104

cat >"$tmp/coapcast.yaml" <<END
listen: [ "coap://${host_ip4[S]}:5683" ]
# The example has no Echo in it.
security: { nosec: allow, echo: off }
groups:
  - { name: all, address: $M_addr, interface: eth0, topics: [ r ], threshold: 1, informative-response: seed }
topics:
  - { name: r, initialize: "1234", content-format: 0 }
END
start_broker "$tmp/coapcast.yaml"
capture_start wire S

# says CLIENT TOKEN: the client, with a socket for M_addr too, registers.
says() {
	spawn "$1" in_host "$1" "$talk" -n 0 -j "$M_addr:5683" -i eth0 "$S" \
		"con get token=$2 observe=0 /ps/data/r"
	wait_line "$tmp/$1.out" '^> .* ack empty ' || bail "$1: $(cat "$tmp/$1.out")"
}

# the MARK CLIENT REGEX: lines of what the client said (>), was told (<) and heard from the
# group (*).
the() {
	grep -E "^[$1] $S $3" "$tmp/$2.out"
}

field() { # NAME LINE
	sed -n "s/.* $1=\([^ ]*\).*/\1/p;s/.*\"$1\": h'\([0-9a-f]*\)'.*/\1/p" <<<"$2" | head -n 1
}

# C_1 ------------------ [ Unicast ] --------------------> S  /r
#  |  GET                                                  |
#  |  Token: 0x4a                                          |
#  |  Observe: 0 (Register)                                |
says C_1 4a
like "$(the '>' C_1 'con get')" ' token=4a observe=0 /ps/data/r$' \
	"C_1 -> S: GET, Token 0x4a, Observe 0 (Register)"

#  |              (S allocates the available Token value 0xff .)
#  |  (S sends to itself a phantom observation request Ph_req
#  |   as coming from the IP multicast address M_addr .)
#  (Nothing of this is on the wire, which is checked at the end.)

# C_1 <--------------------- [ Unicast ] ----------------- S
#  |  5.03                                                 |
#  |  Token: 0x4a                                          |
#  |  Payload: { address : M_addr ,                        |
#  |             registr : Ph_req ,                        |
#  |             res : "1234" }                            |
told=$(the '<' C_1 'con')
like "$told" "^< $S con 5\.03 mid=[0-9a-f]{4} token=4a " "S -> C_1: 5.03, Token 0x4a, Confirmable"
is "$(grep -c 'observe=' <<<"$told")" 0 "S -> C_1: without Observe"
is "$(field format "$told")" 60 "S -> C_1: a CBOR map"
is "$(field address "$told")" $M_addr_hex "S -> C_1: address : M_addr"
Ph_req=$(field registr "$told")
is "$(field res "$told")" "$(printf 1234 | od -An -tx1 | tr -d ' ')" 'S -> C_1: res : "1234"'
Ph_req_text=$("$packets" -x "$Ph_req")
like "$Ph_req_text" '^non get mid=[0-9a-f]{4} token=[0-9a-f]{8} observe=0 /ps/data/r$' \
	"S -> C_1: registr : Ph_req, which is GET, Token T, Observe 0 (Register)"
T=$(field token "$Ph_req_text")
is "$(the '<' C_1 'ack' | grep -c ' ack empty ')" 1 "S -> C_1: after an empty ACK, RFC 7252 5.2.2"

# C_2 ------------------ [ Unicast ] --------------------> S  /r
#  |  GET                                                  |
#  |  Token: 0x01                                          |
#  |  Observe: 0 (Register)                                |
says C_2 01
like "$(the '>' C_2 'con get')" ' token=01 observe=0 /ps/data/r$' \
	"C_2 -> S: GET, Token 0x01, Observe 0 (Register)"

# C_2 <--------------------- [ Unicast ] ----------------- S
#  |  5.03                                                 |
#  |  Token: 0x01                                          |
#  |  Payload: { address : M_addr ,                        |
#  |             registr : Ph_req ,                        |
#  |             res : "1234" }                            |
told_too=$(the '<' C_2 'con')
like "$told_too" "^< $S con 5\.03 mid=[0-9a-f]{4} token=01 " "S -> C_2: 5.03, Token 0x01"
is "${told_too#*format=}" "${told#*format=}" "S -> C_2: the same payload as to C_1"

#  |      (The value of the resource /r changes to "5678".)
in_host S "$talk" "$S" "con put /ps/data/r text=5678" >/dev/null

# C_1
#  +  <-------------------- [ Multicast ] ---------------- S
# C_2           (Destination address: M_addr)              |
#  |  2.05                                                 |
#  |  Token: 0xff                                          |
#  |  Observe: 11                                          |
#  |  Payload: "5678"                                      |
for client in C_1 C_2; do
	wait_line "$tmp/$client.out" '^\*'
	like "$(the '*' $client non)" \
		"^\* $S non 2\.05 mid=[0-9a-f]{4} token=$T .*observe=[0-9]+ .*\"5678\"$" \
		"S -> M_addr: $client gets 2.05, Token T, Observe, \"5678\""
done
capture_stop wire
like "$(capture_show wire | grep " > $M_addr:5683 ")" "^[0-9.]+ $S > $M_addr:5683 ttl=1 non 2\.05 [^"$'\n'"]*$" \
	"which is one datagram, from the address and port of S"

is "$(capture_show wire | grep -c " get .*token=$T ")" 0 "Ph_req was not on the wire"
# And that was all: each of C_1 and C_2 sent a GET and an ACK, and got an ACK and a 5.03.
is "$(capture_show wire | grep -cv " > $M_addr:5683 ")" 8 "nothing else was sent"

stop C_1 KILL
stop C_2 KILL
stop_broker
done_testing
