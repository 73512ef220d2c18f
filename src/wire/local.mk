# SPDX-License-Identifier: BSD-2-Clause
libcoapcast_a_SOURCES += \
	src/wire/msg.c src/wire/msg.h \
	src/wire/codec.c src/wire/codec.h \
	src/wire/inform.h
