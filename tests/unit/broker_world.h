/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A broker on a real message layer, alone in the world: no network, no clock,
 * and a recorder in the network's place. One world at a time; its functions
 * begin with bw_. What the broker sends is said in short words, each followed
 * by a blank, peers being numbers:
 *
 *	1+hi       answer to a registration: ACK 2.05 with Observe
 *	1=2.04     any other answer on an ACK; 1=2.05:hi with its payload
 *	1~4.04     an answer to a NON request
 *	1:hi 1!hi  notification to 1: NON, CON
 *	i1         informative response: CON 5.03
 *	x1         the last response: CON 4.04; 1!5.03 another one
 *	a1 r1      empty ACK, RST
 *	*:hi *x    notification and cancellation to the first group; # the second one's
 *	s1+hi s*:h any of these, protected: see broker_shield.h
 *
 * A payload that is long or no text is said as (bytes). An IPv6 peer is 6.1.
 */
#ifndef COAPCAST_UNIT_BROKER_WORLD_H
#define COAPCAST_UNIT_BROKER_WORLD_H

#include "broker/broker.h"
#include "unit.h"

#define BW_PEERS 12000 /* numbers of peers are below */
#define BW_SENT 64 /* datagrams that are kept */
#define BW_GROUPS 2
/* After so long a publish is a CON, in the last quarter of the day that observer-check is. */
#define BW_CHECK_DUE_MS (65000ull * 1000)
#define BW_PUBLISHER 9000 /* the peer that bw_pub is */

/* A datagram that left. */
struct bw_sent {
	struct path way; /* of a unicast one */
	struct group_path group_way;
	int group; /* index of its group, or -1 */
	uint64_t at_ms;
	size_t n;
	uint8_t bytes[2048];
};

/* What a peer heard. */
struct bw_peer {
	uint32_t n_values; /* 2.05s with Observe */
	uint32_t n_con; /* of them confirmable */
	uint16_t con_mid, mid; /* of the last CON, of the last NON or CON */
	uint16_t last; /* index of the last datagram to it in bw.sent */
};

struct bw {
	struct layer *layer;
	struct broker *broker;
	struct broker_conf conf; /* written before bw_start, like the next two */
	struct layer_limits layer_limits;
	struct broker_group groups[BW_GROUPS];
	uint64_t now_ms;
	int64_t wall_s; /* what the wall clock is ahead of now_ms, which may change */
	/* How the next requests come. */
	uint8_t family; /* AF_INET, AF_INET6 */
	uint8_t address; /* number of our address that is asked */
	bool link_local_peer, link_local_us, site_local_us, multicast;
	uint8_t transport; /* enum path_transport */
	uint32_t who; /* the subject that the transport made of the peer */
	bool no_udp; /* nothing serves UDP where the sessions are */
	bool nowhere; /* the transport names no address of ours */
	uint16_t mid; /* of the last request */
	bool batch; /* nothing is flushed until bw_flush */
	bool mute; /* nothing is said */
	bool closed; /* there is no room to send */
	void (*keep)(void *ctx, enum broker_keep what, const struct topic *t); /* broker_ops */
	bool (*keep_group)(
		void *ctx, enum broker_keep_group what, const struct group_observation *g);
	void (*keep_observer)(void *ctx, const struct observer *o, bool stays);
	bool (*must_promise)(void *ctx);
	int (*promise)(void *ctx, const struct broker_promise *p, uint64_t *ret_ticket);
	bool (*can_keep)(void *ctx);
	int random_byte; /* every random byte; -1: unpredictable ones */
	struct bytes random_bytes; /* or these, again and again */
	unsigned n_groups_began, n_groups_ended; /* on_group */
	uint32_t count; /* observer counter of the group observation that ended last */
	/* Whether it may do all of that; NULL: everybody may everything. */
	bool (*may)(uint32_t who, unsigned verbs, struct bytes topic);
	/* For layer_verify. */
	bool (*is_verified)(const struct path *way, struct bytes echo);
	void (*challenge)(const struct path *way, struct buf *echo);
	/* Object security. */
	bool unprotectable; /* nothing can be protected any more */
	bool numberless; /* -EAGAIN, which passes */
	unsigned n_shields; /* alive */
	unsigned n_protected; /* messages */
	/* The recorder's. */
	struct bw_sent sent[BW_SENT];
	unsigned n_sent;
	unsigned n_to_group[BW_GROUPS]; /* datagrams */
	struct bw_peer peers[BW_PEERS];
	uint64_t random_state;
	bool open;
	struct buf out, said;
	uint8_t out_room[2048], said_room[65536];
	uint8_t request[2048]; /* the last one, for bw_again */
	size_t n_request;
	unsigned from; /* who sent it */
};

extern struct bw bw;

/* A world with generous limits, no group and no topic; then settings; then it starts. */
void bw_init(void);
void bw_start(void);
void bw_stop(void);

/* Adds a group for all topics before bw_start; what it returns may be changed until then. */
struct broker_group *bw_group(const char *endpoint, uint32_t threshold);
/* A topic without a Content-Format; first: its value or NULL. */
void bw_topic(const char *name, const char *first);

/*
 * A request of a peer, such as "NON GET /ps/data/hall?rt=x o=0". Words after the
 * path, in any order: o= Observe, ct= Content-Format, ac= Accept, nr= No-Response,
 * b1= and b2= Block1 and Block2 as NUM[+]/SIZE, s1= Size1, e= ETag in hex, m= If-Match
 * in hex, nm If-None-Match, h= Uri-Host, s= subject whose shield protects it,
 * ec= Echo in hex, rt= Request-Tag, t= token in hex (else the
 * peer's number in two bytes), #mid (else the next one), x= payload in hex; last
 * 'payload'.
 */
void bw_in(unsigned peer, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same datagram once more. */
void bw_again(void);
/* Bytes as they are. */
void bw_in_bytes(unsigned peer, struct bytes datagram);

/* Registers for, leaves and publishes to the topic "hall". */
void bw_sub(unsigned peer);
void bw_subs(unsigned first, unsigned last);
void bw_unsub(unsigned peer);
void bw_pub(const char *value);

/* Acknowledges or rejects the last CON, or rejects the last message, sent to a peer. */
void bw_ack(unsigned peer);
void bw_acks(unsigned first, unsigned last);
void bw_rst(unsigned peer);
void bw_rst_last(unsigned peer);

/* Lets time pass, stopping wherever something is due. */
void bw_go(uint64_t ms);
/* Ends a batch. */
void bw_flush(void);

/* What was said since the last call; valid until then. */
const char *bw_said(void);
#define bw_expect(text) ck_assert_str_eq(bw_said(), text)

/* The last datagram to a peer, or to a group, decoded; it borrows from the recorder. */
struct msg bw_last(unsigned peer);
struct msg bw_last_to_group(int group);
const struct bw_sent *bw_datagram(unsigned peer);
const struct bw_sent *bw_datagram_to_group(int group);
/* The last one to this peer as an informative response. */
struct inform bw_inform(unsigned peer);

/* A numeric option of a message, or -1. */
int64_t bw_option(const struct msg *m, uint16_t number);
struct bytes bw_etag(const struct msg *m);
/* A short text of a message's payload, as it is said; static. */
const char *bw_payload(const struct msg *m);

struct broker_stats bw_stats(void);
/* How many are thought to be in the one group observation; -1: there is none. */
double bw_count(void);

/* The number of a peer's or of our address; a payload as it is said. */
unsigned bw_number(const struct addr *a);
void bw_put_payload(struct buf *out, struct bytes v);

#endif
