/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A session on real sockets: a client's endpoint towards one server on a libuv
 * loop, its clock and its randomness, and the groups it joins. What is said over it
 * is session.h's, transfer.h's and observation.h's.
 */
#ifndef COAPCAST_CLIENT_ENDPOINT_H
#define COAPCAST_CLIENT_ENDPOINT_H

#include <uv.h>

#include "base/error.h"
#include "client/link.h"
#include "client/session.h"
#include "client/transfer.h"

struct endpoint;

/*
 * Opens a socket to talk with `server` from the address the kernel chooses, or from
 * an address of the interface `ifindex` when it is not 0. 0, or negative errno with
 * e filled.
 */
int endpoint_open(uv_loop_t *loop, const struct addr *server, uint32_t ifindex, struct error *e,
	struct endpoint **ret);
/* The same by DTLS, TLS or TCP; `how` stays borrowed. */
int endpoint_connect(uv_loop_t *loop, const struct addr *server, const struct link_how *how,
	struct error *e, struct endpoint **ret);
/*
 * Closes it; the memory goes in a later turn of the loop. What was started on its
 * session must have been stopped. NULL is fine.
 */
void endpoint_close(struct endpoint *ep);

struct session *endpoint_session(struct endpoint *ep);
/* Has another session made in place of that which does not answer; false: no such thing. */
bool endpoint_renew(struct endpoint *ep);
/* Why no secure connection came about, in words. */
const char *endpoint_why(const struct endpoint *ep);
/* Whether the server answers, but has not accepted our keys so far: a timeout means that. */
bool endpoint_is_unproven(const struct endpoint *ep);

/* What struct observation_ops asks for. */
int endpoint_join(struct endpoint *ep, const struct addr *group, const struct addr *server,
	struct error *e, uint16_t *ret_socket);
void endpoint_leave(struct endpoint *ep, uint16_t socket);

/*
 * Runs the loop until the request is over. The result's ETag and body are valid until
 * the next one, or the end of the endpoint.
 */
void endpoint_request(
	struct endpoint *ep, const struct transfer_request *r, struct transfer_result *ret);
/* The same for the rest of a value whose first block came in `first`: transfer_resume(). */
void endpoint_resume(struct endpoint *ep, const struct transfer_request *r, const struct msg *first,
	struct transfer_result *ret);

#endif
