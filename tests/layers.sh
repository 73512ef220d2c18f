#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The layers of src/LAYERS hold, and check-layers would notice if they did not.
. "${srcdir:-.}/tests/lib.sh"
plan 5

# A tree with one wrong arrow: base including the room FROM-above.
mkdir -p "$tmp/src/base" "$tmp/src/wire" "$tmp/src/broker"
cp "$top_srcdir/src/LAYERS" "$tmp/src/LAYERS"
layers() {
	"$top_srcdir/scripts/check-layers" "${1:-$tmp}" >"$tmp/said" 2>&1
}

layers "$top_srcdir"
ok $? "every include is an allowed one"
comment <"$tmp/said"

echo '#include "base/x.h"' >"$tmp/src/wire/a.c"
layers
ok $? "wire may include base"

echo '#include "wire/x.h"' >"$tmp/src/base/a.c"
layers
is $? 1 "base may not include wire"
rm "$tmp/src/base/a.c"

echo '#include <uv.h>' >"$tmp/src/wire/a.c"
layers
is $? 1 "wire may not include libuv"

echo '#include <sys/socket.h>' >"$tmp/src/wire/a.c"
layers
is $? 1 "wire may not have sockets"
