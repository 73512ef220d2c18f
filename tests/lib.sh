# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What every test script shares. Source it first:
#
#	. "${srcdir:-.}/tests/lib.sh"
#	plan 2
#
# and run it with `make check TESTS=tests/integration/x.sh`, or by hand from the
# build folder: `srcdir=../tree bash ../tree/tests/integration/x.sh`.
#
# Rules: everything is TAP on stdout; nothing sleeps to synchronise, what has to
# be waited for is polled with a bound; every process started here is ended here.

set -u
export LC_ALL=C

: "${srcdir:=.}"
: "${top_srcdir:=$(cd "$srcdir" && pwd)}"
: "${top_builddir:=$(pwd)}"
: "${TEST_TIME_FACTOR:=1}"          # stretches every bound (valgrind)
: "${COAPCASTD_WRAPPER:=}"          # put before the daemon: valgrind ...
: "${COAP_CLIENT:=}"
# shellcheck disable=SC2034 # for the tests
coapcast=$top_builddir/coapcast
coapcastd=$top_builddir/coapcastd
# shellcheck disable=SC2034
talk=$top_builddir/tests/tools/talk     # a client that says what it is told
packets=$top_builddir/tests/tools/packets # captures and datagrams as lines
export srcdir top_srcdir top_builddir

tmp=$(mktemp -d "${TMPDIR:-/tmp}/coapcast-test.XXXXXX")
export STATE_DIRECTORY=$tmp/state   # where no other is configured
n_cases=0                           # TAP cases written so far
declare -A spawned=()               # NAME -> pid of what spawn() started
port_locks=()                       # folders that hold our ports
script_pid=$BASHPID                 # a child of it that has not become its program yet is another
on_ports=${TMPDIR:-/tmp}/coapcast-test-ports.$(id -u)

# --- TAP ----------------------------------------------------------------------

# plan N: how many cases there will be.
plan() {
	echo "1..$1"
}

# done_testing: the plan at the end, instead of `plan N`: all that was counted.
done_testing() {
	echo "1..$n_cases"
}

# Every line of stdin as a TAP comment.
comment() {
	sed 's/^/# /'
}

# ok STATUS NAME: 0 passes.
ok() {
	n_cases=$((n_cases + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n_cases - $2"
	else
		echo "not ok $n_cases - $2"
	fi
}

# is GOT WANTED NAME
is() {
	local rc=0
	[ "$1" = "$2" ] || rc=1
	ok "$rc" "$3"
	if [ "$rc" -ne 0 ]; then
		printf 'got:\n%s\nwanted:\n%s\n' "$1" "$2" | comment
	fi
}

# like GOT REGEX NAME (extended regular expression, anywhere in GOT)
like() {
	local rc=0
	[[ $1 =~ $2 ]] || rc=1
	ok "$rc" "$3"
	if [ "$rc" -ne 0 ]; then
		printf 'got:\n%s\nwanted a match of:\n%s\n' "$1" "$2" | comment
	fi
}

# The rest makes no sense: fails the test as a whole.
bail() {
	echo "Bail out! $*"
	exit 1
}

# skip_all REASON: before the plan. In CI what is missing is a failure.
skip_all() {
	if [ "${CI:-}" = true ]; then
		echo "1..1"
		echo "not ok 1 - cannot run: $*"
		exit 0 # the case has failed, that is enough
	fi
	echo "1..0 # SKIP $*"
	exit 0
}

# need PROGRAM...: skip when one of them is missing.
need() {
	local p
	for p in "$@"; do
		command -v "$p" >/dev/null || skip_all "$p is not installed"
	done
}

need_coap_client() {
	if [ -z "$COAP_CLIENT" ] || [ "$COAP_CLIENT" = none ]; then
		local p
		for p in coap-client coap-client-openssl coap-client-gnutls coap-client-notls; do
			if command -v "$p" >/dev/null; then
				COAP_CLIENT=$p
				return
			fi
		done
		skip_all "no coap-client is installed"
	fi
}

# --- waiting ------------------------------------------------------------------

# wait_until SECONDS COMMAND...: poll until the command succeeds; 1 on time-out.
wait_until() {
	local end=$((SECONDS + $1 * TEST_TIME_FACTOR + 1))
	shift
	until "$@"; do
		if [ "$SECONDS" -ge "$end" ]; then
			return 1
		fi
		sleep 0.02
	done
}

has_line() { # FILE REGEX
	grep -qE -- "$2" "$1" 2>/dev/null
}

has_lines() { # FILE N
	[ "$(wc -l 2>/dev/null <"$1" || echo 0)" -ge "$2" ]
}

# wait_line FILE REGEX [SECONDS]: until a line matches.
wait_line() {
	wait_until "${3:-10}" has_line "$1" "$2"
}

# wait_lines FILE N [SECONDS]: until there are at least N lines.
wait_lines() {
	wait_until "${3:-10}" has_lines "$1" "$2"
}

gone() { # PID
	! kill -0 "$1" 2>/dev/null
}

# --- processes ----------------------------------------------------------------

# spawn NAME COMMAND...: in the background, output in $tmp/NAME.out and .err.
# `spawn NAME in_host HOST COMMAND...` starts it in a network namespace.
spawn() {
	local name=$1
	shift
	if [ "$1" = in_host ]; then
		set -- nsenter --net="/run/netns/$2" -- "${@:3}"
	fi
	# Emptied here: who waits for a line must not find that of an earlier run.
	: >"$tmp/$name.out"
	: >"$tmp/$name.err"
	(exec "$@") >"$tmp/$name.out" 2>"$tmp/$name.err" </dev/null &
	spawned[$name]=$!
}

# finish NAME [SECONDS]: wait for the end of it; its exit status, 124 on time-out
# (then it is killed).
finish() {
	local pid=${spawned[$1]} rc=0 late=0
	wait_until "${2:-10}" gone "$pid" || late=1
	if [ "$late" -ne 0 ]; then
		kill -KILL "$pid" 2>/dev/null
	fi
	wait "$pid" 2>/dev/null || rc=$?
	unset "spawned[$1]"
	if [ "$late" -ne 0 ]; then
		rc=124
	fi
	return "$rc"
}

# stop NAME [SIGNAL]: signal it and wait; its exit status.
stop() {
	kill "-${2:-TERM}" "${spawned[$1]}" 2>/dev/null
	finish "$1"
}

# A child that is ended between fork and exec still has the traps of the script.
cleanup() {
	local name d
	[ "$BASHPID" = "$script_pid" ] || return
	for name in "${!spawned[@]}"; do
		kill -KILL "${spawned[$name]}" 2>/dev/null
		wait "${spawned[$name]}" 2>/dev/null
	done
	for d in "${port_locks[@]}"; do
		rmdir "$d" 2>/dev/null
	done
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# --- the broker -----------------------------------------------------------------

port_is_used() { # PORT
	local hex
	printf -v hex '%04X' "$1"
	grep -qi ":$hex " /proc/net/udp /proc/net/udp6 /proc/net/tcp /proc/net/tcp6 2>/dev/null
}

take_port() { # PORT
	! port_is_used "$1" && mkdir "$on_ports/$1" 2>/dev/null && port_locks+=("$on_ports/$1")
}

# take_ports N: sets `port` to the first of N in a row that no other running test has.
take_ports() {
	local i n
	mkdir -p "$on_ports"
	for i in {1..200}; do
		port=$((20000 + RANDOM % 10000))
		for ((n = 0; n < $1; n++)); do
			take_port $((port + n)) || continue 2
		done
		return 0
	done
	bail "no free port after $i tries"
}

free_port() {
	take_ports 1
}

# free_pair: `port` and the one after it.
free_pair() {
	take_ports 2
}

# launch_broker FILE [ARG...]: start the daemon on configuration FILE without
# waiting. Its log is $tmp/broker.log. With broker_host set it runs in that
# network namespace. It knows nothing of those before it, unless keep_state is set.
launch_broker() {
	local file=$1 wrapper=()
	shift
	read -ra wrapper <<<"$COAPCASTD_WRAPPER"
	if [ -z "${keep_state:-}" ]; then
		rm -rf "$STATE_DIRECTORY"
	fi
	if [ -n "${broker_host:-}" ]; then
		wrapper=(nsenter "--net=/run/netns/$broker_host" -- "${wrapper[@]}")
	fi
	spawn broker "${wrapper[@]}" "$coapcastd" -c "$file" "$@"
	ln -sf broker.err "$tmp/broker.log"
}

broker_is_up() {
	has_line "$tmp/broker.log" '(^|[^a-z])ready([^a-z]|$)' || gone "${spawned[broker]}"
}

# start_broker FILE [ARG...]: the same, and wait for the line `ready`. The test
# is over when it does not come.
start_broker() {
	launch_broker "$@"
	await_broker
}

await_broker() {
	if ! wait_until 10 broker_is_up || gone "${spawned[broker]}"; then
		comment <"$tmp/broker.log"
		bail "the broker did not get ready"
	fi
}

# stop_broker: SIGTERM; one TAP case: it ends with status 0, which is also its
# leak check. The log is shown when not.
stop_broker() {
	local rc=0
	stop broker TERM || rc=$?
	is "$rc" 0 "the broker stops with status 0"
	if [ "$rc" -ne 0 ]; then
		tail -n 100 "$tmp/broker.log" | comment
	fi
}

n_dumps() {
	grep -c 'state: groups ' "$tmp/broker.log"
}

has_dumps() { # N
	[ "$(n_dumps)" -ge "$1" ]
}

# broker_counter WHAT NAME: a counter of the line `state: WHAT` of a fresh dump (SIGUSR1).
broker_counter() {
	local n
	n=$(n_dumps)
	kill -USR1 "${spawned[broker]}"
	wait_until 10 has_dumps $((n + 1)) || return
	grep "state: $1 " "$tmp/broker.log" | tail -n 1 | sed "s/.* $2=\([0-9]*\).*/\1/"
}

counter_is() { # WHAT NAME VALUE
	[ "$(broker_counter "$1" "$2")" = "$3" ]
}

counter_reaches() { # WHAT NAME VALUE
	[ "$(broker_counter "$1" "$2")" -ge "$3" ]
}

# --- coap-client ----------------------------------------------------------------

# client ARG...: coap-client, at most 5 s; what it prints on stderr (the code of an
# error) comes on stdout too.
client() {
	"$COAP_CLIENT" -B 5 "$@" 2>&1 </dev/null
}

# client_codes ARG...: the codes of the answers it gets, a line each.
client_codes() {
	client -v 6 "$@" | sed -n 's/^v:1 t:... c:\([2-5]\.[0-9][0-9]\) .*/\1/p'
}

# --- network namespaces ---------------------------------------------------------

# netns_begin: call it right after sourcing. Starts the script again in network
# and mount namespaces of its own, so that nothing of it is left behind or meets
# what is outside. Needs root (in a user namespace tcpdump cannot run).
netns_begin() {
	need ip nsenter unshare
	[ "$(id -u)" -eq 0 ] || skip_all "network namespaces need root"
	if [ -z "${COAPCAST_IN_NETNS:-}" ]; then
		unshare --mount --net true 2>/dev/null || skip_all "no network namespaces here"
		rm -rf "$tmp"
		trap - EXIT
		COAPCAST_IN_NETNS=1 exec unshare --mount --net bash "$0" "$@"
	fi
	# The names of our namespaces are on a tmpfs only we see.
	if [ -d /run/netns ]; then
		mount -t tmpfs tmpfs /run/netns
	else
		mount -t tmpfs tmpfs /run && mkdir /run/netns
	fi || skip_all "cannot mount in a mount namespace"
	ip link set lo up
}

# netns_hosts NAME...: hosts on one bridge. The i-th has 10.77.0.i/24 and
# fd77::i/64 on eth0, and a multicast route; host_ip4 and host_ip6 know them.
netns_hosts() {
	local name i=0
	declare -gA host_ip4=() host_ip6=()
	echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
	ip link add br0 type bridge mcast_snooping 0 2>/dev/null ||
		skip_all "this kernel has no bridge"
	ip link set br0 up
	for name in "$@"; do
		i=$((i + 1))
		host_ip4[$name]=10.77.0.$i
		printf -v "host_ip6[$name]" 'fd77::%x' "$i"
		ip netns add "$name"
		ip link add "v$i" type veth peer name eth0 netns "$name" 2>/dev/null ||
			skip_all "this kernel has no veth"
		ip link set "v$i" master br0 up
		# shellcheck disable=SC2016 # expanded in there
		in_host "$name" sh -eu -c '
			echo 0 >/proc/sys/net/ipv6/conf/all/accept_dad
			echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad
			echo 0 >/proc/sys/net/ipv6/conf/eth0/router_solicitations
			ip link set lo up
			ip address add "$1/24" dev eth0
			ip address add "$2/64" dev eth0 nodad
			ip link set eth0 up
			ip route add 224.0.0.0/4 dev eth0
			' sh "${host_ip4[$name]}" "${host_ip6[$name]}" ||
			bail "cannot set up host $name"
	done
	for name in "$@"; do
		wait_until 10 host_is_up "$name" || bail "host $name does not come up"
	done
}

# Addresses usable (IPv6 ones are tentative at first) and the carrier there.
host_is_up() {
	[ -z "$(in_host "$1" ip -6 address show dev eth0 tentative)" ] &&
		in_host "$1" ip link show dev eth0 | grep -q 'state UP'
}

# in_host HOST COMMAND...: run it there and wait.
in_host() {
	local ns=$1
	shift
	nsenter --net="/run/netns/$ns" -- "$@"
}

# host_drops HOST PERCENT [NFT-MATCH...]: lose so many of the packets that come in.
host_drops() {
	local ns=$1 dice="numgen random mod 100 < $2"
	if [ "$2" -ge 100 ]; then
		dice=
	fi
	shift 2
	in_host "$ns" nft -f - <<-END || bail "nft refuses the loss rule"
		table inet loss {
			chain in {
				type filter hook input priority 0;
				$* $dice drop
			}
		}
	END
}

# host_loses HOST PERCENT: lose so many of the packets, in either direction.
host_loses() {
	in_host "$1" nft -f - <<-END || bail "nft refuses the loss rules"
		table inet lossy {
			chain in {
				type filter hook input priority 0;
				iifname eth0 meta l4proto udp numgen random mod 100 < $2 drop
			}
			chain out {
				type filter hook output priority 0;
				oifname eth0 meta l4proto udp numgen random mod 100 < $2 drop
			}
		}
	END
}

# --- captures -------------------------------------------------------------------

capture_mark_port=9     # discard; to a group, so that no ARP is needed

# capture_start NAME HOST [FILTER]: capture on eth0 of HOST from now on.
declare -A capture_host=()
capture_start() {
	local name=$1 host=$2 filter=${3:-udp}
	need tcpdump
	capture_host[$name]=$host
	# In immediate mode each packet takes a whole snapshot length of the buffer: with the
	# default of 256 KiB a burst of a dozen packets loses some.
	spawn "capture-$name" in_host "$host" tcpdump -Z root --immediate-mode -U -n -i eth0 \
		-s 4096 -B 8192 -w "$tmp/$name.pcap" "($filter) or udp port $capture_mark_port"
	wait_line "$tmp/capture-$name.err" 'listening on' || {
		comment <"$tmp/capture-$name.err"
		bail "tcpdump does not start"
	}
}

capture_has_mark() {
	[ "$(capture_read "$1" "udp port $capture_mark_port" | wc -l)" -ge 1 ]
}

# capture_stop NAME: end it when everything sent up to now is in the file.
capture_stop() {
	in_host "${capture_host[$1]}" bash -c \
		"echo mark >/dev/udp/239.255.255.9/$capture_mark_port"
	wait_until 10 capture_has_mark "$1" || bail "the end mark is not in capture $1"
	stop "capture-$1" INT || true
}

# capture_read NAME FILTER [TCPDUMP-OPTION...]: the packets, a line each.
capture_read() {
	local name=$1 filter=$2
	shift 2
	tcpdump -n -tt -r "$tmp/$name.pcap" "$@" "$filter" 2>/dev/null
}

# capture_show NAME: the CoAP messages, a line each; see tests/tools/packets.c.
capture_show() {
	"$packets" "$tmp/$1.pcap" | grep -v ":$capture_mark_port ttl="
}

# capture_count NAME FILTER: how many packets match.
capture_count() {
	capture_read "$1" "($2) and not udp port $capture_mark_port" | wc -l
}
