# SPDX-License-Identifier: BSD-2-Clause
libcoapcast_a_SOURCES += \
	src/transport/udp.h
