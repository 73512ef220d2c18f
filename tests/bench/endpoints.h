/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many CoAP endpoints on one socket: peer number i of the load generator talks
 * from 127.1.0.0 + i, chosen per datagram with IP_PKTINFO, so that 10,000 peers
 * cost one descriptor. Sends and receives in batches of 64. Not a message
 * layer: it moves datagrams and knows nothing of what is in them.
 */
#ifndef COAPCAST_BENCH_ENDPOINTS_H
#define COAPCAST_BENCH_ENDPOINTS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/error.h"

#define ENDPOINTS_BATCH 64
#define ENDPOINTS_IN 1500 /* largest datagram taken in */
#define ENDPOINTS_OUT 1280 /* largest datagram sent */
#define ENDPOINTS_HEADERS 28u /* IPv4 and UDP, per datagram */
#define ENDPOINTS_MAX 1000000u /* 127.1.0.0 + this is still in 127/8 */

/* Control message room: one IP_PKTINFO. */
union endpoints_control {
	char room[CMSG_SPACE(sizeof(struct in_pktinfo))];
	struct cmsghdr align;
};

struct endpoints_batch {
	struct mmsghdr head[ENDPOINTS_BATCH];
	struct iovec vec[ENDPOINTS_BATCH];
	union endpoints_control control[ENDPOINTS_BATCH];
	struct sockaddr_in name[ENDPOINTS_BATCH];
	uint8_t data[ENDPOINTS_BATCH][ENDPOINTS_IN];
};

struct endpoints {
	int fd; /* bound to 0.0.0.0 and a port of the kernel's choice */
	struct sockaddr_in server; /* whom all peers talk to */
	unsigned n_out; /* datagrams waiting in `out` */
	struct endpoints_batch out;
	struct endpoints_batch in;
	uint64_t n_foreign; /* datagrams from somebody else: ignored */
	uint64_t n_send_errors; /* datagrams the kernel did not take */
	uint64_t n_sent, n_received; /* datagrams */
	uint64_t n_bytes; /* of them, with IPv4 and UDP headers */
	int default_room; /* SO_RCVBUF as it was before endpoints_widen() */
};

/* One datagram that came in; borrowed until the next endpoints_pull(). */
struct endpoints_arrival {
	uint32_t peer; /* whose address it was sent to */
	struct bytes data;
};

/* Largest receive buffer the kernel grants, up to 16 MiB. */
void endpoints_widen(int fd);

/* From now on the clients' socket has the receive buffer that any socket has. */
void endpoints_narrow(struct endpoints *e);

/* 0 or -errno with `err` filled; a heap object because of its size. */
int endpoints_new(const struct sockaddr_in *server, struct error *err, struct endpoints **ret);
void endpoints_free(struct endpoints *e);

/* An empty writer for the next datagram; endpoints_push() sends what it holds. */
struct buf endpoints_claim(struct endpoints *e);
void endpoints_push(struct endpoints *e, uint32_t peer, const struct buf *what);
void endpoints_flush(struct endpoints *e);

/* Reads what is there without waiting: how many arrivals, at most a batch. */
unsigned endpoints_pull(struct endpoints *e, struct endpoints_arrival ret[ENDPOINTS_BATCH]);

/* A socket that has joined `group` on the loopback interface; an fd or -errno. */
int endpoints_join(const struct sockaddr_in *group, struct error *err);

#endif
