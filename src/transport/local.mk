# SPDX-License-Identifier: BSD-2-Clause
libcoapcast_a_SOURCES += \
	src/transport/pemfiles.c src/transport/pemfiles.h \
	src/transport/certificate.c src/transport/certificate.h \
	src/transport/coapd.c src/transport/coapd.h src/transport/coapd_impl.h \
	src/transport/coapd_alert.c \
	src/transport/coapd_door.c \
	src/transport/coapd_opening.c \
	src/transport/coapd_pdu.c \
	src/transport/coapd_session.c \
	src/transport/coapd_ssl.c src/transport/coapd_ssl.h \
	src/transport/coapd_tls.c \
	src/transport/hello.c src/transport/hello.h \
	src/transport/inbox.c src/transport/inbox.h \
	src/transport/netlink.c src/transport/netlink.h \
	src/transport/once.c src/transport/once.h \
	src/transport/outbox.c src/transport/outbox.h \
	src/transport/route.c src/transport/route.h \
	src/transport/sock.c src/transport/sock.h \
	src/transport/udp.c src/transport/udp.h
