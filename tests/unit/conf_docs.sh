#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# coapcast.yaml(5) and the shipped configuration say what the schema says.
. "${srcdir:-.}/tests/lib.sh"
plan 4

check_conf() { # TOP
	"$top_srcdir/scripts/check-conf" "$top_builddir/tests/unit/conf_dump" "$1" >"$tmp/said" 2>&1
	local rc=$?
	comment <"$tmp/said"
	return "$rc"
}

check_conf "$top_srcdir"
ok $? "page, sample and schema are the same"

# The check itself: a copy with one fault in it is found out.
fault() { # FILE SED-SCRIPT NAME
	rm -rf "$tmp/top"
	mkdir -p "$tmp/top/man" "$tmp/top/etc"
	cp "$top_srcdir/man/coapcast.yaml.5" "$tmp/top/man/"
	cp "$top_srcdir/etc/coapcast.yaml" "$tmp/top/etc/"
	chmod -R u+w "$tmp/top"
	sed -i "$2" "$tmp/top/$1"
	! check_conf "$tmp/top"
	ok $? "$3"
}

fault etc/coapcast.yaml 's/^#    max-age: .*/#    max-age: 61s/' "another default"
fault etc/coapcast.yaml 's/^    hops:/    hop:/' "a key that is none"
fault man/coapcast.yaml.5 '/^\.It Va groups\[\]\.datagram/d' "a key that is missing"
