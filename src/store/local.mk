# SPDX-License-Identifier: BSD-2-Clause
libcoapcast_a_SOURCES += \
	src/store/record.h \
	src/store/store.h
