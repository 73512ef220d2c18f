/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What dissect.h found out of one datagram, and two ways to say it: lines for people, and a
 * JSON object. Keys are in none of them. Both are pure.
 */
#ifndef COAPCAST_CLI_TELLING_H
#define COAPCAST_CLI_TELLING_H

#include "cli/datagram.h"
#include "cli/json.h"
#include "oscore/protect.h"
#include "oscore/unprotect.h"
#include "wire/inform.h"

#define TELLING_ASKED 96 /* bytes of what a request was */

/* A message, and the one that was protected in it. */
struct telling_part {
	bool is_there;
	bool is_sound; /* it could be decoded: otherwise nothing of the rest counts */
	struct msg m;
	enum {
		TELLING_PLAIN,
		TELLING_OPENED,
		TELLING_CLOSED, /* see verdict */
		TELLING_UNASKED, /* its request is not known */
	} state;
	enum unprotect_verdict verdict;
	bool is_group; /* OPENED: of Group OSCORE */
	enum oscore_mode mode;
	const char *keys; /* what they are called */
	const char *sender; /* NULL: nobody said; then `kid` */
	struct bytes kid;
	struct msg inner;
};

struct telling {
	enum {
		TELLING_MESSAGE,
		TELLING_CUT, /* only the head of a message was captured */
		TELLING_FRAGMENT,
		TELLING_DTLS,
		TELLING_OTHER, /* no message, though its port says so */
	} kind;
	int64_t when_us; /* since 1970 */
	struct addr from, to;
	size_t n_datagram;
	struct telling_part part; /* a message */
	char asked[TELLING_ASKED]; /* what a response answers; empty: not known */
	uint16_t inform_format; /* Content-Format of informative responses */
	enum {
		TELLING_NO_INFORM,
		TELLING_BLOCK, /* of one, `n_body` bytes so far */
		TELLING_LOST_BLOCK, /* blocks before it are missing */
		TELLING_MALFORMED,
		TELLING_INFORM,
	} inform_state;
	struct inform inform;
	size_t n_body; /* bytes of it when it came in blocks; 0: it did not */
	int keys; /* -ENOSPC: there are too many to use its keys; else negative: they are none */
	struct telling_part phantom, last; /* ph_req or registr; last_notif */
	uint8_t *body; /* owned: that of blocks */
	uint8_t room[3][PROTECT_MAX_PLAIN]; /* of what was decrypted */
};

void telling_free(struct telling *t); /* wipes it; NULL is fine */

void telling_put_text(const struct telling *t, struct buf *out);
/* Replaces what is in it by one line. */
void telling_put_json(const struct telling *t, struct json *j);

/* What is said of what could not be opened. */
const char *telling_closed(const struct telling_part *p);

#endif
