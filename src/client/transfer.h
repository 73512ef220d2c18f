/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request with all of its body and all of its response's: block-wise on the
 * client's side (RFC 7959). A value that changes between two blocks is fetched
 * anew, a few times. Not here: Observe.
 */
#ifndef COAPCAST_CLIENT_TRANSFER_H
#define COAPCAST_CLIENT_TRANSFER_H

#include "client/session.h"
#include "client/target.h"
#include "wire/option.h"

#define TRANSFER_MAX (16u << 20) /* bytes of a response's body */
#define TRANSFER_RESTARTS 3

struct transfer_request {
	enum msg_code code;
	struct target target; /* borrowed until the end, as the payload is */
	int content_format; /* of the payload, or TARGET_NO_FORMAT */
	struct bytes payload;
	uint32_t timeout_ms; /* for the whole of it; 0: what RFC 7252 gives each request */
	/* A block went over, and it is not the last: `total` bytes in all, 0 unknown. Or NULL. */
	void (*on_progress)(void *ctx, size_t n, size_t total);
	void *progress_ctx;
};

enum transfer_end {
	TRANSFER_ANSWERED, /* look at the code */
	TRANSFER_RESET,
	TRANSFER_TIMEOUT,
	TRANSFER_LOST, /* the connection */
	TRANSFER_INSECURE, /* no secure connection */
	TRANSFER_UNSAFE, /* object security failed, which was told */
	TRANSFER_REFUSED, /* nobody has that port there */
	TRANSFER_BROKEN, /* blocks that make no sense, or a request that cannot be written */
	TRANSFER_CHANGED, /* the value changed, again and again */
	TRANSFER_TOO_LARGE, /* over TRANSFER_MAX */
};

struct transfer_result {
	enum transfer_end end;
	uint8_t code;
	int content_format; /* or TARGET_NO_FORMAT */
	uint32_t max_age_s; /* 60 without the option */
	bool verified;
	const char *why; /* of TRANSFER_INSECURE, in words, or NULL */
	struct bytes etag; /* p NULL: none */
	struct bytes body; /* of other requests than GET and FETCH the first block */
};

/* Embedded in its owner; zeroed means idle. Read it, do not write it. */
struct transfer {
	struct call call;
	struct timer late; /* request.timeout_ms */
	struct session *session; /* NULL: idle */
	void (*on_done)(void *owner, const struct transfer_result *r);
	void *owner;
	struct transfer_request request;
	size_t n_sent; /* bytes of the payload that were accepted */
	size_t n_flight; /* bytes of the block in flight */
	uint8_t szx1; /* of the blocks we send */
	uint8_t szx2; /* of the blocks we get */
	uint8_t n_restarts;
	uint8_t n_etag;
	uint8_t etag[8]; /* of the body */
	bool resumed; /* its first block came otherwise */
	uint8_t code; /* that came with */
	int content_format;
	uint8_t *body; /* owned */
	size_t n_body, cap_body;
	uint32_t n_expected; /* Size2, 0: unknown */
};

/*
 * Starts an idle transfer. on_done is called once, never from within this call; the
 * result's body is valid for that call, in which the transfer is idle again.
 */
void transfer_start(struct transfer *t, struct session *s, const struct transfer_request *r,
	void (*on_done)(void *owner, const struct transfer_result *r), void *owner);
/*
 * The same for the rest of what came with a first block: `first`, a 2.05 or an error
 * response with Block2. What an error response said is asked for by its ETag, since its
 * path alone leads to the value. TRANSFER_CHANGED when the rest is that of another one.
 */
void transfer_resume(struct transfer *t, struct session *s, const struct transfer_request *r,
	const struct msg *first, void (*on_done)(void *owner, const struct transfer_result *r),
	void *owner);
/* Forgets it without a call back; an idle one is fine. */
void transfer_stop(struct transfer *t);
bool transfer_is_on(const struct transfer *t);

/* Whether a message is the first block of more (RFC 7959 2.2). */
bool transfer_has_more(const struct msg *m);
/* Content-Format or TARGET_NO_FORMAT; Max-Age in seconds, 60 without (RFC 7252 5.10.5). */
int transfer_format(const struct msg *m);
uint32_t transfer_max_age_s(const struct msg *m);
/* p NULL: none. */
struct bytes transfer_etag(const struct msg *m);

#endif
