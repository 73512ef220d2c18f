# SPDX-License-Identifier: BSD-2-Clause
libcoapcast_a_SOURCES += \
	src/conf/arena.c src/conf/arena.h \
	src/conf/conf.c src/conf/conf.h \
	src/conf/confcheck.c src/conf/confcheck.h \
	src/conf/confcheck_security.c \
	src/conf/confkeys.c src/conf/confkeys.h \
	src/conf/confsec.h \
	src/conf/confsec_keys.c src/conf/confsec_keys.h \
	src/conf/confvalid.c src/conf/confvalid.h \
	src/conf/emit.c src/conf/emit.h \
	src/conf/lookup.c src/conf/lookup.h \
	src/conf/scalar.c src/conf/scalar.h \
	src/conf/schema.c src/conf/schema.h \
	src/conf/suggest.c src/conf/suggest.h \
	src/conf/unit.c src/conf/unit.h
