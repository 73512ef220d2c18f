/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Verifies and decrypts messages: RFC 8613 8.2 and 8.4, oscore-groupcomm 7.2, 7.4, 8.4
 * and 8.6. In goes a message with an OSCORE option, out comes the one that was
 * protected: type, message id and token from outside, code and payload from inside, Class E
 * options from inside only, Class U ones from outside. Nothing is written to *ret
 * unless the verdict says that it is authentic; nothing is allocated.
 */
#ifndef COAPCAST_OSCORE_UNPROTECT_H
#define COAPCAST_OSCORE_UNPROTECT_H

#include "oscore/binding.h"
#include "oscore/context_table.h"
#include "wire/msg.h"

enum unprotect_verdict {
	UNPROTECT_OK,
	UNPROTECT_MALFORMED, /* 4.02: option or plaintext cannot be decoded */
	UNPROTECT_NO_CONTEXT, /* 4.01: nothing known under that kid and kid context */
	UNPROTECT_REPLAY, /* 4.01: the Partial IV was there before; of a notification: stale */
	UNPROTECT_FAILED, /* 4.00: signature or decryption */
	UNPROTECT_UNCERTAIN, /* authentic, the window is invalid: 4.01 with Echo, protected */
	UNPROTECT_UNKNOWN_CREDENTIAL, /* a group's, but of no member we know: 5.03 or silence */
	UNPROTECT_OWN, /* it has our own Sender ID: came back to us, drop silently */
};

/* The unprotected error a request with that verdict gets (RFC 8613 8.2; with Max-Age 0). */
struct unprotect_error {
	uint8_t code; /* 0: none: drop it, or answer what is protected */
	const char *diagnostic; /* the payload; NULL: none */
	const char *name; /* for the log */
};
const struct unprotect_error *unprotect_error(enum unprotect_verdict v);

/* What is known of a message besides its content. */
struct unprotect_info {
	struct recipient *from; /* who protected it: lives as long as the binding's context */
	enum oscore_mode mode; /* OSCORE_GROUP: it was signed */
	bool has_piv;
	uint64_t piv; /* its own Partial IV: orders notifications (RFC 8613 4.1.3.5.2) */
	struct bytes echo; /* UNPROTECT_UNCERTAIN: the Echo to challenge with; the window's */
};

/*
 * A request. `plain` is where the plaintext goes: PROTECT_MAX_PLAIN bytes are enough for all that
 * is accepted; *ret borrows from it and from `outer`. With UNPROTECT_OK and UNPROTECT_UNCERTAIN
 * *ret, *ret_info and *ret_binding are set (binding_fini it); on the latter the request
 * is not to be acted upon, only to be answered with protect_response. `random` is as
 * rnd_fill, for Echo values.
 */
enum unprotect_verdict unprotect_request(const struct context_table *t, const struct msg *outer,
	void (*random)(void *p, size_t n), struct buf *plain, struct msg *ret,
	struct unprotect_info *ret_info, struct oscore_binding *ret_binding);

/*
 * A client's view of a phantom request: verified as a group request of a member of the
 * group, without replay check or window update (observe-multicast-notifications, "Client Side
 * Processing"). *ret is to be compared with the client's own request; *ret_binding is what
 * last_notif and all notifications are then verified against, by unprotect_response.
 */
enum unprotect_verdict unprotect_phantom(struct context *c, const struct msg *phantom,
	struct buf *plain, struct msg *ret, struct unprotect_info *ret_info,
	struct oscore_binding *ret_binding);

/*
 * A response or notification to the binding's request, with an OSCORE option (without one it is
 * UNPROTECT_MALFORMED; look first). Notifications (and everything else with
 * a Partial IV when the request registered) must have a higher Partial IV than those
 * before: UNPROTECT_REPLAY otherwise. The Observe option of *ret is the three low bytes of the
 * Partial IV, so that RFC 7641 3.4 can go on ordering; a notification without one has Observe
 * empty. `t` (may be NULL) finds the new context when the response names another Gid; the
 * binding then goes over to it.
 */
enum unprotect_verdict unprotect_response(struct oscore_binding *b, const struct context_table *t,
	const struct msg *outer, struct buf *plain, struct msg *ret,
	struct unprotect_info *ret_info);

/*
 * For decoding a capture with the keys of either end: as unprotect_request and
 * unprotect_response, but without regard to replays, order and who we are (a message of
 * our own is decrypted too), and without changing windows or the binding.
 */
enum unprotect_verdict unprotect_peek_request(const struct context_table *t,
	const struct msg *outer, struct buf *plain, struct msg *ret,
	struct unprotect_info *ret_info, struct oscore_binding *ret_binding);
enum unprotect_verdict unprotect_peek_response(const struct oscore_binding *b,
	const struct context_table *t, const struct msg *outer, struct buf *plain, struct msg *ret,
	struct unprotect_info *ret_info);

#endif
