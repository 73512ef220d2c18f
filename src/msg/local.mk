# SPDX-License-Identifier: BSD-2-Clause
libcoapcast_a_SOURCES += \
	src/msg/path.h \
	src/msg/peer.c src/msg/peer.h \
	src/msg/dedup.c src/msg/dedup.h \
	src/msg/layer.c src/msg/layer.h src/msg/layer_impl.h \
	src/msg/request.h src/msg/request.c \
	src/msg/shield.c src/msg/shield.h src/msg/stats.h \
	src/msg/verify.c src/msg/verify.h \
	src/msg/exchange.c \
	src/msg/later.c src/msg/later.h \
	src/msg/leisure.c src/msg/leisure.h \
	src/msg/carrier.c src/msg/carrier.h \
	src/msg/block.c src/msg/block.h
