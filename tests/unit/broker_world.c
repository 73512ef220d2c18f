/* SPDX-License-Identifier: BSD-2-Clause */
#include "broker_world.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#include "broker_shield.h"
#include "hex.h"
#include "wire/option.h"

#define SAID_PAYLOAD_MAX 24 /* a longer one is said as its length */

struct bw bw;

/* --- addresses and names ------------------------------------------------------ */

static struct addr
address_of(unsigned number, bool ours)
{
	struct addr a = {.family = bw.family, .port = ours ? 5683 : 40000};
	bool link_local = ours ? bw.link_local_us : bw.link_local_peer;
	uint8_t *low = bw.family == AF_INET ? a.ip + 2 : a.ip + 14;

	if (bw.family == AF_INET) {
		a.ip[0] = link_local ? 169 : ours ? 192 : 10;
		a.ip[1] = link_local ? 254 : 0;
	} else {
		a.ip[0] = link_local ? 0xfe : 0xfd;
		a.ip[1] = link_local ? 0x80 : ours;
		if (bw.site_local_us && ours) {
			a.ip[0] = 0xfe;
			a.ip[1] = 0xc0;
		}
	}
	low[0] = (uint8_t)(number >> 8);
	low[1] = (uint8_t)number;
	return a;
}

static struct path
way_of(unsigned peer)
{
	struct addr none = {.family = bw.family, .port = 5683};

	ck_assert_uint_lt(peer, BW_PEERS);
	return (struct path){.remote = address_of(peer, false),
		.local = bw.nowhere ? none : address_of(bw.address, true),
		.transport = bw.transport,
		.multicast = bw.multicast};
}

unsigned
bw_number(const struct addr *a)
{
	const uint8_t *low = a->family == AF_INET ? a->ip + 2 : a->ip + 14;

	return (unsigned)low[0] << 8 | low[1];
}

void
bw_put_payload(struct buf *out, struct bytes v)
{
	bool printable = v.n <= SAID_PAYLOAD_MAX;

	for (size_t i = 0; i < v.n && printable; i++)
		printable = isgraph(v.p[i]);
	if (printable)
		buf_put(out, v);
	else
		buf_printf(out, "(%zu)", v.n);
}

/* --- what the broker and its layer do ------------------------------------------ */

/* A code, and the payload that a success has. */
static void
say_answer(const char *who, char mark, const struct msg *m)
{
	buf_printf(&bw.said, "%s%c%d.%02d%s", who, mark, MSG_CLASS(m->code), MSG_DETAIL(m->code),
		msg_has(m, OPT_OBSERVE) ? "+" : "");
	if (m->payload.n && MSG_CLASS(m->code) == 2) {
		buf_put_str(&bw.said, ":");
		bw_put_payload(&bw.said, m->payload);
	}
}

static void
say_unicast(const struct bw_sent *s, const struct msg *m)
{
	static const char notifies[] = {'!', ':', '+', '?'}; /* by type */
	static const char answers[] = {'!', '~', '=', '?'};
	char who[16];

	(void)snprintf(who, sizeof(who), "%s%u", s->way.remote.family == AF_INET6 ? "6." : "",
		bw_number(&s->way.remote));
	if (m->code == CODE_EMPTY) {
		buf_printf(&bw.said, "%c%s", m->type == TYPE_ACK ? 'a' : 'r', who);
	} else if (m->type == TYPE_CON && m->code == CODE_UNAVAILABLE && m->payload.n) {
		buf_printf(&bw.said, "i%s", who);
	} else if (m->type == TYPE_CON && m->code == CODE_NOT_FOUND) {
		buf_printf(&bw.said, "x%s", who);
	} else if (m->code == CODE_CONTENT && msg_has(m, OPT_OBSERVE)) {
		buf_printf(&bw.said, "%s%c", who, notifies[m->type]);
		bw_put_payload(&bw.said, m->payload);
	} else {
		say_answer(who, answers[m->type], m);
	}
	buf_put_str(&bw.said, " ");
}

static void
note_unicast(const struct bw_sent *s, const struct msg *m)
{
	struct bw_peer *p = &bw.peers[bw_number(&s->way.remote)];

	p->last = (uint16_t)((bw.n_sent - 1) % BW_SENT);
	if (m->type == TYPE_CON)
		p->con_mid = m->mid;
	if (m->type == TYPE_CON || m->type == TYPE_NON)
		p->mid = m->mid;
	if (m->code != CODE_CONTENT || !msg_has(m, OPT_OBSERVE))
		return;
	p->n_values++;
	p->n_con += m->type == TYPE_CON;
}

static void
note_group(const struct bw_sent *s, const struct msg *m)
{
	char mark = s->group == 0 ? '*' : '#';

	/* "Notifications": what each of them MUST be. */
	ck_assert_int_eq(m->type, TYPE_NON);
	ck_assert(m->mid & 0x8000);
	ck_assert(addr_equal(&s->group_way.group, &bw.groups[s->group].address));
	ck_assert_uint_le(s->n, bw.groups[s->group].datagram);
	bw.n_to_group[s->group]++;
	if (m->code == CODE_UNAVAILABLE) {
		ck_assert_uint_eq(m->n_opts, 0);
		ck_assert_uint_eq(m->payload.n, 0);
		buf_printf(&bw.said, "%cx ", mark);
		return;
	}
	ck_assert_int_eq(m->code, CODE_CONTENT);
	ck_assert(msg_has(m, OPT_OBSERVE) && msg_has(m, OPT_ETAG) && msg_has(m, OPT_MAX_AGE));
	buf_printf(&bw.said, "%c:", mark);
	bw_put_payload(&bw.said, m->payload);
	buf_put_str(&bw.said, " ");
}

static struct bw_sent *
open_next(void)
{
	struct bw_sent *s = &bw.sent[bw.n_sent % BW_SENT];

	ck_assert_msg(!bw.open, "opened twice without a commit");
	bw.open = true;
	buf_clear(&bw.out);
	s->group = -1;
	s->at_ms = bw.now_ms;
	return s;
}

static struct buf *
on_open(void *ctx, const struct path *way)
{
	(void)ctx;
	if (bw.closed)
		return NULL;
	open_next()->way = *way;
	return &bw.out;
}

static struct buf *
on_open_group(void *ctx, const struct group_path *way)
{
	struct bw_sent *s;

	(void)ctx;
	if (bw.closed)
		return NULL;
	s = open_next();
	s->group_way = *way;
	for (int i = 0; i < BW_GROUPS; i++) {
		if (addr_equal(&bw.groups[i].address, &way->group))
			s->group = i;
	}
	ck_assert_int_ge(s->group, 0);
	return &bw.out;
}

static void
on_commit(void *ctx)
{
	struct bw_sent *s = &bw.sent[bw.n_sent % BW_SENT];
	size_t before = bw.said.n;
	struct msg m;

	(void)ctx;
	ck_assert(bw.open);
	bw.open = false;
	ck_assert(!bw.out.full);
	memcpy(s->bytes, bw.out.p, bw.out.n);
	s->n = bw.out.n;
	ck_assert_int_eq(msg_decode(bytes_of(s->bytes, s->n), &m), MSG_OK);
	bw.n_sent++;
	if (bw_unshield(&m))
		buf_put_str(&bw.said, "s");
	if (s->group >= 0) {
		note_group(s, &m);
	} else {
		note_unicast(s, &m);
		say_unicast(s, &m);
	}
	if (bw.mute)
		bw.said.n = before;
	ck_assert_msg(!bw.said.full, "too much was said");
}

static void
on_random(void *ctx, void *p, size_t n)
{
	uint8_t *at = p;

	(void)ctx;
	for (size_t i = 0; i < n; i++) {
		bw.random_state = bw.random_state * 6364136223846793005u + 1442695040888963407u;
		if (bw.random_bytes.n) {
			at[i] = bw.random_bytes.p[i % bw.random_bytes.n];
			continue;
		}
		at[i] = bw.random_byte >= 0 ? (uint8_t)bw.random_byte
					    : (uint8_t)(bw.random_state >> 56);
	}
}

static int64_t
on_wall(void *ctx)
{
	(void)ctx;
	return bw.wall_s + (int64_t)(bw.now_ms / 1000);
}

static void
on_request(void *ctx, struct request *r)
{
	(void)ctx;
	r->who = bw.who;
	bw_shield_request(r);
}

static bool
on_is_verified(void *ctx, const struct path *way, struct bytes echo)
{
	(void)ctx;
	return bw.is_verified(way, echo);
}

static void
on_challenge(void *ctx, const struct path *way, struct buf *echo)
{
	(void)ctx;
	bw.challenge(way, echo);
}

static void
on_reset(void *ctx, struct peer *p, uint16_t mid)
{
	(void)ctx;
	broker_reset(bw.broker, p, mid);
}

static bool
on_may(void *ctx, uint32_t who, unsigned verbs, struct bytes topic)
{
	(void)ctx;
	return !bw.may || bw.may(who, verbs, topic);
}

static void
on_group(void *ctx, const struct group_observation *g, bool began)
{
	struct token t;

	(void)ctx;
	group_token(g, &t);
	ck_assert_uint_eq(t.n, 4);
	ck_assert_ptr_nonnull(group_topic_name(g));
	ck_assert_ptr_nonnull(group_conf(g)->name);
	bw.n_groups_began += began;
	bw.n_groups_ended += !began;
	if (!began)
		bw.count = (uint32_t)group_count(g);
}

static void
on_unaware(void *ctx, const struct group_observation *g, const struct addr *client)
{
	(void)ctx;
	ck_assert_ptr_nonnull(group_topic_name(g));
	buf_printf(&bw.said, "u%u ", bw_number(client));
}

/* --- the world ----------------------------------------------------------------- */

void
bw_init(void)
{
	memset(&bw, 0, sizeof(bw));
	bw.family = AF_INET;
	bw.address = 1;
	bw.now_ms = 1000000;
	bw.random_byte = -1;
	bw.out = BUF_OF(bw.out_room);
	bw.said = BUF_OF(bw.said_room);
	bw.layer_limits = (struct layer_limits){.peers = 20000, .exchanges = 20000, .held = 100};
	bw.conf = (struct broker_conf){.collection = "/ps",
		.limits = {.topics = 100,
			.observers = 20000,
			.observers_per_peer = 8,
			.bodies = 4,
			.payload = 10000,
			.memory = 100000},
		.informative_format = 65001,
		.topic_format = 606,
		.groups = bw.groups};
}

struct broker_group *
bw_group(const char *endpoint, uint32_t threshold)
{
	static const char *const every[] = {"*"};
	static const char *const names[BW_GROUPS] = {"first", "second"};
	struct broker_group *g = &bw.groups[bw.conf.n_groups];

	ck_assert_uint_lt(bw.conf.n_groups, BW_GROUPS);
	*g = (struct broker_group){.name = names[bw.conf.n_groups],
		.ifindex = 7,
		.patterns = every,
		.n_patterns = 1,
		.threshold = threshold,
		.max_age_s = 60,
		.datagram = 1152,
		.count = {.every = 100000,
			.confirmations = 8,
			.wait_ms = 7000,
			.dampener = 1,
			.cancel_below = 1},
		.generations = INFORM_BOTH,
		.hops = 1};
	ck_assert_int_eq(addr_parse(endpoint, 5683, &g->address), 0);
	bw.conf.n_groups++;
	return g;
}

/* What serves sessions serves UDP at the same address, or nothing does. */
static bool
on_udp_local(void *ctx, const struct path *way, struct addr *ret_local, uint16_t *ret_socket)
{
	(void)ctx;
	*ret_local = way->local;
	*ret_socket = 0;
	return !bw.no_udp;
}

void
bw_start(void)
{
	static const struct layer_ops layer_ops = {.open = on_open,
		.commit = on_commit,
		.random = on_random,
		.on_request = on_request,
		.on_reset = on_reset,
		.is_verified = on_is_verified,
		.challenge = on_challenge,
		.shields = &bw_shields};
	static struct broker_ops broker_ops = {.open_group = on_open_group,
		.commit = on_commit,
		.random = on_random,
		.wall_s = on_wall,
		.may = on_may,
		.group_phantom = bw_group_phantom,
		.group_inform = bw_group_inform,
		.udp_local = on_udp_local,
		.on_group = on_group,
		.on_unaware = on_unaware};

	bw.layer = layer_new(&layer_ops, NULL, &bw.layer_limits, bw.now_ms);
	broker_ops.keep = bw.keep;
	broker_ops.keep_group = bw.keep_group;
	broker_ops.keep_observer = bw.keep_observer;
	broker_ops.must_promise = bw.must_promise;
	broker_ops.promise = bw.promise;
	broker_ops.can_keep = bw.can_keep;
	bw.broker = broker_new(&bw.conf, &broker_ops, NULL, bw.layer);
}

void
bw_stop(void)
{
	broker_free(bw.broker);
	layer_free(bw.layer);
	ck_assert(!bw.open);
	/* Whoever holds a shield releases it. */
	ck_assert_uint_eq(bw.n_shields, 0);
	bw.broker = NULL;
	bw.layer = NULL;
}

void
bw_topic(const char *name, const char *first)
{
	ck_assert_int_eq(broker_create_topic(bw.broker, bytes_str(name), BROKER_NO_FORMAT,
				 first ? bytes_str(first) : BYTES_NONE),
		0);
}

void
bw_flush(void)
{
	while (broker_flush(bw.broker))
		;
}

static void
settle(void)
{
	if (!bw.batch)
		bw_flush();
}

void
bw_in_bytes(unsigned peer, struct bytes datagram)
{
	struct path way = way_of(peer);
	/* A block of its own, so that a sanitizer sees a byte read past its end. */
	uint8_t *copy = malloc(datagram.n ? datagram.n : 1);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, datagram.p, datagram.n);
	layer_receive(bw.layer, &way, bytes_of(copy, datagram.n));
	free(copy);
	settle();
}

void
bw_go(uint64_t ms)
{
	uint64_t until = bw.now_ms + ms, next;

	while ((next = layer_next(bw.layer)) <= until) {
		bw.now_ms = next > bw.now_ms ? next : bw.now_ms;
		layer_advance(bw.layer, bw.now_ms);
		bw_flush();
		/* Whoever asks to be woken again at once would keep a loop busy. */
		ck_assert(layer_next(bw.layer) > bw.now_ms);
	}
	bw.now_ms = until;
	layer_advance(bw.layer, until);
	bw_flush();
}

const char *
bw_said(void)
{
	const char *text = buf_str(&bw.said);

	buf_clear(&bw.said);
	return text;
}

/* --- requests ------------------------------------------------------------------- */

/* A request being written, and where the values of its options are. */
struct draft {
	struct msg m;
	struct buf store;
};

static struct bytes
keep(struct draft *d, const void *p, size_t n)
{
	uint8_t *at = buf_claim(&d->store, n);

	ck_assert_ptr_nonnull(at);
	if (n)
		memcpy(at, p, n);
	return bytes_of(at, n);
}

static struct bytes
keep_hex(struct draft *d, const char *hex)
{
	uint8_t room[HEX_MAX];
	struct bytes b = hex_bytes(hex, room);

	return keep(d, b.p, b.n);
}

static void
add(struct draft *d, uint16_t number, struct bytes value)
{
	ck_assert_int_eq(msg_add(&d->m, number, value), 0);
}

/* "/ps/data/hall?a&b": a segment for each part, and a query for each after the mark. */
static void
add_path(struct draft *d, char *text)
{
	char *queries = strchr(text, '?'), *part, *rest = text + 1;

	if (queries)
		*queries++ = '\0';
	while ((part = strsep(&rest, "/")) != NULL)
		add(d, OPT_URI_PATH, keep(d, part, strlen(part)));
	while (queries && (part = strsep(&queries, "&")) != NULL)
		add(d, OPT_URI_QUERY, keep(d, part, strlen(part)));
}

/* NUM[+]/SIZE */
static void
add_block(struct draft *d, uint16_t number, const char *text)
{
	struct block b = {.num = (uint32_t)strtoul(text, NULL, 10), .more = strchr(text, '+')};
	unsigned long size = strtoul(strchr(text, '/') + 1, NULL, 10);

	while (block_size(&b) < size)
		b.szx++;
	ck_assert_int_eq(msg_add_uint(&d->m, number, block_value(&b)), 0);
}

enum word_kind { WORD_UINT, WORD_HEX, WORD_TEXT, WORD_BLOCK };

static const struct {
	const char *name;
	enum word_kind kind;
	uint16_t number;
} words[] = {
	{"o", WORD_UINT, OPT_OBSERVE},
	{"ct", WORD_UINT, OPT_CONTENT_FORMAT},
	{"ac", WORD_UINT, OPT_ACCEPT},
	{"nr", WORD_UINT, OPT_NO_RESPONSE},
	{"s1", WORD_UINT, OPT_SIZE1},
	{"fd", WORD_UINT, OPT_FEEDBACK_DIVIDER},
	{"b1", WORD_BLOCK, OPT_BLOCK1},
	{"b2", WORD_BLOCK, OPT_BLOCK2},
	{"b2raw", WORD_UINT, OPT_BLOCK2},
	{"e", WORD_HEX, OPT_ETAG},
	{"m", WORD_HEX, OPT_IF_MATCH},
	{"rt", WORD_HEX, OPT_REQUEST_TAG},
	{"h", WORD_TEXT, OPT_URI_HOST},
	{"s", WORD_UINT, OPT_OSCORE},
	{"ec", WORD_HEX, OPT_ECHO},
};

static void
add_option(struct draft *d, size_t i, const char *value)
{
	uint16_t number = words[i].number;

	if (number == OPT_FEEDBACK_DIVIDER)
		number = option_feedback_divider();
	switch (words[i].kind) {
	case WORD_UINT:
		ck_assert_int_eq(
			msg_add_uint(&d->m, number, (uint32_t)strtoul(value, NULL, 10)), 0);
		break;
	case WORD_HEX:
		add(d, words[i].number, keep_hex(d, value));
		break;
	case WORD_TEXT:
		add(d, words[i].number, keep(d, value, strlen(value)));
		break;
	case WORD_BLOCK:
		add_block(d, words[i].number, value);
		break;
	}
}

static void
add_word(struct draft *d, char *word)
{
	char *value = strchr(word, '=');

	if (word[0] == '/') {
		add_path(d, word);
		return;
	}
	if (word[0] == '#') {
		d->m.mid = (uint16_t)strtoul(word + 1, NULL, 10);
		return;
	}
	if (strcmp(word, "nm") == 0) {
		add(d, OPT_IF_NONE_MATCH, BYTES_NONE);
		return;
	}
	ck_assert_msg(value != NULL, "what is %s?", word);
	*value++ = '\0';
	if (strcmp(word, "t") == 0) {
		d->m.token = token_of(keep_hex(d, value));
		return;
	}
	if (strcmp(word, "x") == 0) {
		d->m.payload = keep_hex(d, value);
		return;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].name, word) == 0) {
			add_option(d, i, value);
			return;
		}
	}
	ck_abort_msg("no word %s=", word);
}

static uint8_t
method_of(const char *word)
{
	char name[16];

	for (uint8_t code = 1; code < 32; code++) {
		if (strcmp(word, msg_code_name(code, name)) == 0)
			return code;
	}
	ck_abort_msg("no method %s", word);
	return 0;
}

void
bw_in(unsigned peer, const char *fmt, ...)
{
	uint8_t store[8192];
	struct draft d = {.store = BUF_OF(store)};
	struct buf out = BUF_OF(bw.request);
	char text[8192], *rest = text, *payload, *word;
	va_list ap;

	va_start(ap, fmt);
	ck_assert_int_lt(vsnprintf(text, sizeof(text), fmt, ap), (int)sizeof(text));
	va_end(ap);
	msg_init(&d.m, TYPE_CON, CODE_GET);
	d.m.token = (struct token){.n = 2, .b = {(uint8_t)(peer >> 8), (uint8_t)peer}};
	d.m.mid = ++bw.mid;
	if ((payload = strstr(text, " '")) != NULL) {
		*payload = '\0';
		d.m.payload = keep(&d, payload + 2, strlen(payload + 2) - 1);
	}
	word = strsep(&rest, " ");
	if (strcmp(word, "NON") == 0) {
		d.m.type = TYPE_NON;
		word = strsep(&rest, " ");
	}
	d.m.code = method_of(word);
	while ((word = strsep(&rest, " ")) != NULL)
		add_word(&d, word);
	ck_assert_int_eq(msg_encode(&d.m, &out), 0);
	bw.n_request = out.n;
	bw.from = peer;
	bw_in_bytes(peer, buf_bytes(&out));
}

void
bw_again(void)
{
	bw_in_bytes(bw.from, bytes_of(bw.request, bw.n_request));
}

void
bw_sub(unsigned peer)
{
	bw_in(peer, "GET /ps/data/hall o=0");
}

void
bw_subs(unsigned first, unsigned last)
{
	for (unsigned peer = first; peer <= last; peer++)
		bw_sub(peer);
}

void
bw_unsub(unsigned peer)
{
	bw_in(peer, "GET /ps/data/hall o=1");
}

/* What its answer says is left out of what is said. */
void
bw_pub(const char *value)
{
	uint8_t family = bw.family;
	bool mute = bw.mute, batch = bw.batch;
	struct bw_peer *p = &bw.peers[BW_PUBLISHER];
	char answer[16];
	size_t n;

	bw.family = AF_INET;
	bw.batch = true;
	p->last = BW_SENT;
	n = bw.said.n;
	bw_in(BW_PUBLISHER, "PUT /ps/data/hall '%s'", value);
	/* It is the first word of what the publish made. */
	(void)snprintf(answer, sizeof(answer), "%d=2.0", BW_PUBLISHER);
	if (!mute) {
		ck_assert_msg(strncmp((char *)bw.said.p + n, answer, strlen(answer)) == 0,
			"publish: %s", (char *)bw.said.p + n);
		answer[0] = '\0';
		memmove(bw.said.p + n, bw.said.p + n + 10, bw.said.n - n - 10);
		bw.said.n -= 10;
	}
	ck_assert_uint_lt(p->last, BW_SENT);
	bw.family = family;
	bw.batch = batch;
	settle();
}

static void
answer_empty(unsigned peer, enum msg_type type, uint16_t mid)
{
	static const struct token none = {0};
	uint8_t room[4];
	struct buf out = BUF_OF(room);

	msg_put_header(&out, type, CODE_EMPTY, mid, &none);
	bw_in_bytes(peer, buf_bytes(&out));
}

void
bw_ack(unsigned peer)
{
	answer_empty(peer, TYPE_ACK, bw.peers[peer].con_mid);
}

void
bw_acks(unsigned first, unsigned last)
{
	for (unsigned peer = first; peer <= last; peer++)
		bw_ack(peer);
}

void
bw_rst(unsigned peer)
{
	answer_empty(peer, TYPE_RST, bw.peers[peer].con_mid);
}

void
bw_rst_last(unsigned peer)
{
	answer_empty(peer, TYPE_RST, bw.peers[peer].mid);
}
