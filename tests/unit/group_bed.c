/* SPDX-License-Identifier: BSD-2-Clause */
#include "group_bed.h"

#include "base/mem.h"
#include "base/rnd.h"
#include "net/shields.h"
#include "oscore/crypto.h"
#include "wire/cborget.h"

struct gb gb;

static struct buf room;
static uint8_t room_bytes[2048];
static int to; /* the peer that it is for; -1: the group */

/* --- the disk ---------------------------------------------------------------------- */

static struct gb_kept *
kept(const uint8_t fingerprint[SSN_FINGERPRINT])
{
	static const uint8_t none[SSN_FINGERPRINT];

	for (size_t i = 0; i < GB_KEPT; i++) {
		struct gb_kept *k = &gb.kept[i];

		if (memcmp(k->fingerprint, none, SSN_FINGERPRINT) == 0)
			memcpy(k->fingerprint, fingerprint, SSN_FINGERPRINT);
		if (memcmp(k->fingerprint, fingerprint, SSN_FINGERPRINT) == 0)
			return k;
	}
	ck_abort_msg("too many keys");
	return NULL;
}

static void
on_reserve(void *ctx, struct ssn *s, uint64_t upto)
{
	struct gb_kept *k = kept(ssn_fingerprint_of(s));

	(void)ctx;
	if (gb.lazy) {
		ssn_release(gb.waits);
		gb.waits = ssn_hold(s);
		gb.waits_upto = upto;
		return;
	}
	k->bound = upto;
	k->has_bound = true;
	ssn_reserved(s, upto);
}

void
gb_catch_up(void)
{
	gb.lazy = false;
	if (gb.waits)
		on_reserve(NULL, gb.waits, gb.waits_upto);
	ssn_release(gb.waits);
	gb.waits = NULL;
}

static int64_t
on_wall(void *ctx)
{
	(void)ctx;
	return gb.wall_s + (int64_t)(gb.now_ms / 1000);
}

static const struct ssn_ops ssn_ops = {.reserve = on_reserve};

static struct ssn *
on_group_ssn(void *ctx, const uint8_t fingerprint[SSN_FINGERPRINT], bool fresh)
{
	struct ssn *s = ssn_new(fingerprint, &ssn_ops, NULL);
	struct gb_kept *k = kept(fingerprint);
	struct error e;

	(void)ctx;
	if (fresh)
		(void)ssn_start_stored(s, gb.first_number, &e);
	else if (k->has_bound)
		(void)ssn_start_stored(s, k->bound, &e);
	else
		(void)ssn_start_clock(s, on_wall(NULL) * 1000, GB_BUILT_S, &e);
	return s;
}

static struct ssn *
on_ssn(void *ctx, const uint8_t fingerprint[SSN_FINGERPRINT])
{
	return on_group_ssn(ctx, fingerprint, false);
}

static void
on_retry(void *ctx)
{
	(void)ctx;
}

static void
on_forget(void *ctx, const uint8_t fingerprint[SSN_FINGERPRINT])
{
	(void)ctx;
	memset(kept(fingerprint)->fingerprint, 0xff, SSN_FINGERPRINT);
}

static void
on_load_window(void *ctx, const uint8_t fingerprint[SSN_FINGERPRINT], struct window *w)
{
	struct gb_kept *k = kept(fingerprint);

	(void)ctx;
	if (k->has_window)
		*w = k->window;
	k->has_window = false;
}

static void
on_save_window(void *ctx, const uint8_t fingerprint[SSN_FINGERPRINT], const struct window *w)
{
	struct gb_kept *k = kept(fingerprint);

	(void)ctx;
	k->window = *w;
	k->has_window = w->valid;
}

static bool
on_load_secret(void *ctx, struct bytes name, struct buf *out)
{
	(void)ctx;
	ck_assert(bytes_equal(name, BYTES_LIT("keys")));
	buf_put(out, bytes_of(gb.secret, gb.n_secret));
	return gb.n_secret > 0;
}

static void
on_save_secret(void *ctx, struct bytes name, struct bytes secret)
{
	(void)ctx;
	ck_assert(bytes_equal(name, BYTES_LIT("keys")));
	memcpy(gb.secret, secret.p, secret.n);
	gb.n_secret = secret.n;
}

void
gb_lose_state(void)
{
	memset(gb.kept, 0, sizeof(gb.kept));
	gb.n_secret = 0;
}

/* --- the network ------------------------------------------------------------------- */

static struct buf *
on_open(void *ctx, const struct path *way)
{
	(void)ctx;
	to = way->remote.ip[3];
	buf_clear(&room);
	return &room;
}

static struct buf *
on_open_group(void *ctx, const struct group_path *way)
{
	(void)ctx;
	ck_assert_int_eq(way->source.port, 5683);
	to = -1;
	buf_clear(&room);
	return &room;
}

static void
on_commit(void *ctx)
{
	struct gb_sent *s = to < 0 ? &gb.sent[gb.n_sent++ % GB_SENT] : &gb.clients[to].got;

	(void)ctx;
	ck_assert(!room.full);
	gb.n_answers += to >= 0;
	memcpy(s->bytes, room.p, room.n);
	s->n = room.n;
}

static void
on_random(void *ctx, void *p, size_t n)
{
	(void)ctx;
	rnd_fill(p, n);
}

static void
on_request(void *ctx, struct request *r)
{
	(void)ctx;
	if (msg_has(r->msg, OPT_OSCORE))
		guard_request(gb.guard, r);
	else
		broker_request(gb.broker, r);
}

static void
run(void *ctx, struct request *r)
{
	(void)ctx;
	if (groupkeys_admits(gb.keys, r))
		broker_request(gb.broker, r);
	else
		request_reply_code(r, CODE_FORBIDDEN);
}

static bool
on_may(void *ctx, uint32_t who, unsigned verbs, struct bytes topic)
{
	(void)ctx;
	(void)topic;
	return !gb.may || gb.may(who, verbs);
}

static struct shield *
on_phantom(void *ctx, const struct broker_group *g, const struct msg *plain, struct buf *out)
{
	(void)ctx;
	return groupkeys_phantom(gb.keys, g, plain, out);
}

static void
on_inform(void *ctx, const struct broker_group *g, struct inform *in)
{
	(void)ctx;
	groupkeys_inform(gb.keys, g, in);
}

static bool
on_udp_local(void *ctx, const struct path *way, struct addr *ret_local, uint16_t *ret_socket)
{
	(void)ctx;
	*ret_local = way->local;
	ret_local->port = 5683;
	*ret_socket = 0;
	return true;
}

static void
on_rekey(void *ctx, const struct broker_security *s, uint32_t within_ms)
{
	(void)ctx;
	(void)broker_rekey(gb.broker, s, within_ms);
}

static void
on_expired(void *ctx, const struct broker_security *s)
{
	(void)ctx;
	broker_unkey(gb.broker, s);
}

static void
on_unfinished(void *ctx, const struct broker_security *s, uint32_t within_ms)
{
	(void)ctx;
	(void)broker_rekey_again(gb.broker, s, within_ms);
}

/* --- the world --------------------------------------------------------------------- */

void
gb_init(void)
{
	memset(&gb, 0, sizeof(gb));
	room = BUF_OF(room_bytes);
	gb.now_ms = 1000000;
	gb.wall_s = GB_BUILT_S + 1000;
}

/* The other end of the identities of the configuration, in their order. */
static void
make_clients(void)
{
	struct error e;

	for (size_t i = 0; i < gb.conf->n_identities; i++) {
		const struct conf_oscore *o = gb.conf->identities[i].oscore;
		static const uint8_t fingerprint[SSN_FINGERPRINT] = {1};
		struct context_plain plain = {.window_valid = true};

		if (!o || gb.clients[i + 1].context)
			continue;
		plain.master_secret = o->master_secret;
		plain.master_salt = o->master_salt;
		plain.sender_id = o->recipient_id;
		plain.recipient_id = o->sender_id;
		plain.ssn = ssn_new(fingerprint, &ssn_ops, NULL);
		ck_assert_int_eq(ssn_start_fresh(plain.ssn, &e), 0);
		ssn_reserved(plain.ssn, 1000);
		ck_assert_int_eq(context_new_plain(&plain, &e, &gb.clients[i + 1].context), 0);
		ssn_release(plain.ssn);
	}
}

static void
start_security(void)
{
	static const struct guard_ops guard_ops = {.ssn = on_ssn,
		.retry = on_retry,
		.load_window = on_load_window,
		.save_window = on_save_window,
		.on_request = run};
	static const struct groupkeys_ops ops = {.ssn = on_group_ssn,
		.retry = on_retry,
		.forget = on_forget,
		.load_window = on_load_window,
		.save_window = on_save_window,
		.load_secret = on_load_secret,
		.save_secret = on_save_secret,
		.wall_s = on_wall,
		.on_rekey = on_rekey,
		.on_expired = on_expired,
		.on_unfinished = on_unfinished};
	struct groupkeys_options options = {.conf = gb.conf,
		.subjects = gb.subjects,
		.wheel = layer_wheel(gb.layer),
		.built_s = GB_BUILT_S,
		.ops = &ops};
	struct error e;

	gb.guard = guard_new(gb.conf, gb.subjects, &guard_ops, NULL, &e);
	ck_assert_ptr_nonnull(gb.guard);
	options.contexts = guard_contexts(gb.guard);
	ck_assert_msg(groupkeys_new(&options, &gb.keys, &e) == 0, "%s", e.text);
	ck_assert_int_eq(
		groupkeys_secure(gb.keys, gb.conf->groups, gb.plan.groups, gb.conf->n_groups, NULL),
		0);
}

void
gb_start(const char *text)
{
	static const struct layer_ops layer_ops = {.open = on_open,
		.commit = on_commit,
		.random = on_random,
		.on_request = on_request,
		.shields = &shields_ops};
	static const struct broker_ops broker_ops = {.open_group = on_open_group,
		.commit = on_commit,
		.random = on_random,
		.wall_s = on_wall,
		.may = on_may,
		.group_phantom = on_phantom,
		.group_inform = on_inform,
		.udp_local = on_udp_local};
	struct error e;

	ck_assert_msg(conf_parse(bytes_str(text), "f", &gb.conf, &e) == 0, "%s", e.text);
	ck_assert_msg(plan_init(&gb.plan, gb.conf, gb.conf, NULL, &e) == 0, "%s", e.text);
	gb.subjects = subjects_new();
	gb.layer = layer_new(&layer_ops, NULL, &gb.plan.layer, gb.now_ms);
	gb.broker = broker_new(&gb.plan.broker, &broker_ops, NULL, gb.layer);
	start_security();
	make_clients();
	ck_assert_int_eq(
		broker_create_topic(gb.broker, BYTES_LIT("hall"), BROKER_NO_FORMAT, BYTES_LIT("0")),
		0);
}

void
gb_stop(bool clean)
{
	struct groupkeys_stats stats;

	if (clean) {
		guard_stop(gb.guard);
		groupkeys_stop(gb.keys);
	}
	broker_free(gb.broker);
	/* All but what the tests hold were released. */
	groupkeys_stats(gb.keys, &stats);
	ck_assert_uint_eq(stats.shields, 0);
	groupkeys_free(gb.keys);
	layer_free(gb.layer);
	guard_free(gb.guard);
	subjects_free(gb.subjects);
	plan_fini(&gb.plan);
	conf_free(gb.conf);
	ssn_release(gb.waits);
	gb.waits = NULL;
	for (size_t i = 0; i < GB_PEERS; i++) {
		binding_fini(&gb.clients[i].binding);
		if (!clean)
			context_release(gb.clients[i].context);
		if (!clean)
			gb.clients[i].context = NULL;
	}
}

void
gb_go(uint64_t ms)
{
	gb.now_ms += ms;
	layer_advance(gb.layer, gb.now_ms);
	while (broker_flush(gb.broker))
		;
}

static struct path
way_of(unsigned peer, enum gb_kind kind)
{
	bool session = kind == GB_PSK || kind == GB_PKI;

	return (struct path){
		.remote = {.family = AF_INET, .ip = {10, 0, 0, (uint8_t)peer}, .port = 40000},
		.local = {.family = AF_INET, .ip = {192, 0, 2, 1}, .port = session ? 5684 : 5683},
		.socket = session ? (uint16_t)(PATH_FIRST_SESSION + peer) : 0,
		.multicast = gb.multicast,
		.transport = session ? PATH_DTLS : PATH_UDP};
}

void
gb_raw(unsigned peer, enum gb_kind kind, struct bytes datagram)
{
	struct path way = way_of(peer, kind);

	layer_receive(gb.layer, &way, datagram);
	while (broker_flush(gb.broker))
		;
}

static void
send_once(unsigned peer, enum gb_kind kind, const struct msg *m)
{
	struct gb_client *c = &gb.clients[peer];
	struct token token = {.n = 1, .b = {(uint8_t)peer}};
	uint8_t bytes[2048], sealed[2048], code = m->code;
	struct buf out = BUF_OF(bytes), tail = BUF_OF(sealed);

	if (kind == GB_OSCORE) {
		binding_fini(&c->binding);
		ck_assert_int_eq(protect_request(c->context, OSCORE_PLAIN, BYTES_NONE, m, &tail,
					 &code, &c->binding),
			0);
	} else {
		msg_put_tail(m, &tail);
	}
	msg_put_header(&out, (enum msg_type)m->type, code, ++gb.mid, &token);
	buf_put(&out, buf_bytes(&tail));
	gb_raw(peer, kind, buf_bytes(&out));
}

void
gb_send(unsigned peer, enum gb_kind kind, const struct msg *m)
{
	struct msg answer, again = *m;

	send_once(peer, kind, m);
	if (kind != GB_OSCORE)
		return;
	/* RFC 8613 B.1.2: the first one shows that it is of now. */
	answer = gb_got(peer);
	if (answer.code != CODE_UNAUTHORIZED || !msg_has(&answer, OPT_ECHO))
		return;
	ck_assert_int_eq(msg_add(&again, OPT_ECHO, msg_find(&answer, OPT_ECHO)->value), 0);
	send_once(peer, kind, &again);
}

void
gb_sub(unsigned peer, enum gb_kind kind)
{
	uint8_t segments[64];
	struct buf scratch = BUF_OF(segments);
	struct msg m;

	msg_init(&m, TYPE_CON, CODE_GET);
	ck_assert_int_eq(msg_add_uint(&m, OPT_OBSERVE, 0), 0);
	ck_assert_int_eq(msg_add_path(&m, OPT_URI_PATH, BYTES_LIT("/ps/data/hall"), &scratch), 0);
	gb_send(peer, kind, &m);
}

void
gb_pub(const char *value)
{
	uint8_t segments[64];
	struct buf scratch = BUF_OF(segments);
	struct msg m;

	msg_init(&m, TYPE_NON, CODE_PUT);
	ck_assert_int_eq(msg_add_path(&m, OPT_URI_PATH, BYTES_LIT("/ps/data/hall"), &scratch), 0);
	m.payload = bytes_str(value);
	gb_send(GB_PEERS - 1, GB_PSK, &m);
}

void
gb_ack(unsigned peer, enum gb_kind kind)
{
	const struct gb_sent *s = &gb.clients[peer].got;
	uint8_t ack[4] = {0x60, 0, s->bytes[2], s->bytes[3]};

	gb_raw(peer, kind, BYTES_OF(ack));
}

struct msg
gb_got(unsigned peer)
{
	struct gb_client *c = &gb.clients[peer];
	struct buf plain = BUF_OF(c->plain);
	struct unprotect_info info;
	struct msg m, inner;

	ck_assert_int_eq(msg_decode(bytes_of(c->got.bytes, c->got.n), &m), MSG_OK);
	if (!msg_has(&m, OPT_OSCORE))
		return m;
	ck_assert_int_eq(
		unprotect_response(&c->binding, NULL, &m, &plain, &inner, &info), UNPROTECT_OK);
	return inner;
}

struct inform
gb_inform(unsigned peer)
{
	struct msg m = gb_got(peer);
	struct inform in;

	ck_assert_int_eq(m.code, CODE_UNAVAILABLE);
	ck_assert_int_eq(inform_decode(m.payload, &in), 0);
	return in;
}

/* --- the client's side ------------------------------------------------------------- */

/* One of the draft's map; p NULL and 0 when it is not there. */
static struct bytes
material(struct bytes map, int64_t key, int64_t *ret_number)
{
	struct cborget c = cborget_of(map);
	struct bytes value = BYTES_NONE;
	uint64_t n;
	int64_t k;

	*ret_number = 0;
	ck_assert_int_eq(cborget_map(&c, &n), 0);
	for (; n > 0; n--) {
		ck_assert_int_eq(cborget_int(&c, &k), 0);
		if (k != key) {
			ck_assert_int_eq(cborget_skip(&c), 0);
		} else if (cborget_bstr(&c, &value) < 0) {
			if (cborget_int(&c, ret_number) < 0)
				ck_assert_int_eq(cborget_raw(&c, &value), 0);
		}
	}
	ck_assert(cborget_at_end(&c));
	return value;
}

struct context *
gb_listener(const struct inform *in)
{
	struct bytes map = in->keys.gp_material;
	int64_t hkdf, format, encryption, signature, no;
	struct context_group group = {.gm_cred = in->keys.srv_cred};
	struct context *c;
	struct error e;

	ck_assert_ptr_nonnull(map.p);
	group.master_secret = material(map, 2, &no);
	(void)material(map, 3, &hkdf);
	group.master_salt = material(map, 5, &no);
	group.gid = material(map, 6, &no);
	(void)material(map, 8, &format);
	(void)material(map, 9, &encryption);
	(void)material(map, 10, &signature);
	ck_assert(bytes_equal(material(map, 11, &no),
		signature == SUITE_EDDSA ? BYTES_LIT("\x82\x81\x01\x82\x01\x06")
					 : BYTES_LIT("\x82\x81\x02\x82\x02\x01")));
	group.hkdf = (int)hkdf;
	group.cred_format = (enum cred_format)format;
	group.group_encryption = (int)encryption;
	group.signature = (int)signature;
	ck_assert_msg(context_new_group(&group, &e, &c) == 0, "%s", e.text);
	ck_assert_int_eq(context_add_recipient(
				 c, in->keys.srv_identifier, in->keys.srv_cred, true, 0, &e, NULL),
		0);
	return c;
}

void
gb_join(struct gb_member *member, struct context *context, const struct inform *in)
{
	struct buf plain = BUF_OF(member->plain);
	struct unprotect_info info;
	uint8_t text[64];
	struct buf path = BUF_OF(text);
	struct msg outer;

	binding_fini(&member->binding);
	context_release(member->context);
	member->context = context;
	ck_assert_int_eq(msg_decode_inner(in->ph_req, &outer), 0);
	ck_assert_int_eq(outer.code, CODE_FETCH);
	ck_assert_int_eq(
		unprotect_phantom(context, &outer, &plain, &member->m, &info, &member->binding),
		UNPROTECT_OK);
	ck_assert_int_eq(member->m.code, CODE_GET);
	ck_assert_int_eq(msg_path(&member->m, &path), 0);
	ck_assert_str_eq(buf_str(&path), "/ps/data/hall");
	if (!in->last_notif.p)
		return;
	ck_assert_int_eq(msg_decode_inner(in->last_notif, &outer), 0);
	buf_clear(&plain);
	ck_assert_int_eq(
		unprotect_response(&member->binding, NULL, &outer, &plain, &member->m, &info),
		UNPROTECT_OK);
	ck_assert_int_eq(member->m.code, CODE_CONTENT);
}

void
gb_take_part(struct gb_member *member, unsigned peer, enum gb_kind kind)
{
	struct inform in;

	gb_sub(peer, kind);
	in = gb_inform(peer);
	gb_join(member, gb_listener(&in), &in);
	gb_ack(peer, kind);
}

void
gb_leave(struct gb_member *member)
{
	binding_fini(&member->binding);
	context_release(member->context);
	member->context = NULL;
}

enum unprotect_verdict
gb_hear(struct gb_member *member, unsigned nth)
{
	const struct gb_sent *s = &gb.sent[(gb.n_sent - 1 - nth) % GB_SENT];
	struct buf plain = BUF_OF(member->plain);
	struct unprotect_info info;
	struct msg outer;

	ck_assert_uint_gt(gb.n_sent, nth);
	ck_assert_int_eq(msg_decode(bytes_of(s->bytes, s->n), &outer), MSG_OK);
	ck_assert_int_eq(outer.type, TYPE_NON);
	return unprotect_response(&member->binding, NULL, &outer, &plain, &member->m, &info);
}
