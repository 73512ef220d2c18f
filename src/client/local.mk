# SPDX-License-Identifier: BSD-2-Clause
libcoapcast_a_SOURCES += \
	src/client/armor.c src/client/armor.h \
	src/client/driver.c src/client/driver.h \
	src/client/endpoint.c src/client/endpoint.h \
	src/client/gather.c src/client/gather.h \
	src/client/meeting.c src/client/meeting.h \
	src/client/groups.c src/client/groups.h \
	src/client/latest.c src/client/latest.h \
	src/client/membership.c src/client/revival.c src/client/values.c \
	src/client/observation.c src/client/observation.h src/client/observation_impl.h \
	src/client/offer.c src/client/offer.h \
	src/client/machine.c src/client/machine.h \
	src/client/link.c src/client/link.h \
	src/client/session.c src/client/session.h \
	src/client/target.c src/client/target.h \
	src/client/transfer.c src/client/transfer.h
