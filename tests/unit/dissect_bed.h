/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client and a broker that talk to each other through a capture: what they say goes to
 * a dissector, and what that says is looked at. Whatever it says, no key may be in it.
 */
#ifndef COAPCAST_UNIT_DISSECT_BED_H
#define COAPCAST_UNIT_DISSECT_BED_H

#include "cli/dissect.h"

#define BED_CONFIGURED_GID "\x57\xab\x2e" /* of the group that the configuration has keys of */

enum bed_keys { BED_BROKER_KEYS, BED_CLIENT_KEYS }; /* whose the reader has */

struct bed {
	struct keyring keys;
	struct dissect d;
	struct buf out;
	char text[DISSECT_TEXT + 1]; /* what was said of the last datagram */
	struct json json; /* and as an object */
	struct json object; /* the same, NUL-terminated in place of the newline */
	struct addr client, broker, group;
	struct context *panel, *peer; /* of the identity: the client's end, the broker's */
	struct crypto_key *key; /* the broker's in groups */
	uint8_t cred[128];
	size_t n_cred;
	struct context *server; /* the group's; NULL: none */
	struct bytes gid;
	uint8_t gid_copy[8];
	struct oscore_binding phantom;
	uint8_t body[2048]; /* an informative response that goes in blocks */
	size_t n_body;
	uint8_t last[4096]; /* the last datagram */
	size_t n_last;
};

void bed_start(struct bed *b, enum bed_keys keys);
void bed_end(struct bed *b);
/* The reader of a client that only listens gets the keys of the configured group. */
void bed_listen(struct bed *b);

/* The reader of the broker gets the keys of a member as well, that has this id. */
void bed_add_member(struct bed *b, const char *id);

void bed_say_bytes(
	struct bed *b, const struct addr *from, const struct addr *to, struct bytes datagram);
void bed_say(struct bed *b, const struct addr *from, const struct addr *to, const char *hex);
/* The last datagram once more, with its last byte turned when it is `forged`. */
void bed_repeat(struct bed *b, const struct addr *from, const struct addr *to, bool forged);
/* Fails unless this was said of the last datagram; the second: as JSON. */
void bed_like(struct bed *b, const char *wanted);
void bed_has(struct bed *b, const char *wanted);

/* GET /path by OSCORE, and the answer. */
void bed_ask(struct bed *b, const char *path, struct oscore_binding *asked,
	struct oscore_binding *heard);
void bed_answer(struct bed *b, struct oscore_binding *heard, const char *payload);

/* A group of this Gid, whose keys are the configured ones or new. */
void bed_make_group_of(struct bed *b, struct bytes gid);
void bed_make_group(struct bed *b, const char *gid);
/* Its informative response: protected for `heard` unless that is NULL. */
void bed_inform(struct bed *b, struct oscore_binding *heard, bool with_keys);
/* The same to be sent in blocks of 64 bytes: that with a number. False: it is the last. */
void bed_make_blocks(struct bed *b, bool with_keys);
bool bed_inform_block(struct bed *b, struct oscore_binding *heard, unsigned num, const char *etag,
	bool with_format);
/* A multicast notification, and the one that tells new keys. */
void bed_notify(struct bed *b, const char *payload);
void bed_rekey(struct bed *b, const char *gid);
/* An informative response about plain notifications, in this form. */
void bed_inform_plain(struct bed *b, enum inform_generation generations);

#endif
