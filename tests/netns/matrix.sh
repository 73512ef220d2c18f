#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Who is moved, who gets keys and who is refused: everything a registration can be protected
# with, against everything a topic's notifications can go to. product.md, "Who is moved".
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/netns/hall.sh"
hall_begin "$@"
need coap-client-openssl openssl

# What protects the registration, where notifications go (none: by unicast only), what
# becomes of who registers, and what the informative response says of keys.
cells="
	nosec	none		traditional	-
	nosec	plain		moved		nothing
	nosec	self		traditional	-
	nosec	external	traditional	-
	oscore	none		traditional	-
	oscore	plain		traditional	-
	oscore	self		moved		keys
	oscore	external	moved		join
	psk	none		traditional	-
	psk	plain		traditional	-
	psk	self		moved		keys
	psk	external	moved		join
	pki	none		traditional	-
	pki	plain		traditional	-
	pki	self		moved		keys
	pki	external	moved		join
"
declare -A host=([nosec]=h1 [oscore]=h2 [psk]=h3 [pki]=h4)
declare -A at=([plain]=239.255.17.1 [self]=239.255.17.2 [external]=239.255.17.3)
groups=(none plain self external)
protections=(nosec oscore psk pki)

each_cell() { # COMMAND: of each row's words
	local protection group outcome told
	while read -r protection group outcome told; do
		[ -z "$protection" ] || "$1" "$protection" "$group" "$outcome" "$told"
	done <<<"$cells"
}

# --- keys: in-* may subscribe, so may bare-*, who are no members; out-* may not ----------
keys=$tmp/keys
umask 077
made() {
	"$@" >>"$tmp/made.out" 2>&1 || {
		comment <"$tmp/made.out"
		bail "no keys: $*"
	}
}
for who in in out bare; do
	made "$coapcast" keygen identity -o "$keys" $who-oscore
	mkdir -p "$keys/$who-psk" "$keys/$who-pki"
done
made "$coapcast" keygen group -o "$keys" --managed self self
made "$coapcast" keygen group -o "$keys" --managed external --members in-oscore,in-psk,in-pki \
	--join-uri coap://gm.example/hall external
certificate() { # NAME CN, in the folder there
	made openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
		-keyout "$1.key" -out "$1.csr" -subj "/CN=$2"
	made openssl x509 -req -in "$1.csr" -CA "$keys/ca.crt" -CAkey "$keys/ca.key" \
		-CAcreateserial -out "$1.crt" -days 2
}
made openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
	-keyout "$keys/ca.key" -out "$keys/ca.crt" -subj "/CN=ca"
certificate "$keys/broker/broker" broker.example
for who in in out bare; do
	certificate "$keys/$who-pki/$who-pki" $who-pki.example
	cat >"$keys/$who-pki/$who-pki.yaml" <<-END
		identities:
		  - name: $who-pki
		    certificate: { file: $who-pki.crt, key: $who-pki.key, ca: ../ca.crt,
		      server: broker.example }
	END
	cat >"$keys/$who-psk/$who-psk.yaml" <<-END
		identities: [ { name: $who-psk, psk: { identity: $who-psk, key: "text:the key of $who" } } ]
	END
	cp "$keys/$who-psk/$who-psk.yaml" "$keys/broker/conf.d/"
	cat >"$keys/broker/conf.d/$who-pki.yaml" <<-END
		identities: [ { name: $who-pki, certificate: { cn: $who-pki.example } } ]
	END
	for protection in oscore psk pki; do
		# What a member of the external group has from its Group Manager is added.
		cat "$keys/$who-$protection/$who-$protection.yaml" \
			"$keys/$who-$protection/external.yaml" \
			>"$keys/$who-$protection/credentials.yaml" 2>/dev/null
	done
done

configure() { # NOSEC
	local g
	{
		cat <<-END
			listen: [ "coap://[::]:5683", "coaps://[::]:5684" ]
			security:
			  nosec: $1
			  certificate: { file: broker.crt, key: broker.key, ca: ../ca.crt }
			access:
			  - { who: "in-*", topics: "*", may: [ discover, read, subscribe, publish ] }
			  - { who: "bare-*", topics: "external/hall", may: [ discover, read, subscribe ] }
			  - { who: anonymous, topics: "*/hall", may: [ discover, read, subscribe ] }
			groups:
		END
		for g in plain self external; do
			echo "  - { name: g-$g, address: ${at[$g]}, interface: eth0, topics: [ \"$g/*\" ]," \
				"threshold: 1, max-age: 1h$([ $g = plain ] || echo ", oscore: $g") }"
		done
		echo "topics:"
		for g in "${groups[@]}"; do
			echo "  - { name: $g/hall, content-format: 0, initialize: \"first\" }"
			echo "  - { name: $g/closed, content-format: 0, initialize: \"secret\" }"
		done
	} >"$keys/broker/coapcast.yaml"
}
configure allow
start_broker "$keys/broker/coapcast.yaml" -v

# cast WHO PROTECTION: sets `as` and `uri`, for coapcast.
cast() {
	as=() uri=coap://${host_ip4[b]}:5683
	[ "$2" != nosec ] || return
	as=(--identity "$1-$2" --credentials "$keys/$1-$2/credentials.yaml")
	[ "$2" = oscore ] || uri=coaps://${host_ip4[b]}:5684
}

# say TOPIC VALUE: from the broker's own host, so that none of it is on the network.
say() {
	cast in oscore
	in_host b "$coapcast" pub "${as[@]}" -m "$2" "$uri/$1"
}

# verified PROTECTION OUTCOME: by keys of our own; those of a session are its own affair.
verified() {
	case $1,$2 in
	oscore,* | psk,moved | pki,moved) echo true ;;
	*) echo false ;;
	esac
}

# --- registering, one by one: who has nobody to follow comes first -----------------------
registers() {
	local protection=$1 group=$2 outcome=$3 name=$1-$2 verified
	verified=$(verified "$protection" "$outcome")
	cast in "$protection"
	sub "$name" "${host[$protection]}" "$uri/$group/hall" --json "${as[@]}"
	if [ "$outcome" = moved ]; then
		wait_line "$tmp/$name.err" "moved to ${at[$group]//./\\.}:5683 token [0-9a-f]{8}$(
			[ "$group" = plain ] || echo ", protected")\$"
		ok $? "$protection, $group: is moved"
		wait_line "$tmp/$name.out" "\"payload\":\"first\".*\"via\":\"informative\".*\"verified\":$verified,"
		ok $? "$protection, $group: is told the current value with it, verified: $verified"
	else
		wait_line "$tmp/$name.out" "\"payload\":\"first\".*\"via\":\"unicast\".*\"verified\":$verified,"
		ok $? "$protection, $group: observes as others do, verified: $verified"
		is "$(grep -c 'moved to' "$tmp/$name.err")" 0 "$protection, $group: is not moved"
	fi
}
capture_start registrations b
each_cell registers
capture_stop registrations

one_if() { # GOT WANTED
	[ "$1" = "$2" ] && echo 1 || echo 0
}

# --- what they were told: plainly, under OSCORE ------------------------------------------
"$coapcast" decode -v --config "$keys/broker/coapcast.yaml" "$tmp/registrations.pcap" \
	>"$tmp/registrations.txt" 2>"$tmp/decode.err"
ok $? "decode, with the keys of the broker"
# answer PROTECTION GROUP: what the broker said to that registration, with the explanation.
answer() {
	awk -v to="> ${host_ip4[${host[$1]}]}:" -v of="\\[to GET /ps/data/$2/hall\\]\$" '
		/^[0-9]/ { on = index($0, to) && $0 ~ of && !/4\.01/ } on' "$tmp/registrations.txt"
}
told() {
	local protection=$1 group=$2 outcome=$3 told=$4 text
	text=$(answer "$protection" "$group")
	if [ "$outcome" = traditional ]; then
		like "$text" '2\.05 .*"first"' "$protection, $group: the answer is the value"
		is "$(grep -cE '5\.03|informative|gp_material|join_uri' <<<"$text")" 0 \
			"$protection, $group: and nothing of a group"
		return
	fi
	like "$text" "5\.03 .*<informative response.*
    tp_info: .*group=${at[$group]//./\\.}:5683" "$protection, $group: the answer is where to listen"
	is "$(grep -c 'gp_material: ms=(secret, 32 bytes)' <<<"$text")" "$(one_if "$told" keys)" \
		"$protection, $group: keys in it: $told"
	is "$(grep -c 'join_uri: coap://gm\.example/hall' <<<"$text")" "$(one_if "$told" join)" \
		"$protection, $group: where they are to be had: $told"
	[ "$told" = nothing ] || {
		like "$text" "ph_req: FETCH .*\{Group OSCORE $([ "$told" = keys ] || echo external).*signature verified\}" \
			"$protection, $group: with a phantom request in Group OSCORE"
		is "$(grep -c "> .* 2\.05 .*{OSCORE in-oscore.*} 5\.03 " <<<"$text")" 1 \
			"$protection, $group: itself under OSCORE"
	}
}
is "$(grep -cE 'gp_material|join_uri' "$tmp/registrations.txt")" 2 \
	"nothing of keys was said to anybody else, nor in clear"

# The same inside DTLS, to a plain client that shows the bytes.
gp_material='0da[78]025820[0-9a-f]{64}0305'
join_uri=$(printf coap://gm.example/hall | od -An -tx1 -v | tr -d ' \n')
seen() { # PROTECTION GROUP
	local with=(-u in-psk -k "the key of in")
	[ "$1" = psk ] || with=(-c "$keys/in-pki/in-pki.crt" -j "$keys/in-pki/in-pki.key" -R "$keys/ca.crt")
	spawn bytes in_host "${host[$1]}" coap-client-openssl -v 7 -s 1000 "${with[@]}" \
		"coaps://${host_ip4[b]}:5684/ps/data/$2/hall"
	wait_until 10 grep -qsaE 'c:(2\.05|5\.03) ' "$tmp/bytes.out" "$tmp/bytes.err"
	stop bytes INT 2>/dev/null
	cat "$tmp/bytes.out" "$tmp/bytes.err" | grep -aE 'c:(2\.05|5\.03) |^<<[0-9a-f]{32}'
}
told_in_dtls() {
	local protection=$1 group=$2 outcome=$3 told=$4 text
	text=$(seen "$protection" "$group")
	if [ "$outcome" = traditional ]; then
		like "$text" "c:2\.05 .* Observe:[0-9]+.*'first'" "$protection, $group: the answer is the value"
		is "$(grep -c '5\.03' <<<"$text")" 0 "$protection, $group: and nothing of a group"
		return
	fi
	like "$text" $'c:5\\.03 .* Content-Format:65001.*\n<<[0-9a-f]*>>' "$protection, $group: the answer is where to listen"
	is "$(grep -cE "$gp_material" <<<"$text")" "$(one_if "$told" keys)" \
		"$protection, $group: keys in it: $told"
	is "$(grep -c "$join_uri" <<<"$text")" "$(one_if "$told" join)" \
		"$protection, $group: where they are to be had: $told"
}
told_by() {
	case $1 in
	nosec | oscore) told "$@" ;;
	*) told_in_dtls "$@" ;;
	esac
}
each_cell told_by

# --- what is published reaches who should get it, and nobody else ------------------------
for protection in "${protections[@]}"; do
	for group in "${groups[@]}"; do
		echo "$protection-$group"
	done
done >"$tmp/names"
n_of() { # VALUE NAME
	grep -c "\"payload\":\"$1\"" "$tmp/$2.out"
}
has_all() { # GROUP VALUE
	local protection
	for protection in "${protections[@]}"; do
		[ "$(n_of "$2" "$protection-$1")" -ge 1 ] || return 1
	done
}
hears() {
	local protection=$1 group=$2 outcome=$3 via=multicast verified
	[ "$outcome" = moved ] || via=unicast
	verified=$(verified "$protection" "$outcome")
	is "$(sed -nE 's/.*"payload":"('"$group"'-[0-9])".*"via":"([a-z]*)".*"verified":([a-z]*),"missed":([0-9]*).*/\1 \2 \3 \4/p' \
		"$tmp/$protection-$group.out")" "$group-1 $via $verified 0
$group-2 $via $verified 0
$group-3 $via $verified 0" "$protection, $group: every value once, by $via, verified: $verified"
}
for group in "${groups[@]}"; do
	capture_start "$group" b
	capture_start "$group-ear" h5
	for i in 1 2 3; do
		say "$group/hall" "$group-$i"
		wait_until 10 has_all "$group" "$group-$i"
	done
	ok $? "$group: all four have the newest value"
	capture_stop "$group"
	capture_stop "$group-ear"
	# shellcheck disable=SC2016 # names of files are matched
	is "$(grep -lE "\"payload\":\"$group-[123]\"" "$tmp"/*.out | sed 's|.*/||' | sort | paste -sd' ')" \
		"$(printf '%s-'"$group"'.out\n' "${protections[@]}" | sort | paste -sd' ')" \
		"$group: and nobody else has one"
	# One datagram to the group, and one to each who is not in it; the latter says who.
	is "$(to_group "$group" "${at[$group]:-none}:5683" | wc -l)" \
		"$([ "$group" = none ] && echo 0 || echo 3)" "$group: datagrams to the group"
	wanted=$(awk -v g="$group" '$2 == g && $3 == "traditional" { print $1 }' <<<"$cells" |
		while read -r protection; do echo "${host_ip4[${host[$protection]}]}"; done | sort)
	is "$(capture_read "$group" "src host ${host_ip4[b]} and not dst net 224.0.0.0/4" |
		sed -nE 's/.* > ([0-9.]*)\.[0-9]+: .*/\1/p' | sort -u)" "$wanted" \
		"$group: who is written to alone"
	is "$(grep -ac "$group-[123]" "$tmp/$group-ear.pcap")" "$([ "$group" = plain ] && echo 3 || echo 0)" \
		"$group: what somebody else on the network can read"
done
each_cell hears

# --- who is told where the keys are, and has none of them, goes on by unicast ------------
for protection in oscore psk pki; do
	cast bare "$protection"
	sub "bare-$protection" "${host[$protection]}" "$uri/external/hall" --json "${as[@]}"
done
for protection in oscore psk pki; do
	wait_line "$tmp/bare-$protection.err" 'there are no keys here of the group external.*going on by unicast' 20
	ok $? "$protection, external: without a member's keys it says so"
	wait_line "$tmp/bare-$protection.out" '"payload":"external-3".*"via":"unicast".*"verified":'"$(verified "$protection" traditional)" 20
	ok $? "$protection, external: and has the value by unicast"
done

# --- who is refused ---------------------------------------------------------------------------
refused() {
	local protection=$1 group=$2 status=0 name
	cast out "$protection"
	in_host "${host[$protection]}" "$coapcast" sub -v --json "${as[@]}" "$uri/ps/data/$group/closed" \
		>"$tmp/refused.out" 2>"$tmp/refused.err" </dev/null || status=$?
	is "$status $(cat "$tmp/refused.out")" "4 " "$protection, $group: who has no right to it is refused"
	like "$(cat "$tmp/refused.err")" "$3" "$protection, $group: with $3"
	is "$(grep -c 'moved to' "$tmp/refused.err")" 0 "$protection, $group: and not moved"
}
closed() {
	refused "$1" "$2" '4\.03'
}
for group in "${groups[@]}"; do
	cast in oscore
	sub "closed-$group" h2 "$uri/$group/closed" --json "${as[@]}"
	wait_line "$tmp/closed-$group.out" '"payload":"secret"'
	ok $? "$group: one is let in"
done
capture_start refusals b
each_cell closed
capture_stop refusals
"$coapcast" decode --config "$keys/broker/coapcast.yaml" "$tmp/refusals.pcap" >"$tmp/refusals.txt"
is "$(grep -cE '5\.03|gp_material|join_uri|"secret"' "$tmp/refusals.txt")" 0 "they are told nothing"
for group in "${groups[@]}"; do
	say "$group/closed" "for $group"
	wait_line "$tmp/closed-$group.out" "\"payload\":\"for $group\".*\"verified\":true,"
	ok $? "$group: who is let in hears what is published"
done
is "$(grep -l '"payload":"for ' "$tmp"/*.out | wc -l)" "${#groups[@]}" "and nobody else"
is "$(broker_counter broker forbidden)" 16 "sixteen were refused"

while read -r name; do
	stop "$name" INT
done <"$tmp/names"
stop_broker

# --- nosec: deny -------------------------------------------------------------------------------
configure deny
start_broker "$keys/broker/coapcast.yaml" -v
denied() {
	[ "$1" != nosec ] || refused "$1" "$2" '4\.01'
}
each_cell denied
stop_broker
done_testing
