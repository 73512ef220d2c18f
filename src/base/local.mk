# SPDX-License-Identifier: BSD-2-Clause
libcoapcast_a_SOURCES += \
	src/base/bytes.h \
	src/base/addr.c src/base/addr.h \
	src/base/buf.c src/base/buf.h \
	src/base/error.c src/base/error.h \
	src/base/fds.c src/base/fds.h \
	src/base/log.c src/base/log.h \
	src/base/map.c src/base/map.h \
	src/base/mem.c src/base/mem.h \
	src/base/rnd.c src/base/rnd.h \
	src/base/wheel.c src/base/wheel.h
