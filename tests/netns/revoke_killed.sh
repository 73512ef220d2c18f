#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Who could be given the keys of a self-managed group is on the disk before anybody is: an identity
# whose only right was to a topic made since the start, and that is taken away after a kill, reads
# nothing that is published from then on. SECURITY.md, "Who may do what".
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/netns/hall.sh"
. "${srcdir:-.}/tests/netns/keyed.sh"
hall_begin "$@"
head -c 32 /dev/urandom >"$tmp/key"

{
	echo "identities:"
	identity one 01 1
	identity two 02 1
	identity pub 05 1
} >"$tmp/credentials.yaml"

# configure COMMIT-INTERVAL LINE-OF-AN-IDENTITY
configure() {
	cat >"$tmp/coapcast.yaml" <<-END
		listen: [ "coap://[::]:5683" ]
		state: { commit-interval: $1 }
		security: { nosec: deny }
		groups:
		  - { name: hall, address: 239.255.17.4, interface: eth0, topics: [ "*" ], threshold: 1,
		      max-age: 1h, oscore: hall }
		oscore-groups: [ { name: hall, private-key: "file:key" } ]
		topics: [ { name: demo, content-format: 0, initialize: "first" } ]
		access:
		  - { who: one, topics: "*", may: [ discover, read, subscribe ] }
		  - { who: two, topics: "late*", may: [ discover, read, subscribe ] }
		  - { who: pub, topics: "*", may: [ discover, publish, create, configure ] }
		identities:
		$(identity one 01 0)
		$(identity pub 05 0)
		$2
	END
}
member() { # NAME HOST TOPIC
	sub "$1" "$2" "coap://${host_ip4[b]}/$3" --json --identity "$1" \
		--credentials "$tmp/credentials.yaml"
	wait_line "$tmp/$1.err" 'moved to 239\.255\.17\.4:5683 .*, protected'
	ok $? "$1 is moved"
}
as_pub() {
	in_host h5 "$coapcast" "$@" --identity pub --credentials "$tmp/credentials.yaml"
}
n_revoked() {
	grep -c 'oscore: keys revoked oscore-group=hall' "$tmp/broker.log"
}
two=$(identity two 02 0)

for commit in 1s 0; do
	rm -rf "$STATE_DIRECTORY"
	configure "$commit" "$two"
	start_broker "$tmp/coapcast.yaml" -v
	capture_start all b
	member one h1 demo
	as_pub topic create --ct 0 "coap://${host_ip4[b]}/late" >/dev/null
	is "$?" 0 "$commit: a topic is made"
	as_pub pub -m first "coap://${host_ip4[b]}/late"
	member two h2 late
	wait_until 10 counter_is store waiting 0
	stop broker KILL 2>/dev/null
	configure "$commit" ""
	start_broker "$tmp/coapcast.yaml" -v
	is "$(n_revoked)" 1 "$commit: an identity that is gone since revokes the keys"
	wait_until 10 counter_is groups moved 1
	ok $? "$commit: who stayed is in the next group observation"
	as_pub pub -m secret "coap://${host_ip4[b]}/demo"
	wait_line "$tmp/one.out" '"payload":"secret".*"via":"multicast".*"verified":true'
	ok $? "$commit: and hears what is published"
	capture_stop all
	# What the keys that it had open of the network.
	{
		echo identities:
		identity two 02 1
	} >"$tmp/two.yaml"
	"$coapcast" decode --credentials "$tmp/two.yaml" "$tmp/all.pcap" >"$tmp/two.txt"
	is "$(grep -oE '"(first|secret)"' "$tmp/two.txt" | sort -u)" '"first"' \
		"$commit: who was taken away reads what came before, and nothing since"
	stop two INT
	stop one INT
	stop_broker
	start_broker "$tmp/coapcast.yaml" -v
	is "$(n_revoked)" 0 "$commit: nothing more is gone at the next start"
	stop broker KILL 2>/dev/null
done
done_testing
