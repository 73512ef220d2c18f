#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The manual pages say what the sources do.
. "${srcdir:-.}/tests/lib.sh"
plan 3

"$top_srcdir/scripts/check-docs" >"$tmp/said" 2>&1
ok $? "options and paths"
comment <"$tmp/said"

# A table that names a case that is not there, and lacks one that is.
sed 's/seed_2_token_t$/seed_2_token_u/' "$top_srcdir/tests/data/conformance.tsv" >"$tmp/table"
CONFORMANCE_TABLE=$tmp/table "$top_srcdir/scripts/conformance" >"$tmp/wrong"
is $? 1 "a table of conformance that is not true"
is "$(grep -oE 'no seed_2_[a-z_]*|nothing about seed_2_[a-z_]*' "$tmp/wrong")" \
	$'no seed_2_token_u\nnothing about seed_2_token_t' "and why"
