# SPDX-License-Identifier: BSD-2-Clause
# One program per module: check_PROGRAMS += tests/unit/test_MODULE and
# tests_unit_test_MODULE_SOURCES = tests/unit/test_MODULE.c tests/unit/unit.h
# LDADD and AM_CPPFLAGS are set for all of them in Makefile.am.

check_PROGRAMS += tests/unit/test_cbor
tests_unit_test_cbor_SOURCES = tests/unit/test_cbor.c tests/unit/unit.h tests/unit/hex.h

check_PROGRAMS += tests/unit/test_inform
tests_unit_test_inform_SOURCES = tests/unit/test_inform.c tests/unit/unit.h tests/unit/hex.h tests/unit/vectors_inform.h

check_PROGRAMS += tests/unit/test_link
tests_unit_test_link_SOURCES = tests/unit/test_link.c tests/unit/unit.h

check_PROGRAMS += tests/unit/test_option
tests_unit_test_option_SOURCES = tests/unit/test_option.c tests/unit/unit.h tests/unit/hex.h

check_PROGRAMS += tests/unit/test_props
tests_unit_test_props_SOURCES = tests/unit/test_props.c tests/unit/unit.h tests/unit/hex.h

# The message layer and what is below it.
unit_world = tests/unit/world.c tests/unit/world.h tests/unit/unit.h
check_PROGRAMS += tests/unit/test_layer tests/unit/test_exchange tests/unit/test_network
tests_unit_test_layer_SOURCES = tests/unit/test_layer.c $(unit_world)
tests_unit_test_exchange_SOURCES = tests/unit/test_exchange.c $(unit_world)
tests_unit_test_network_SOURCES = tests/unit/test_network.c tests/unit/unit.h
