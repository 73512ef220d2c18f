# shellcheck shell=bash disable=SC2154 # set by tests/lib.sh and tests/netns/hall.sh
# SPDX-License-Identifier: BSD-2-Clause
# Identities for the tests of protected groups, sourced after hall.sh; the state outlives the
# daemon there, and no key is for everybody to read.
umask 077
# shellcheck disable=SC2034 # used in tests/lib.sh
keep_state=1

# make_keys WHO...: by keygen, in $keys, and what a self-managed group signs with.
make_keys() {
	local who
	keys=$tmp/keys
	for who; do
		"$coapcast" keygen identity -o "$keys" "$who" >>"$tmp/made.out" || bail "no keys"
	done
	head -c 32 /dev/urandom >"$keys/broker/own.key"
}

# member NAME HOST [SCHEME]: a subscriber of demo with keys of make_keys.
member() {
	sub "$1" "$2" "${3:-coap}://${host_ip4[b]}/demo" --json --identity "$1" \
		--credentials "$keys/$1/$1.yaml"
	wait_line "$tmp/$1.err" 'moved to 239\.255\.17\.4:5683 .*, protected'
	ok $? "$1 is moved"
}

# hear VALUE NAME...: it is published by pub, and they have it.
hear() {
	local value=$1 name
	shift
	in_host h5 "$coapcast" pub -m "$value" --identity pub --credentials "$keys/pub/pub.yaml" \
		"coap://${host_ip4[b]}/demo"
	for name; do
		wait_line "$tmp/$name.out" "\"payload\":\"$value\".*\"via\":\"multicast\".*\"verified\":true"
		ok $? "$name: has $value, by multicast and verified"
	done
}

# identity NAME ID SIDE [SECRET]: keys of OSCORE as the broker (SIDE 0) or the client has them.
identity() {
	local ids=("sender-id: hex:00, recipient-id: hex:$2" "sender-id: hex:$2, recipient-id: hex:00")
	echo "  - { name: $1, oscore: { ${ids[$3]}, master-secret: \"text:a secret of ${4:-$1}\" } }"
}
