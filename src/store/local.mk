# SPDX-License-Identifier: BSD-2-Clause
libcoapcast_a_SOURCES += \
	src/store/batch.c src/store/batch.h \
	src/store/db.c src/store/db.h \
	src/store/place.c src/store/place.h \
	src/store/record.h \
	src/store/schema.c src/store/schema.h \
	src/store/sound.c src/store/sound.h \
	src/store/store.c src/store/store.h \
	src/store/table.c src/store/table.h
