# SPDX-License-Identifier: BSD-2-Clause
libcoapcast_a_SOURCES += \
	src/net/server.c src/net/server.h \
	src/net/access.c src/net/access.h \
	src/net/echo.c src/net/echo.h \
	src/net/subjects.c src/net/subjects.h \
	src/net/discovery.c src/net/discovery.h \
	src/net/plan.c src/net/plan.h \
	src/net/reload.c src/net/reload.h \
	src/net/report.c src/net/report.h \
	src/net/notify.c src/net/notify.h
