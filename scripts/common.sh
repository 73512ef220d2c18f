# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: BSD-2-Clause
# What run, test and demo share: where to build, and building there. The checkout
# may be read-only. Wants `top`, the top folder of the checkout.

# build_dir NAME: prints build/NAME in the checkout, or a folder in the user's
# cache when that cannot be written.
build_dir() {
	local d=$top/build/$1
	if ! mkdir -p "$d" 2>/dev/null || [ ! -w "$d" ]; then
		d=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/coapcast/$(cksum <<<"$top" | cut -d' ' -f1)/$1
		mkdir -p "$d"
	fi
	(cd "$d" && pwd)
}

# build_in DIR TARGET [CONFIGURE-ARG...]: build TARGET in DIR/build from links to
# the checkout in DIR/tree. Quick when nothing changed. One at a time.
build_in() {
	local dir=$1 target=$2
	shift 2
	(
		set -e
		flock 9
		"$top/scripts/bootstrap" "$dir/tree"
		mkdir -p "$dir/build"
		cd "$dir/build"
		if [ ! -e Makefile ] || [ "$(cat "$dir/configured" 2>/dev/null)" != "$*" ]; then
			rm -f "$dir/configured"
			../tree/configure -q "$@"
			echo "$*" >"$dir/configured"
		fi
		make -s -j"$(nproc)" "$target"
	) 9>"$dir/lock"
}
