# SPDX-License-Identifier: BSD-2-Clause
libcoapcast_a_SOURCES += \
	src/wire/msg.c src/wire/msg.h \
	src/wire/codec.c src/wire/codec.h \
	src/wire/cborbuf.c src/wire/cborbuf.h \
	src/wire/cborget.c src/wire/cborget.h \
	src/wire/cri.c src/wire/cri.h \
	src/wire/inform.c src/wire/inform.h \
	src/wire/link.c src/wire/link.h \
	src/wire/material.c src/wire/material.h \
	src/wire/option.c src/wire/option.h \
	src/wire/props.c src/wire/props.h
