/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What drives a client's state machine (a session, a gather) on a libuv loop: one UDP
 * socket and the groups it joins, the clock, and the kernel's randomness. Not here: what
 * is said (session.h, gather.h) and with whom (endpoint.h, meeting.h).
 */
#ifndef COAPCAST_CLIENT_DRIVER_H
#define COAPCAST_CLIENT_DRIVER_H

#include "base/error.h"
#include "client/link.h"
#include "client/machine.h"
#include "transport/udp.h"

struct driver;

/*
 * What a machine does not hear of. None of these is called before driver_start(), or after
 * driver_close().
 */
struct driver_ops {
	/* As in struct link_ops; for UDP alone they may be NULL. */
	void (*nack)(void *ctx, uint16_t mid);
	void (*lost)(void *ctx, enum coapd_end why);
	bool (*expects)(void *ctx);
	/* The server has no open port for what was sent with that message id; NULL: never mind. */
	void (*refused)(void *ctx, const struct addr *to, uint16_t mid);
};

/* How a machine talks; its ctx is the driver. */
extern const struct machine_ops driver_machine_ops;

/*
 * Opens a socket to talk with `remote`, a server or a group, from the address the kernel
 * chooses, or from an address of the interface `ifindex` when it is not 0; *ret_way is the
 * way there. 0, or negative errno with e filled: -EADDRNOTAVAIL when the interface has no
 * address to reach it from.
 */
int driver_open(uv_loop_t *loop, const struct addr *remote, uint32_t ifindex,
	const struct driver_ops *ops, void *ctx, struct error *e, struct driver **ret,
	struct path *ret_way);
/*
 * The same to a server, by a session instead of UDP; groups may be joined all the same.
 * `how` stays borrowed.
 */
int driver_connect(uv_loop_t *loop, const struct addr *server, const struct link_how *how,
	const struct driver_ops *ops, void *ctx, struct error *e, struct driver **ret,
	struct path *ret_way);
/* Begins to drive that machine, until driver_close; it stays borrowed. */
void driver_start(struct driver *d, struct machine *m);
/* Closes it; in a later turn of the loop, on_closed(ctx) may free the machine. */
void driver_close(struct driver *d, void (*on_closed)(void *ctx));

/* Has another session made in place of that which does not answer; false: no such thing. */
bool driver_renew(struct driver *d);
/* Why no secure connection came about, in words, or NULL. */
const char *driver_why(const struct driver *d);
/* Whether the server answers, but has not accepted our keys so far. */
bool driver_is_unproven(const struct driver *d);

uint64_t driver_now_ms(void);
struct udp *driver_udp(struct driver *d);
/* As in struct machine_ops, to a group. */
struct buf *driver_open_group(struct driver *d, const struct udp_group *to);

#endif
