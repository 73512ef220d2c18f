# SPDX-License-Identifier: BSD-2-Clause
libcoapcast_a_SOURCES += \
	src/broker/broker.c src/broker/broker.h src/broker/brokerconf.h src/broker/broker_impl.h \
	src/broker/groups.h src/broker/promise.h \
	src/broker/topic.c src/broker/topic.h \
	src/broker/park.c src/broker/park.h \
	src/broker/restore.c src/broker/restore.h src/broker/catchup.c src/broker/catchup.h \
	src/broker/settings.c src/broker/settings.h \
	src/broker/cover.c src/broker/cover.h \
	src/broker/observe.c src/broker/observe.h \
	src/broker/group.c src/broker/group.h \
	src/broker/announce.c src/broker/announce.h \
	src/broker/permit.c src/broker/permit.h \
	src/broker/qualify.c src/broker/qualify.h \
	src/broker/rekey.c src/broker/rekey.h \
	src/broker/count.c src/broker/count.h \
	src/broker/introspect.c \
	src/broker/unaware.c src/broker/unaware.h \
	src/broker/router.c src/broker/data.c src/broker/register.c src/broker/reroute.c \
	src/broker/regroup.c src/broker/regroup.h \
	src/broker/collection.c src/broker/configure.c src/broker/links.c src/broker/discover.c
