#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# SOAK_SECONDS with 500 topics and 2,000 observers that come and go, publishes, reloads and
# restarts, and 5 % loss in either direction: every subscriber ends with the newest value,
# resident memory is at the end what it was after a sixth of the time, and no descriptor is lost.
# Beside the crowd there are a few clients such as users have, with and without OSCORE, of
# topics with and without a group.
. "${srcdir:-.}/tests/lib.sh"
netns_begin "$@"
: "${SOAK_SECONDS:=1800}"
: "${SOAK_RATE:=200}"
port=5683
nft -f - <<-END || bail "nft refuses the loss rule"
	table inet lossy {
		chain in { type filter hook input priority 0; meta l4proto udp numgen random mod 100 < 5 drop; }
	}
END

# Topics of the real clients: traditional, of a group, and both under OSCORE.
kinds=(t g s o)
secret=$(od -An -v -tx1 -N16 /dev/urandom | tr -d ' \n')
umask 077
head -c 32 /dev/urandom >"$tmp/own.key"
cat >"$tmp/credentials.yaml" <<-END
	identities:
	  - { name: panel, oscore: { sender-id: "hex:01", recipient-id: "hex:03", master-secret: "hex:$secret" } }
END

configure() { # MAX-AGE
	local i
	cat >"$tmp/coapcast.new" <<-END
		listen: [ "coap://127.0.0.1:$port" ]
		state: { directory: state }
		groups:
		  - { name: all, address: 239.255.17.9, port: 61616, interface: lo, topics: [ "g/*" ], threshold: 2, max-age: ${1}s }
		  - { name: veiled, address: 239.255.17.10, port: 61616, interface: lo, topics: [ "o/*" ], threshold: 2, max-age: ${1}s, oscore: own }
		oscore-groups:
		  - { name: own, sender-id: "hex:05", private-key: "file:own.key", lifetime: 300s }
		identities:
		  - { name: panel, oscore: { sender-id: "hex:03", recipient-id: "hex:01", master-secret: "hex:$secret" } }
		topics:
	END
	for i in "${kinds[@]}"; do
		echo "  - { name: $i/real, content-format: 0, initialize: \"0\" }"
	done >>"$tmp/coapcast.new"
	for ((i = 0; i < 500; i += 2)); do
		echo "  - { name: g/$i, content-format: 0, initialize: \"00000000\" }"
		echo "  - { name: t/$((i + 1)), content-format: 0, initialize: \"00000000\" }"
	done >>"$tmp/coapcast.new"
	mv "$tmp/coapcast.new" "$tmp/coapcast.yaml"
}
figure() { # KEY
	awk -F '\t' -v key="$1" '$1 == key { print $2 }' "$tmp/crowd.out"
}
memory() {
	awk '$1 == "VmRSS:" { print $2 }' "/proc/${spawned[broker]}/status"
}
n_fds() {
	find "/proc/${spawned[broker]}/fd" -mindepth 1 | wc -l
}

# Who publishes the lines of a file, until `typist` ends, and two who observe it.
begin_clients() {
	local kind i as
	spawn typist tail -f /dev/null
	for kind in "${kinds[@]}"; do
		as=()
		case $kind in
		s | o) as=(--credentials "$tmp/credentials.yaml" --identity panel) ;;
		esac
		: >"$tmp/said-$kind"
		# shellcheck disable=SC2016 # expanded in there
		spawn "pub-$kind" bash -c 'tail -n +1 -s 0.2 --pid="$1" -f "$0" | "${@:2}"' \
			"$tmp/said-$kind" "${spawned[typist]}" \
			"$coapcast" pub -l "${as[@]}" "coap://127.0.0.1:$port/$kind/real"
		for i in 1 2; do
			spawn "sub-$kind-$i" "$coapcast" sub "${as[@]}" "coap://127.0.0.1:$port/$kind/real"
		done
	done
}

say() { # VALUE
	local kind
	for kind in "${kinds[@]}"; do
		echo "$1" >>"$tmp/said-$kind"
	done
}

all_have() { # VALUE
	local kind i
	for kind in "${kinds[@]}"; do
		for i in 1 2; do
			[ "$(tail -n 1 "$tmp/sub-$kind-$i.out")" = "$1" ] || return 1
		done
	done
}

end_clients() {
	local kind i
	say end
	wait_until 240 all_have end
	ok $? "the real clients have the newest value, too"
	stop typist || true
	for kind in "${kinds[@]}"; do
		finish "pub-$kind"
		is $? 0 "$kind: no line of theirs was refused or given up"
		comment <"$tmp/pub-$kind.err"
		for i in 1 2; do
			echo "# $kind $i: $(wc -l <"$tmp/sub-$kind-$i.out") values of $n_reloads"
			stop "sub-$kind-$i" INT
			is $? 0 "$kind $i: it runs to the end"
			tail -n 20 "$tmp/sub-$kind-$i.err" | comment
		done
	done
}

watch() { # a line with what is used by now
	echo "# at $((SECONDS - begin)) s, a process of $((SECONDS - started)) s:" \
		"rss $(memory) kB, $(n_fds) descriptors"
}

# Kill and stop in turn, if it is time for either; then a reload with another Max-Age.
disturb() { # RESTARTS?
	if [ "$1" -ne 0 ] && [ $((n_reloads % 2)) -eq 1 ]; then
		if [ $((n_restarts % 2)) -eq 0 ]; then
			stop broker KILL || true
		else
			stop broker TERM || n_bad_stops=$((n_bad_stops + 1))
		fi
		n_restarts=$((n_restarts + 1))
		start_broker "$tmp/coapcast.yaml"
		started=$SECONDS
	fi
	n_reloads=$((n_reloads + 1))
	say "$n_reloads"
	configure $((20 + n_reloads % 20))
	kill -HUP "${spawned[broker]}"
	TEST_TIME_FACTOR=1 wait_until 3 false
}

# Memory of one process is compared, which is full of what it remembers of requests after
# EXCHANGE_LIFETIME (247 s): restarts come before that and after the second figure, and a
# short soak shows no more than the bound.
restarting=$((SOAK_SECONDS / 36 > 12 ? SOAK_SECONDS / 36 : 12))
more=16384
if [ "$SOAK_SECONDS" -ge 1800 ]; then
	more=2048
fi
keep_state=1
configure 30
start_broker "$tmp/coapcast.yaml"
fds=$(n_fds)
begin=$SECONDS
started=$SECONDS
spawn crowd "$top_builddir/tests/torture/crowd" "127.0.0.1:$port" 239.255.17.9:61616 2000 500 \
	$((SOAK_SECONDS + restarting)) "$SOAK_RATE"
begin_clients

n_reloads=0
n_restarts=0
n_bad_stops=0
early=0
early_pid=0
minute=0
until [ $((SECONDS - begin)) -ge "$SOAK_SECONDS" ]; do
	passed=$((SECONDS - begin))
	disturb $((passed < restarting))
	if [ "$early" -eq 0 ] && [ "$passed" -ge $((SOAK_SECONDS / 6)) ]; then
		early=$(memory)
		early_pid=${spawned[broker]}
	fi
	if [ $((passed / 60)) -ge "$minute" ]; then
		watch
		minute=$((minute + 1))
	fi
done
watch
late=$(memory)
late_pid=${spawned[broker]}
late_fds=$(n_fds)
until [ $((SECONDS - begin)) -ge $((SOAK_SECONDS + restarting)) ]; do
	disturb 1
done
end_clients
finish crowd 300
is $? 0 "the crowd ran to its end"
comment <"$tmp/crowd.out"
echo "# rss kB after $((SOAK_SECONDS / 6)) s: $early, after $SOAK_SECONDS s: $late;" \
	"reloads $n_reloads, restarts $n_restarts"
is "$(figure stale)" 0 "every subscriber has the newest value of its topic"
is "$(figure refused)" 0 "no publish was refused"
ok $(($(figure moved) < 100)) "observers were moved"
is "$late_pid" "$early_pid" "memory is that of one process"
ok $((late > early + more)) "at the end it is what it was, within $more kB"
is "$late_fds" "$fds" "and so are the descriptors"
is "$(n_fds)" "$fds" "also after restarts with all that was kept"
is "$n_bad_stops" 0 "every SIGTERM ends with status 0"
start=$SECONDS
stop_broker
echo "# stopped within $((SECONDS - start)) s"
done_testing
