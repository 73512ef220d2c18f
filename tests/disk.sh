# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: BSD-2-Clause
# A broker on a disk that fails when it is told to (tests/tools/disk.h), for tests that source
# tests/lib.sh.

# launch_on_disk FILE [OPTION...]: launch_broker, on such a disk. A hanging one goes on by
# the FIFO $tmp/gate.
launch_on_disk() {
	export DISK_DIR=$STATE_DIRECTORY DISK_FAULT=$tmp/fault DISK_GATE=$tmp/gate
	export LD_PRELOAD=$top_builddir/tests/tools/disk.so
	# The sanitizer's own library is not the first one then.
	export ASAN_OPTIONS=verify_asan_link_order=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}
	launch_broker "$@"
	unset LD_PRELOAD
}

start_on_disk() { # FILE [OPTION...]
	launch_on_disk "$@"
	await_broker
}

# disk_fault WORD: what is wrong from now on; nothing is any more when $tmp/fault is removed.
disk_fault() {
	echo "$1" >"$tmp/fault.new"
	mv "$tmp/fault.new" "$tmp/fault"
}

# Nothing is wrong any more: what hangs goes on, and so does what is about to.
disk_goes_on() {
	rm -f "$tmp/fault"
	exec 3<>"$tmp/gate"
	wait_until 10 counter_is store waiting 0
	exec 3>&-
}
