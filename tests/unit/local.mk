# SPDX-License-Identifier: BSD-2-Clause
# One program per module: check_PROGRAMS += tests/unit/test_MODULE and
# tests_unit_test_MODULE_SOURCES = tests/unit/test_MODULE.c tests/unit/unit.h
# LDADD and AM_CPPFLAGS are set for all of them in Makefile.am.
