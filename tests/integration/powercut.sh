#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The power is cut under the daemon: of its state only what was synced is left, names too
# (tests/tools/disk.h: kill -9 alone would leave all that the kernel still has). At
# commit-interval 0 everything that was acknowledged is there after the next start, whatever
# was under way; at a longer one the same cut takes what came last.
. "${srcdir:-.}/tests/lib.sh"
. "${srcdir:-.}/tests/disk.sh"
need_coap_client
free_port
server=127.0.0.1:$port
uri=coap://$server
shadow=$tmp/shadow
rounds=${POWERCUT_ROUNDS:-6}

cat >"$tmp/coapcast.yaml" <<END
broker: { create-on-publish: true }
state: { commit-interval: 0 }
listen: [ "coap://$server" ]
topics:
  - { name: demo, content-format: 0, initialize: "0" }
  - { name: other, content-format: 0, initialize: "0" }
END
sed 's/commit-interval: 0/commit-interval: 1h/' "$tmp/coapcast.yaml" >"$tmp/lazy.yaml"

start() { # FILE
	rm -rf "$shadow"
	export DISK_SHADOW=$shadow DISK_LUCKY=$lucky
	start_on_disk "$1" -v
}

cut_power() {
	stop broker KILL
	rm -rf "$STATE_DIRECTORY"
	cp -r "$shadow/cut" "$STATE_DIRECTORY"
	chmod 700 "$STATE_DIRECTORY"
}

# publish NAME PATH: 1, 2, ... in the background, each when the one before is acknowledged;
# topics of their own where the path ends with a slash.
publish() {
	local i messages=()
	for i in {1..1500}; do
		case $2 in
		*/) messages+=("con put $2$i format=0 text=$i") ;;
		*) messages+=("con put $2 format=0 text=$i") ;;
		esac
	done
	spawn "$1" "$talk" -w 30 "$server" "${messages[@]}"
}

n_acks() { # NAME
	grep -cE '^< [^ ]* (ack|con) 2\.0[14] ' "$tmp/$1.out"
}

has_acks() { # NAME N
	[ "$(n_acks "$1")" -ge "$2" ]
}

keep_state=yes
lucky=0
for ((round = 1; round <= rounds; round++)); do
	start "$tmp/coapcast.yaml"
	grep -q 'the state was damaged' "$tmp/broker.log"
	is $? 1 "round $round: the state is whole"
	publish demo /ps/data/demo
	publish other /ps/data/other
	publish made "/ps/data/made/$round/"
	"$coapcast" topic create --type "made $round" "$uri/lamp$round" >/dev/null
	created=$?
	"$coapcast" topic set --max-subscribers "$round" "$uri/lamp$round" >/dev/null
	configured=$?
	removed=0
	[ "$round" -eq 1 ] || "$coapcast" topic rm "$uri/lamp$((round - 1))" || removed=$?
	is "$created $configured $removed" "0 0 0" "round $round: a topic is made, set, and one removed"
	wait_until 20 has_acks demo $((100 + RANDOM % 400)) || bail "too few are acknowledged"
	cut_power
	declare -A acked=()
	for name in demo other made; do
		stop "$name" KILL
		acked[$name]=$(n_acks "$name")
	done
	# Some writes reach the disk all the same.
	lucky=$((50 - lucky))
	start "$tmp/coapcast.yaml"
	for name in demo other; do
		value=$(client "$uri/ps/data/$name")
		[ "$value" -ge "${acked[$name]}" ] && [ "$value" -le $((acked[$name] + 1)) ]
		ok $? "round $round: $name: ${acked[$name]} was acknowledged, $value is there"
	done
	for ((i = 1; i <= acked[made]; i++)); do
		echo "con get /ps/data/made/$round/$i"
	done >"$tmp/gets"
	mapfile -t gets <"$tmp/gets"
	"$talk" -w 20 "$server" "${gets[@]}" >"$tmp/got"
	is "$(grep -c '^< .* 2\.05 ' "$tmp/got")" "${acked[made]}" \
		"round $round: so are all ${acked[made]} topics that were made"
	grep -vE '^(>|<.* 2\.05) ' "$tmp/got" | head -n 5 | comment
	shown=$("$coapcast" topic show "$uri/lamp$round")
	like "$shown" "made $round.*max-subscribers[^0-9]*$round" "round $round: the topic is as it was set"
	if [ "$round" -gt 1 ]; then
		is "$(client_codes "$uri/ps/lamp$((round - 1))")" 4.04 \
			"round $round: the one that was removed is gone"
	fi
	cut_power
done

# --- what the instrument takes from a broker that has promised less --------------------------
lucky=0
start "$tmp/lazy.yaml"
before=$(client "$uri/ps/data/demo")
"$coapcast" pub -m "not synced" "$uri/demo"
is "$(client "$uri/ps/data/demo")" "not synced" "with an interval it is acknowledged before"
cut_power
start "$tmp/lazy.yaml"
is "$(client "$uri/ps/data/demo")" "$before" "and lost with the power"
stop_broker
done_testing
