/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UDP for daemon and client: listening sockets, joined groups, and one outbox
 * for all of them, on a libuv loop. Datagrams come in batches and leave in
 * batches; every answer leaves from the address that was asked. It knows
 * nothing of CoAP but the size of its datagrams: messages, acknowledgements
 * and retransmission are msg's. Implements the addressing side of RFC 7252
 * 5.2 and 8 (an answer has the endpoints of its request, swapped; a multicast
 * one is never answered from the group's address).
 */
#ifndef COAPCAST_TRANSPORT_UDP_H
#define COAPCAST_TRANSPORT_UDP_H

#include <uv.h>

#include "base/addr.h"
#include "msg/path.h"

#define UDP_SEND_MAX 2048 /* bytes of a datagram that leaves */
#define UDP_RECEIVE_MAX 4096 /* of one that comes; a longer one is counted and cut */
#define UDP_BATCH 64 /* datagrams per system call */
#define UDP_BACKLOG 1024 /* datagrams that wait for the kernel; more are dropped */
#define UDP_SOCKETS_MAX 256

struct udp;

/*
 * What the owner does with datagrams. Both may open, commit, join, leave
 * and close; after udp_close() none of them is called again.
 */
struct udp_ops {
	/* One datagram; both arguments are borrowed for the call. `from` is
	 * also the way of the answer: udp_open(u, from). */
	void (*on_datagram)(void *ctx, const struct path *from, struct bytes datagram);
	/* The first UDP_RECEIVE_MAX bytes of a longer datagram. May be NULL. */
	void (*on_truncated)(void *ctx, const struct path *from, struct bytes head);
	/* Up to UDP_BATCH datagrams were handed over: the moment to fan out.
	 * What is committed is sent right after. May be NULL. */
	void (*on_batch)(void *ctx);
	/*
	 * What was sent to `to` found its port closed; `head` is the beginning of that
	 * datagram. Whoever saw it can forge this. For udp_keep_errors only.
	 */
	void (*on_refused)(void *ctx, const struct addr *to, struct bytes head);
};

/* A group as the sender sees it. */
struct udp_group {
	struct addr group; /* address and port to send to */
	struct addr source; /* our unicast address and port, those of `socket`; an
	                       * unspecified address leaves the choice to the kernel */
	uint32_t ifindex; /* interface to send on; 0: the kernel's choice */
	uint16_t socket; /* the socket that also serves unicast, see udp_find_socket() */
	uint8_t hops; /* TTL or hop limit, 1 to 255; 0: the kernel's default, 1 */
};

struct udp_stats {
	uint64_t received; /* datagrams handed to on_datagram */
	uint64_t truncated; /* longer than UDP_RECEIVE_MAX */
	uint64_t foreign; /* at a joined socket, not from its server, dropped */
	uint64_t overflowed; /* the kernel dropped them: receive buffer full */
	uint64_t receive_errors;
	uint64_t sent;
	uint64_t dropped; /* the backlog was full, or too long for UDP_SEND_MAX */
	uint64_t failed; /* the kernel refused to send them: no route, EPERM, ... */
};

/* Never fails. `ops` is borrowed until udp_close() calls back. */
struct udp *udp_new(uv_loop_t *loop, const struct udp_ops *ops, void *ctx);

/* While it is held it sends but reads nothing: what comes waits in the kernel. */
void udp_hold(struct udp *u, bool held);

/*
 * Sends what can be sent at once, closes every socket, and, from a later turn
 * of the loop, frees u and calls on_closed(ctx) (may be NULL) with udp_new()'s
 * ctx. u must not be used after the call.
 */
void udp_close(struct udp *u, void (*on_closed)(void *ctx));

/*
 * A socket on a unicast or unspecified address. [::] takes IPv4 too (its peers
 * appear as AF_INET), and becomes 0.0.0.0 where the kernel has no IPv6. Port 0
 * takes a free one. Datagrams to groups do not come here: join for them.
 * 0, or negative errno with e filled.
 */
int udp_listen(struct udp *u, const struct addr *at, struct error *e, uint16_t *ret_socket);
/* From now on on_refused is called for what that socket sends. */
int udp_keep_errors(struct udp *u, uint16_t socket);

/*
 * Joins `group` (address and port): a socket of its own that gets nothing
 * else. With `server`, a source-specific join that lets only datagrams from
 * exactly that address and port through (its port 0: any port of it). With
 * NULL, an any-source join. ifindex 0: the interface the routing table gives
 * towards the server (with NULL, the kernel's choice). 0, or negative errno
 * with e filled: -EADDRINUSE when another program holds the port and does not
 * share it, -ENETUNREACH or -ENODEV without a way to the server. A source-specific
 * join is made again when its interface was deleted and is there again.
 */
int udp_join(struct udp *u, const struct addr *group, const struct addr *server, uint32_t ifindex,
	struct error *e, uint16_t *ret_socket);
/* Leaves the group and closes its socket; also from within on_datagram. */
void udp_leave(struct udp *u, uint16_t socket);

/* Where a socket is bound, with the port it got; NULL when there is none such. */
const struct addr *udp_address(const struct udp *u, uint16_t socket);
/* Bytes of receive buffer a socket got (4 MiB is asked for); 0 without one. */
size_t udp_receive_buffer(const struct udp *u, uint16_t socket);
/* The interface a joined socket listens on: what the routing table gave; 0 for others. */
uint32_t udp_interface(const struct udp *u, uint16_t socket);
/*
 * The listening socket that serves `local` (address and port): the one bound
 * to it, else an unspecified one of that port. -ENOENT: none.
 */
int udp_find_socket(const struct udp *u, const struct addr *local);

/*
 * Opens a datagram: write into the result, then udp_commit() or udp_cancel()
 * before anything else is opened. `to->local` of family AF_UNSPEC leaves the
 * source address to the kernel. NULL: the backlog is full (counted), or the
 * socket is gone.
 */
struct buf *udp_open(struct udp *u, const struct path *to);
/* The same for a datagram to a group. */
struct buf *udp_open_group(struct udp *u, const struct udp_group *g);
/* Queues it (dropped and counted when its buf is full); every 64th is sent with those before. */
void udp_commit(struct udp *u);
void udp_cancel(struct udp *u);
/* How many more datagrams may be committed before one is dropped. */
size_t udp_room(const struct udp *u);
/* Sends what is queued. Before the loop waits this happens by itself. */
void udp_flush(struct udp *u);

void udp_stats(const struct udp *u, struct udp_stats *ret);

/* The address of ours that the kernel would send from to `remote` (port 0); negative errno. */
int udp_local_for(const struct addr *remote, struct addr *ret_local);
/* The same for what leaves by that interface. */
int udp_local_on(const struct addr *remote, uint32_t ifindex, struct addr *ret_local);

#endif
