#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What leaves from transport/udp, as a capture on other hosts sees it: source
# address and port, hops and interface of group datagrams, from IPv4, IPv6 and
# dual-stack sockets; source-specific members; and answers that come from the
# address that was asked.
. "${srcdir:-.}/tests/lib.sh"
netns_begin "$@"
need tcpdump
probe=$top_builddir/tests/netns/mcast_probe
[ -x "$probe" ] || bail "$probe is not built"
plan 45
netns_hosts a b c d

# a: a second address on eth0, and a second interface, to d.
in_host a ip address add 10.77.0.101/24 dev eth0
in_host a ip address add fd77::101/64 dev eth0 nodad
ip link add eth1 netns a type veth peer name eth1 netns d
in_host a sysctl -qw net.ipv6.conf.eth1.accept_dad=0
in_host d sysctl -qw net.ipv6.conf.eth1.accept_dad=0
in_host a ip address add 10.78.0.1/24 dev eth1
in_host a ip address add fd78::1/64 dev eth1 nodad
in_host a ip link set eth1 up
in_host d ip address add 10.78.0.4/24 dev eth1
in_host d ip address add fd78::4/64 dev eth1 nodad
in_host d ip link set eth1 up
on_link() {
	in_host "$1" ip -6 address show dev "$2" scope link -tentative | grep -q fe80
}
for host in a d; do
	wait_until 10 on_link $host eth1 || bail "eth1 of $host does not come up"
done

# member NAME HOST GROUP SERVER N: N datagrams from there, then the end. Names of
# members and captures are used once: waiting reads the files they name.
member() {
	spawn "$1" in_host "$2" "$probe" member "$3" "$4" "$5"
	wait_line "$tmp/$1.out" ready || bail "no member: $(cat "$tmp/$1.err")"
}

# heard NAME: how many datagrams by sender, receiver's address, interface and kind.
heard() {
	finish "$1" || echo "status $?"
	grep -v ready "$tmp/$1.out" | sort | uniq -c | sed 's/^ *//'
}

# A capture knows hops only by their place in the header.
hops4='ip[8]' hops6='ip6[7]'

# sends NAME LISTEN SOURCE GROUP HOPS FILTER: 5 datagrams on eth0 of a, that b and
# c (and a itself) get as members, and a capture on b sees as they should be.
sends() {
	local name=$1 listen=$2 source=$3 group=$4 hops=$5 filter=$6 host own
	local wire=wire$n_cases
	for host in a b c; do
		member "$host-$wire" "$host" "$group" "$source" 5
	done
	capture_start "$wire" b
	in_host a "$probe" send "$listen" "$source" "$group" eth0 "$hops" 5 >"$tmp/send.out" 2>&1 ||
		comment <"$tmp/send.out"
	capture_stop "$wire"
	is "$(capture_count "$wire" udp)" 5 "$name: five datagrams on the wire"
	is "$(capture_count "$wire" "$filter = $hops")" 5 "$name: source, destination and hops"
	for host in a b c; do
		case $group in
		\[*) own='[::]' ;;
		*) own=${host_ip4[$host]} ;;
		esac
		is "$(heard "$host-$wire")" "5 $source $own:${group##*:} eth0 group" \
			"$name: $host hears it"
	done
}

sends "IPv4 socket" 0.0.0.0 10.77.0.1:5683 239.255.17.5:5683 7 \
	"src host 10.77.0.1 and src port 5683 and dst host 239.255.17.5 and dst port 5683 and $hops4"
sends "IPv4 from a dual-stack socket" '[::]:5700' 10.77.0.1:5700 239.255.17.5:61616 255 \
	"src host 10.77.0.1 and src port 5700 and dst host 239.255.17.5 and dst port 61616 and $hops4"
sends "IPv4 from the second address" '[::]' 10.77.0.101:5683 232.1.2.3:5683 1 \
	"src host 10.77.0.101 and src port 5683 and dst host 232.1.2.3 and dst port 5683 and $hops4"
sends "IPv4 socket with one address" 10.77.0.101 10.77.0.101:5683 239.255.17.5:5683 2 \
	"src host 10.77.0.101 and src port 5683 and dst host 239.255.17.5 and dst port 5683 and $hops4"
sends "IPv6 from a dual-stack socket" '[::]' '[fd77::1]:5683' '[ff15::17:5]:5683' 7 \
	"src host fd77::1 and src port 5683 and dst host ff15::17:5 and dst port 5683 and $hops6"
sends "IPv6 from the second address" '[::]' '[fd77::101]:5683' '[ff35::17:5]:61616' 1 \
	"src host fd77::101 and src port 5683 and dst host ff35::17:5 and dst port 61616 and $hops6"
sends "IPv6 socket with one address" '[fd77::101]' '[fd77::101]:5683' '[ff15::17:5]:5683' 200 \
	"src host fd77::101 and src port 5683 and dst host ff15::17:5 and dst port 5683 and $hops6"

# The interface, whatever the routing table says of the group.
elsewhere() { # NAME SOURCE GROUP
	local interface wire=wire$n_cases
	member "d-$wire" d "$3" "$2" 5
	capture_start "$wire" b
	in_host a "$probe" send '[::]' "$2" "$3" eth1 4 5 >/dev/null 2>&1
	capture_stop "$wire"
	is "$(capture_count "$wire" udp)" 0 "$1: nothing on the other interface"
	case $3 in
	\[*) interface='[::]:5683 eth1' ;;
	*) interface='10.78.0.4:5683 eth1' ;;
	esac
	is "$(heard "d-$wire")" "5 $2 $interface group" "$1: a member there hears it"
}
elsewhere "IPv4 on eth1" 10.78.0.1:5683 239.255.17.6:5683
elsewhere "IPv6 on eth1" '[fd78::1]:5683' '[ff15::17:6]:5683'

# Answers: one socket, every address of the host.
spawn echo in_host a "$probe" echo '[::]' '[ff15::99]' eth0
wait_line "$tmp/echo.out" ready || bail "no echo: $(cat "$tmp/echo.err")"
link_local=$(in_host a ip -6 -br address show dev eth0 scope link |
	sed -E 's/.*(fe80:[^/]*).*/\1/')
capture_start answers b
for to in 10.77.0.1 10.77.0.101 fd77::1 fd77::101 "$link_local%eth0"; do
	in_host b bash -c "echo ask >/dev/udp/$to/5683"
done
wait_lines "$tmp/echo.out" 6 || comment <"$tmp/echo.out"
in_host b bash -c 'echo ask >/dev/udp/ff15::99/5683'
wait_lines "$tmp/echo.out" 7 || comment <"$tmp/echo.out"
capture_stop answers
answered() { # FROM: how often
	capture_count answers "src $1 and src port 5683 and dst port not 5683"
}
is "$(answered "host 10.77.0.1") $(answered "host 10.77.0.101")" "1 1" \
	"asked at an IPv4 address, answered from there"
is "$(answered "host $link_local")" 1 "asked at a link-local address, answered from there"
# RFC 7252 8.2: never from the group. Which of its addresses then is up to the
# kernel; the other one answered once.
like "$(answered "host fd77::1") $(answered "host fd77::101")" '^(1 2|2 1)$' \
	"asked at an IPv6 address, answered from there; at a group, from one of them"
is "$(answered "host ff15::99")" 0 "never from a group"
is "$(capture_count answers "src port 5683")" 6 "and that was all"
stop echo
ok $? "the echo ends with status 0"
