#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The manual pages say what the sources do.
. "${srcdir:-.}/tests/lib.sh"
plan 1

"$top_srcdir/scripts/check-docs" >"$tmp/said" 2>&1
ok $? "options and paths"
comment <"$tmp/said"
