#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# No function is declared that nobody calls, and check-calls would notice one.
. "${srcdir:-.}/tests/lib.sh"
plan 6

calls() { # TOP
	"$top_srcdir/scripts/check-calls" "$1" >"$tmp/said" 2>&1
}

calls "$top_srcdir"
ok $? "every function is called by somebody"
comment <"$tmp/said"

mkdir -p "$tmp/src/a" "$tmp/src/b" "$tmp/tests"
cat >"$tmp/src/a/a.h" <<'END'
/* Not a_told(): this only tells of it. */
struct a {
	int (*a_told)(int n);
};
int a_used(int n);
int a_told(struct a *a,
	int n);
END
cat >"$tmp/src/a/a.c" <<'END'
int
a_used(int n)
{
	return a_told(n); /* a_told() */
}

int
a_told(struct a *a, int n)
{
	return n;
}
END
echo 'int b = a_used(1) + a.a_told(2); /* a_told(3) */ const char *c = "a_told(4)";' \
	>"$tmp/src/b/b.c"
calls "$tmp"
is "$(head -n 1 "$tmp/said")" "src/a/a.h:6: only src/a/a.c calls a_told: make it static" \
	"one that only its own file calls"

sed -i 's/return a_told(n);/return n;/' "$tmp/src/a/a.c"
calls "$tmp"
is "$(head -n 1 "$tmp/said")" "src/a/a.h:6: nobody calls a_told" "one that nobody calls"

echo 'int d = a_told(0, 5);' >"$tmp/tests/d.c"
calls "$tmp"
ok $? "one that a test calls"

echo 'void a_gone(void);' >>"$tmp/src/a/a.h"
calls "$tmp"
is $? 1 "one that is not there fails"
is "$(head -n 1 "$tmp/said")" "src/a/a.h:8: a_gone is defined nowhere" "and why"
