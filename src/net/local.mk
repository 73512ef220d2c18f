# SPDX-License-Identifier: BSD-2-Clause
libcoapcast_a_SOURCES += \
	src/net/server.c src/net/server.h src/net/server_impl.h \
	src/net/server_farewell.c src/net/server_sessions.c \
	src/net/keep.c src/net/keep.h src/net/keep_impl.h \
	src/net/keep_watch.c src/net/keep_announced.c src/net/resume.c \
	src/net/access.c src/net/access.h \
	src/net/bearers.c src/net/bearers.h \
	src/net/certificates.c src/net/certificates.h \
	src/net/descriptors.c src/net/descriptors.h \
	src/net/echo.c src/net/echo.h \
	src/net/identities.c src/net/identities.h \
	src/net/keycheck.c src/net/keycheck.h \
	src/net/listen.c src/net/listen.h \
	src/net/guard.c src/net/guard.h \
	src/net/groupkeys.c src/net/groupkeys.h src/net/groupkeys_impl.h src/net/groupinform.c \
	src/net/groupdrawn.c src/net/groupdrawn.h \
	src/net/secure.c src/net/secure.h \
	src/net/shields.c src/net/shields.h \
	src/net/ssnstore.c src/net/ssnstore.h \
	src/net/subjects.c src/net/subjects.h \
	src/net/discovery.c src/net/discovery.h \
	src/net/farewell.c src/net/farewell.h \
	src/net/figures.c src/net/figures.h \
	src/net/lock.c src/net/lock.h \
	src/net/metrics.c src/net/metrics.h \
	src/net/network.c src/net/network.h \
	src/net/parting.c src/net/parting.h \
	src/net/plan.c src/net/plan.h \
	src/net/reload.c src/net/reload.h \
	src/net/revoke.c src/net/revoke.h \
	src/net/sections.c src/net/sections.h \
	src/net/report.c src/net/report.h \
	src/net/notify.c src/net/notify.h
