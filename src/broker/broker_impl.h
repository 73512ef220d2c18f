/* SPDX-License-Identifier: BSD-2-Clause */
/* The broker's inside, shared by the files of this room and nobody else. */
#ifndef COAPCAST_BROKER_BROKER_IMPL_H
#define COAPCAST_BROKER_BROKER_IMPL_H

#include "broker/catchup.h"
#include "broker/group.h"
#include "broker/unaware.h"
#include "wire/link.h"
#include "wire/props.h"

#define BROKER_RETRY_AFTER_S 10 /* Max-Age of a 5.03 past a limit */

#define TAIL_MAX 2048 /* options, marker and first block of a notification */

/* The last list of links that was built, for its further blocks. */
struct links {
	uint8_t *text, *key; /* key: see links_reply */
	size_t n, n_key;
	uint64_t generation; /* of the topics then */
	uint64_t built_ms;
	uint8_t etag[ETAG_LEN];
};

#define BROKER_MOVED 2048

/* A registration that got the empty ACK, its 5.03 being separate. */
struct moved {
	uint32_t tag; /* hash of its endpoints, message id and token */
	uint32_t until_s; /* duplicates may come until then, seconds of the layer's clock */
};

struct broker {
	struct broker_conf conf;
	const struct broker_ops *ops;
	void *ctx;
	struct layer *layer;
	struct bodies *bodies;
	struct topic_table topics;
	struct covers covers;
	struct pool observers, bunches;
	struct map group_tokens; /* struct group_observation by token and group */
	struct parked *parked, *last_parked; /* changes: broker/park.h */
	struct catchup catchup;
	struct group_observation *starting; /* those that are not kept yet */
	uint64_t last_group_id;
	uint16_t group_mid; /* last message id to any group: upper half of the space */
	struct bunch *dirty_first, *dirty_last;
	struct broker_stats stats;
	struct timer check; /* of observers of topics with the default of observer-check */
	struct links links;
	struct unawares unawares;
	struct moved moved[BROKER_MOVED]; /* the last registrations that were moved, by hash */
	/* The tail of the notification encoded last, for all observers it serves. */
	struct {
		uint8_t bytes[TAIL_MAX];
		size_t n;
		const struct topic *topic;
		uint32_t seq;
		uint8_t szx;
	} tail;
};

/* A request on its way through the router. */
struct call {
	struct broker *b;
	struct request *r;
	struct topic *topic; /* what the path names; NULL when there is none such */
	struct group_observation *phantom; /* the request is this one's; NULL: a peer's */
	struct bytes path; /* Uri-Path as text */
	struct bytes id; /* the part of it that names a topic, "/hall/demo" */
	struct bytes body; /* the whole payload */
	const struct props *filter; /* of a FETCH of the collection; else NULL */
};

/* Handlers of one resource and method; each replies or accepts. */
void data_get(struct call *c);
void data_put(struct call *c);
void data_delete(struct call *c);
void topic_get(struct call *c);
void topic_fetch(struct call *c);
void topic_post(struct call *c);
void topic_ipatch(struct call *c);
void topic_delete(struct call *c);
void collection_get(struct call *c);
void collection_fetch(struct call *c);
void collection_post(struct call *c);
void discover_root(struct call *c);
void discover_get(struct call *c);
void introspect_sender(struct call *c);
/* topic_get, unless the data of the group observation are what is accepted. */
void introspect_topic(struct call *c);

/* Registration of an observation; false when it is to be answered as a plain GET. */
bool observe_register(struct call *c);
void observe_deregister(struct call *c);
/* Answers a request for a further block of an informative response; false: it is none. */
bool observe_announce(struct call *c);

/* Adds Content-Format, ETag and the like of a value to a response (not Observe, not the payload). */
void data_describe(const struct value *v, struct msg *m);
/*
 * Answers with the value, or the block of it that the request asks for; `o` is
 * the observer whose registration it is, or NULL.
 */
void data_reply(struct call *c, struct observer *o);
/* Whether one of the request's options of that number holds this ETag. */
bool data_has_etag(const struct msg *m, uint16_t number, struct bytes etag);

/* RFC 7252 5.10.8: If-Match and If-None-Match against an ETag; p NULL: nothing is there. */
bool data_meets_preconditions(const struct msg *m, struct bytes etag);

/* Where an answer goes, and the options of the request that it depends on. */
struct answer {
	const struct msg *asked;
	void (*send)(void *ctx, struct msg *m);
	void *ctx;
};

/* Answers with all topic properties: they were changed (2.04); the topic was made (2.01). */
void topic_tell_changed(struct call *c, const struct answer *to);
void collection_tell_created(struct call *c, const struct answer *to);
/* The answer to the request of the call itself. */
struct answer topic_answer(struct call *c);
/*
 * Properties of a topic. `data`, an empty buffer of TOPIC_DATA_PATH_MAX, gets its
 * topic-data path; the rest is borrowed from the topic.
 */
void topic_describe(
	const struct broker *b, const struct topic *t, struct buf *data, struct props *ret);
#define TOPIC_DATA_PATH_MAX (TOPIC_PATH_MAX + 256) /* with collection and "/data" before it */
/* Bytes of the representation of properties at most, "initialize" not counted. */
#define TOPIC_PROPS_MAX (TOPIC_DATA_PATH_MAX + TOPIC_NAME_MAX + SETTINGS_TYPE_MAX + 256)
/* The properties in the body, "initialize" within limits.payload; false: answered. */
bool topic_take_props(struct call *c, struct props *ret);
/* Their representation, those of `keys`, in memory to be freed; never NULL. */
uint8_t *topic_represent(const struct call *c, unsigned keys, struct bytes *ret);

/* A 5.03 with Max-Age: past a limit. */
void reply_busy(struct request *r);
/* A 4.13 with Size1: a value past limits.payload. */
void reply_too_large(struct broker *b, struct request *r);
void reply_diagnostic(struct request *r, enum msg_code code, const char *text);

/* 4.06, and true, when the request accepts only another Content-Format than this (RFC 7252 5.10.4). */
bool reply_not_acceptable(struct request *r, uint32_t format);

/*
 * Runs a phantom request as if the group had sent it. Nothing is answered; the
 * handler that registers observers calls group_register.
 */
void broker_request_phantom(
	struct broker *b, const struct path *way, struct msg *phantom, struct group_observation *g);

/* Bytes that limits.memory has left: values, half received bodies and covers share it. */
uint64_t broker_room(const struct broker *b);
/* Whether it has room for n bytes in place of a topic's value (NULL: none). */
bool broker_has_room(struct broker *b, const struct value *old, size_t n);

/*
 * A topic as broker_create_topic makes it, of which the store is told nothing: it is
 * not there yet.
 */
int broker_make_topic(struct broker *b, struct bytes name, uint32_t content_format,
	struct bytes initialize, enum topic_coming how, struct topic **ret);

/* For the store, if there is one: that much of a topic changed. */
void broker_keep(struct broker *b, enum broker_keep what, const struct topic *t);
/* The same of numbers, when that of its value comes near the last that is kept. */
void broker_keep_seq(struct broker *b, struct topic *t);

/* Removes a topic with all that depends on it. */
void broker_drop_topic(struct broker *b, struct topic *t);

/* Notifies everybody of a topic's new value. */
void broker_published(struct broker *b, struct topic *t);

/*
 * The link to a topic, or to its data, with all its attributes, implied ones too;
 * `path`, of TOPIC_DATA_PATH_MAX, holds its path.
 */
void discover_link(const struct broker *b, const struct topic *t, bool data, struct buf *path,
	struct link *ret);
/* Whether a link is what all of the request's queries ask for (RFC 6690 4.1). */
bool discover_matches(const struct msg *request, const struct link *link);

/*
 * Answers with a list of links that `write` makes, in blocks. The list is kept
 * while requests have the same path, queries and body, and the topics are the same.
 */
void links_reply(struct call *c, void (*write)(struct call *c, struct buf *out));
/* Appends a link to the list that `write` was given. */
void links_put(struct buf *out, const struct link *link);
void links_fini(struct links *l);

#endif
