/* SPDX-License-Identifier: BSD-2-Clause */
#include "watch.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "client/offer.h"

struct bed watch_bed;
struct observation *watch_observation;
bool watch_join_fails;
const struct armor *watch_armor;
bool watch_any_token;
uint32_t watch_missed;
int64_t watch_wall_s;
bool watch_can_renew;
const struct token watch_token = {.n = 4, .b = {0x7b, 0x3c, 0x01, 0x02}};

static char said[4096]; /* what the observation told, since watch_said() */
static uint16_t next_socket;

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void
say(const char *fmt, ...)
{
	size_t n = strlen(said);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(said + n, sizeof(said) - n, fmt, ap);
	va_end(ap);
}

static int
on_join(void *ctx, const struct addr *group, const struct addr *server, struct error *e,
	uint16_t *ret_socket)
{
	char a[ADDR_STRLEN], b[ADDR_STRLEN];

	(void)ctx;
	if (watch_join_fails) {
		error_set(e, "no such interface");
		return -ENODEV;
	}
	say("join %s from %s; ", addr_format(group, a), addr_format(server, b));
	*ret_socket = next_socket++;
	return 0;
}

static void
on_leave(void *ctx, uint16_t socket)
{
	(void)ctx;
	say("leave %u; ", socket);
}

static void
on_value(void *ctx, const struct observation_value *v)
{
	static const char via[] = "uim";

	(void)ctx;
	say("%c", via[v->via]);
	if (v->verified)
		say("+");
	if (v->has_observe)
		say("%u", v->observe);
	if (v->payload.n <= 40)
		say(":%.*s%s; ", (int)v->payload.n, (const char *)v->payload.p,
			v->initial ? " (initial)" : "");
	else
		say(":%zu bytes; ", v->payload.n);
	watch_missed = v->missed;
	ck_assert_int_eq(v->group != NULL, v->via != VIA_UNICAST);
	if (v->via != VIA_UNICAST && !watch_any_token)
		ck_assert(token_equal(&v->token, &watch_token));
}

static void
on_note(void *ctx, bool loud, const char *text)
{
	(void)ctx;
	ck_assert_uint_gt(strlen(text), 0);
	if (loud)
		say("! ");
}

static void
on_end(void *ctx, enum observation_end end, uint8_t code, const char *text)
{
	static const char *const names[] = {"refused", "not observable", "timeout", "reset",
		"protected", "no multicast", "broken", "lost", "insecure", "unsafe", "closed"};
	char name[16];

	(void)ctx;
	(void)text;
	say("end: %s %s; ", names[end], msg_code_name(code, name));
}

static int64_t
wall_s(void *ctx)
{
	(void)ctx;
	return watch_wall_s < 0 ? watch_wall_s
				: watch_wall_s + (int64_t)(watch_bed.now_ms - 1000) / 1000;
}

static bool
on_renew(void *ctx)
{
	(void)ctx;
	if (watch_can_renew)
		say("renew; ");
	return watch_can_renew;
}

const struct observation_ops watch_ops = {
	.join = on_join,
	.leave = on_leave,
	.on_value = on_value,
	.on_note = on_note,
	.wall_s = wall_s,
	.renew = on_renew,
	.on_end = on_end,
};

/* What was told since the last time, and empties it. */
const char *
watch_said(void)
{
	static char last[sizeof(said)];

	machine_advance(session_machine(watch_bed.session), watch_bed.now_ms);
	memcpy(last, said, sizeof(said));
	said[0] = '\0';
	return last;
}

void
watch_setup(void)
{
	struct target what = {BYTES_LIT("/ps/data/t"), BYTES_NONE, TARGET_NO_FORMAT};
	struct error e;

	watch_wall_s = WATCH_WALL_S;
	watch_can_renew = false;
	bed_init(&watch_bed);
	if (watch_armor)
		session_protect(watch_bed.session, watch_armor);
	said[0] = '\0';
	watch_join_fails = false;
	next_socket = BED_GROUP_SOCKET;
	watch_observation = observation_new(watch_bed.session, &what, &watch_ops, NULL, &e);
	ck_assert_ptr_nonnull(watch_observation);
}

void
watch_teardown(void)
{
	observation_free(watch_observation);
	bed_fini(&watch_bed);
}

/* The next datagram is a registration; it is returned. */
struct token
watch_registration(struct msg *ret)
{
	uint32_t observe;
	char path[64];
	struct buf text = buf_of(path, sizeof(path));

	bed_read(&watch_bed, ret);
	ck_assert_int_eq(ret->type, TYPE_CON);
	ck_assert_int_eq(ret->code, CODE_GET);
	ck_assert(msg_uint(ret, OPT_OBSERVE, &observe) && observe == 0);
	ck_assert_int_eq(msg_path(ret, &text), 0);
	ck_assert_str_eq(buf_str(&text), "/ps/data/t");
	return ret->token;
}

/* The next datagram says that we withdraw: GET with Observe 1, NON, no answer wanted. */
void
watch_withdrawal(void)
{
	uint32_t observe, no_response;
	struct msg m;

	bed_read(&watch_bed, &m);
	ck_assert_int_eq(m.type, TYPE_NON);
	ck_assert_int_eq(m.code, CODE_GET);
	ck_assert(msg_has(&m, OPT_URI_PATH));
	ck_assert(msg_uint(&m, OPT_OBSERVE, &observe) && observe == 1);
	ck_assert(msg_uint(&m, OPT_NO_RESPONSE, &no_response) && no_response == 26);
}

/* The next datagram asks for the value, and is answered. */
void
watch_get(const char *value, const char *etag)
{
	struct msg q, r;

	bed_read(&watch_bed, &q);
	ck_assert_int_eq(q.code, CODE_GET);
	ck_assert(!msg_has(&q, OPT_OBSERVE) && !msg_has(&q, OPT_BLOCK2));
	bed_respond(&r, &q, CODE_CONTENT, value);
	if (etag)
		ck_assert_int_eq(msg_add(&r, OPT_ETAG, bytes_str(etag)), 0);
	bed_receive(&watch_bed, &watch_bed.way, &r);
}

void
watch_notify(const struct token *t, enum msg_type type, uint32_t observe, const char *value)
{
	struct msg m;

	bed_separate(&watch_bed, &m, type, t, CODE_CONTENT, bytes_str(value));
	ck_assert_int_eq(msg_add_uint(&m, OPT_OBSERVE, observe), 0);
	bed_receive(&watch_bed, &watch_bed.way, &m);
}

/* A registration answered with 2.05; its token. */
struct token
watch_register(uint32_t observe, const char *value)
{
	struct msg q, r;
	struct token t = watch_registration(&q);

	bed_respond(&r, &q, CODE_CONTENT, value);
	ck_assert_int_eq(msg_add_uint(&r, OPT_OBSERVE, observe), 0);
	bed_receive(&watch_bed, &watch_bed.way, &r);
	return t;
}

/* --- informative responses ---------------------------------------------------------- */

void
watch_make_phantom(struct phantom *p, const char *path)
{
	uint8_t scratch[64];
	struct buf out = BUF_OF(scratch);
	struct msg m;

	msg_init(&m, TYPE_NON, CODE_GET);
	m.token = watch_token;
	ck_assert_int_eq(msg_add_path(&m, OPT_URI_PATH, bytes_str(path), &out), 0);
	ck_assert_int_eq(msg_add_uint(&m, OPT_OBSERVE, 0), 0);
	p->inner = BUF_OF(p->space);
	p->whole = BUF_OF(p->whole_space);
	ck_assert_int_eq(msg_encode_inner(&m, &p->inner), 0);
	ck_assert_int_eq(msg_encode(&m, &p->whole), 0);
}

/* A latest notification: code, options, payload. */
void
watch_make_latest(struct buf *out, uint32_t observe, const char *value)
{
	struct msg m;

	msg_init(&m, TYPE_NON, CODE_CONTENT);
	ck_assert_int_eq(msg_add_uint(&m, OPT_OBSERVE, observe), 0);
	ck_assert_int_eq(msg_add_uint(&m, OPT_MAX_AGE, 60), 0);
	m.payload = bytes_str(value);
	ck_assert_int_eq(msg_encode_inner(&m, out), 0);
}

/* Sends a 5.03 with this payload as a CON under a registration's token; expects its ACK. */
void
watch_send_informative(const struct token *t, struct bytes payload)
{
	struct msg m, ack;

	bed_separate(&watch_bed, &m, TYPE_CON, t, CODE_UNAVAILABLE, payload);
	ck_assert_int_eq(msg_add_uint(&m, OPT_CONTENT_FORMAT, OFFER_FORMAT), 0);
	ck_assert_int_eq(msg_add_uint(&m, OPT_MAX_AGE, 0), 0);
	bed_receive(&watch_bed, &watch_bed.way, &m);
	for (;;) {
		bed_read(&watch_bed, &ack);
		if (ack.type == TYPE_ACK)
			break;
		/* A withdrawal leaves before the acknowledgement. */
		ck_assert_int_eq(ack.type, TYPE_NON);
		watch_bed.read--;
		watch_withdrawal();
	}
	ck_assert_int_eq(ack.code, CODE_EMPTY);
	ck_assert_uint_eq(ack.mid, m.mid);
}

void
watch_inform_of(const struct token *t, struct inform *in, uint32_t observe, const char *value)
{
	uint8_t space[256], latest_space[128];
	struct buf out = BUF_OF(space), latest = BUF_OF(latest_space);
	struct phantom p;

	in->server = bed_addr(SERVER);
	if (in->client.family == AF_UNSPEC)
		in->client = bed_addr(GROUP);
	if (in->token.n == 0)
		in->token = watch_token;
	in->res = bytes_str(value);
	watch_make_phantom(&p, "/ps/data/t");
	watch_make_latest(&latest, observe, value);
	in->ph_req = buf_bytes(&p.inner);
	in->registr = buf_bytes(&p.whole);
	in->last_notif = buf_bytes(&latest);
	ck_assert_int_eq(inform_encode(in, &out), 0);
	watch_send_informative(t, buf_bytes(&out));
}

void
watch_inform(const struct token *t, unsigned generations, uint32_t observe, const char *value)
{
	struct inform in = {.generations = generations};

	watch_inform_of(t, &in, observe, value);
}

/* Registered, acknowledged, moved: what was said is left for the test. */
struct token
watch_move(unsigned generations, uint32_t observe, const char *value)
{
	struct msg q, ack;
	struct token t = watch_registration(&q);

	msg_init(&ack, TYPE_ACK, CODE_EMPTY);
	ack.mid = q.mid;
	bed_receive(&watch_bed, &watch_bed.way, &ack);
	watch_inform(&t, generations, observe, value);
	return t;
}

/* As a socket that joined the group hands it over. */
struct path
watch_group_way(void)
{
	struct path p = watch_bed.way;

	p.multicast = true;
	p.socket = (uint16_t)(next_socket - 1);
	return p;
}

void
watch_multicast_tagged(uint32_t observe, const char *value, const char *etag, uint32_t max_age)
{
	struct path from = watch_group_way();
	struct msg m;

	bed_separate(&watch_bed, &m, TYPE_NON, &watch_token, CODE_CONTENT, bytes_str(value));
	ck_assert_int_eq(msg_add_uint(&m, OPT_OBSERVE, observe), 0);
	ck_assert_int_eq(msg_add_uint(&m, OPT_MAX_AGE, max_age), 0);
	if (etag)
		ck_assert_int_eq(msg_add(&m, OPT_ETAG, bytes_str(etag)), 0);
	bed_receive(&watch_bed, &from, &m);
}

void
watch_multicast(uint32_t observe, const char *value)
{
	watch_multicast_tagged(observe, value, NULL, 60);
}

void
watch_ask(uint32_t observe, uint32_t divider)
{
	struct path from = watch_group_way();
	struct msg m;

	bed_separate(&watch_bed, &m, TYPE_NON, &watch_token, CODE_CONTENT, BYTES_LIT("asks"));
	ck_assert_int_eq(msg_add_uint(&m, OPT_OBSERVE, observe), 0);
	ck_assert_int_eq(msg_add_uint(&m, option_feedback_divider(), divider), 0);
	bed_receive(&watch_bed, &from, &m);
}

void
watch_cancel(void)
{
	struct path from = watch_group_way();
	struct msg m;

	bed_separate(&watch_bed, &m, TYPE_NON, &watch_token, CODE_UNAVAILABLE, BYTES_NONE);
	bed_receive(&watch_bed, &from, &m);
}
