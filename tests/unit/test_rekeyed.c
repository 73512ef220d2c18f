/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of the daemon while keys of a self-managed group are replaced, or when they are to
 * be: what members who did not hear of the new ones are told by the next start.
 */
#include "group_bed.h"

#include "broker/broker_impl.h"
#include "broker/rekey.h"
#include "net/shields.h"
#include "oscore/crypto.h"
#include "wire/option.h"

#define KEY "hex:1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100"
#define CONF                                                                          \
	"groups: [ { name: hall, address: 239.255.17.4, port: 61616, interface: lo, " \
	"topics: [ \"*\" ], threshold: 1, max-age: 3600s, oscore: keys } ]\n"         \
	"oscore-groups: [ { name: keys, gid: hex:57ab2e, sender-id: hex:05, "         \
	"lifetime: 1000s, private-key: \"" KEY "\" } ]\n"
#define DUE_MS 750000 /* when they are replaced */
#define LIFE_MS 1000000

static struct gb_member member, newcomer;

/* What the store has of the group observation. */
struct kept_binding {
	size_t n_gid, n_kid, n_piv; /* none: 0 */
	uint8_t gid[64], kid[16], piv[8];
};

static struct {
	struct token token;
	struct addr source;
	uint8_t phantom[1024];
	size_t n_phantom;
	struct kept_binding now, before;
} kept;

static void
setup(void)
{
	gb_init();
	memset(&kept, 0, sizeof(kept));
	gb_start(CONF);
	/* By DTLS: a session ends with the daemon. */
	gb_sub(1, GB_PSK);
}

static void
teardown(void)
{
	gb_leave(&member);
	gb_leave(&newcomer);
	gb_stop(false);
	crypto_stop();
}

static void
join(struct gb_member *m, unsigned peer)
{
	struct inform in = gb_inform(peer);

	gb_join(m, gb_listener(&in), &in);
	gb_ack(peer, GB_PSK);
}

static size_t
copy(uint8_t *to, size_t cap, struct bytes from)
{
	ck_assert_uint_le(from.n, cap);
	memcpy(to, from.p, from.n);
	return from.n;
}

static void
note_binding(const struct shield *s, struct kept_binding *ret)
{
	*ret = (struct kept_binding){.n_gid = 0};
	if (!s)
		return;
	ret->n_gid = copy(ret->gid, sizeof(ret->gid), binding_kid_context(&s->binding));
	ret->n_kid = copy(ret->kid, sizeof(ret->kid), binding_kid(&s->binding));
	ret->n_piv = copy(ret->piv, sizeof(ret->piv), binding_piv(&s->binding));
}

static void
note(void *ctx, const struct group_observation *g)
{
	unsigned *n = ctx;

	(*n)++;
	kept.token = g->token;
	kept.source = g->way.source;
	kept.n_phantom =
		copy(kept.phantom, sizeof(kept.phantom), bytes_of(g->phantom, g->n_phantom));
	note_binding(g->shield, &kept.now);
	note_binding(rekey_before(g), &kept.before);
}

/* What is kept now is what the next start finds. */
static void
keep(void)
{
	unsigned n = 0;

	broker_each_group(gb.broker, note, &n);
	ck_assert_uint_eq(n, 1);
}

static struct shield *
shield_of(const struct broker_group *g, const struct kept_binding *b)
{
	return groupkeys_restore(gb.keys, g, bytes_of(b->gid, b->n_gid), bytes_of(b->kid, b->n_kid),
		bytes_of(b->piv, b->n_piv));
}

/* As net/resume.c does it; what is to become of it. */
static enum group_renewal
resume(void)
{
	const struct broker_group *g = &gb.plan.broker.groups[0];
	struct group_kept how = {.id = 7,
		.group = g,
		.source = kept.source,
		.token = kept.token,
		.phantom = bytes_of(kept.phantom, kept.n_phantom),
		.shield = shield_of(g, &kept.now),
		.seq = 5000,
		.bound = 5000,
		.refresh_ms = 3000000,
		.n = 1};

	ck_assert_ptr_nonnull(how.shield);
	how.renewal = groupkeys_renewal(g->security, bytes_of(kept.now.gid, kept.now.n_gid));
	if (kept.before.n_gid > 0 &&
		groupkeys_renewal(g->security, bytes_of(kept.before.gid, kept.before.n_gid)) ==
			GROUP_KEYS_CHANGE)
		how.before = shield_of(g, &kept.before);
	ck_assert_int_eq(
		group_resume(gb.broker, topic_by_name(&gb.broker->topics, BYTES_LIT("hall")), &how),
		0);
	gb.n_sent = 0;
	groupkeys_go_on(gb.keys);
	return how.renewal;
}

static void
restart_after(uint64_t ms)
{
	gb_stop(false);
	gb.now_ms += ms;
	gb_start(CONF);
}

static void
expect_heard(struct gb_member *m, const char *value)
{
	ck_assert_int_eq(gb_hear(m, 0), UNPROTECT_OK);
	ck_assert_int_eq(m->m.code, CODE_CONTENT);
	ck_assert(bytes_equal(m->m.payload, bytes_str(value)));
}

/* The last datagram brings new keys, with which the member goes on. */
static void
expect_told(struct gb_member *m)
{
	uint8_t payload[2048];
	struct inform in;
	size_t n;

	ck_assert_int_eq(gb_hear(m, 0), UNPROTECT_OK);
	ck_assert_int_eq(m->m.code, CODE_UNAVAILABLE);
	n = copy(payload, sizeof(payload), m->m.payload);
	ck_assert_int_eq(inform_decode(bytes_of(payload, n), &in), 0);
	ck_assert_ptr_nonnull(in.keys.gp_material.p);
	ck_assert_ptr_nonnull(in.last_notif.p);
	gb_join(m, gb_listener(&in), &in);
}

static void
expect_cancelled(struct gb_member *m)
{
	ck_assert_int_eq(gb_hear(m, 0), UNPROTECT_OK);
	ck_assert_int_eq(m->m.code, CODE_UNAVAILABLE);
	ck_assert_uint_eq(m->m.payload.n, 0);
}

START_TEST(keys_that_stay_are_not_told)
{
	join(&member, 1);
	keep();
	restart_after(1000);
	ck_assert_int_eq(resume(), GROUP_KEYS_STAY);
	ck_assert_uint_eq(gb.n_sent, 0);
	gb_pub("a");
	expect_heard(&member, "a");
}
END_TEST

START_TEST(keys_about_to_expire_are_replaced_at_the_start)
{
	join(&member, 1);
	keep();
	restart_after(DUE_MS + 1000);
	ck_assert_int_eq(resume(), GROUP_KEYS_CHANGE);
	ck_assert_uint_eq(gb.n_sent, 1);
	expect_told(&member);
	gb_pub("a");
	expect_heard(&member, "a");
	/* As when they are replaced at any other time: three times, and the value. */
	gb_go(1000);
	gb_go(2000);
	gb_go(4000);
	gb_go(1);
	ck_assert_uint_eq(gb.n_sent, 5);
	gb_sub(2, GB_PSK);
	join(&newcomer, 2);
	gb_pub("b");
	expect_heard(&member, "b");
	expect_heard(&newcomer, "b");
}
END_TEST

START_TEST(keys_that_expired_end_what_they_protect)
{
	join(&member, 1);
	keep();
	restart_after(LIFE_MS + 1000);
	ck_assert_int_eq(resume(), GROUP_KEYS_END);
	ck_assert_uint_eq(gb.n_sent, 1);
	expect_cancelled(&member);
	ck_assert_uint_eq(gb.broker->group_tokens.n, 0);
}
END_TEST

/* Nobody knows how long they would live. */
START_TEST(so_do_those_of_a_clock_that_is_not_set)
{
	join(&member, 1);
	keep();
	gb.wall_s = 0;
	restart_after(1000);
	ck_assert_int_eq(resume(), GROUP_KEYS_END);
	expect_cancelled(&member);
}
END_TEST

/* Killed when the new keys were drawn, and in use nowhere. */
START_TEST(keys_that_were_drawn_only_are_told_by_the_next_start)
{
	join(&member, 1);
	keep();
	gb.lazy = true;
	gb_go(DUE_MS);
	gb.lazy = false;
	restart_after(1000);
	ck_assert_int_eq(resume(), GROUP_KEYS_CHANGE);
	ck_assert_uint_eq(gb.n_sent, 1);
	expect_told(&member);
	gb_pub("a");
	expect_heard(&member, "a");
}
END_TEST

/* Killed after the first of three notices, of which a newcomer knows and the member nothing. */
START_TEST(an_announcement_goes_on_after_a_kill)
{
	join(&member, 1);
	gb_go(DUE_MS);
	ck_assert_uint_eq(gb.n_sent, 1);
	gb_sub(2, GB_PSK);
	join(&newcomer, 2);
	keep();
	ck_assert_uint_gt(kept.before.n_gid, 0);
	restart_after(1000);
	ck_assert_int_eq(resume(), GROUP_KEYS_STAY);
	ck_assert_uint_eq(gb.n_sent, 1);
	ck_assert_int_ne(gb_hear(&newcomer, 0), UNPROTECT_OK);
	expect_told(&member);
	/* Both have the same binding. */
	gb_pub("a");
	expect_heard(&member, "a");
	expect_heard(&newcomer, "a");
}
END_TEST

START_TEST(nothing_is_left_of_one_that_is_over)
{
	size_t n_secret = gb.n_secret;

	join(&member, 1);
	gb_go(DUE_MS);
	ck_assert_uint_gt(gb.n_secret, n_secret);
	expect_told(&member);
	gb_go(1000);
	gb_go(2000);
	keep();
	ck_assert_uint_eq(kept.before.n_gid, 0);
	gb_go(4000);
	gb_go(8000);
	ck_assert_uint_eq(gb.n_secret, n_secret);
	restart_after(1000);
	ck_assert_int_eq(resume(), GROUP_KEYS_STAY);
	ck_assert_uint_eq(gb.n_sent, 0);
}
END_TEST

/* Who lost the right to new keys is never told any, whenever the daemon ends. */
START_TEST(revoked_keys_protect_their_end_only)
{
	join(&member, 1);
	keep();
	gb.lazy = true;
	groupkeys_revoke(gb.keys, groupkeys_at(gb.keys, 0));
	expect_cancelled(&member);
	gb.lazy = false;
	restart_after(1000);
	ck_assert_int_eq(resume(), GROUP_KEYS_END);
	ck_assert_uint_eq(gb.n_sent, 1);
	expect_cancelled(&member);
}
END_TEST

/* Revoked while they are told: who did not hear of them hears of the end all the same. */
START_TEST(revoked_while_they_are_told)
{
	join(&member, 1);
	gb_go(DUE_MS);
	gb_sub(2, GB_PSK);
	join(&newcomer, 2);
	gb.n_sent = 0;
	groupkeys_revoke(gb.keys, groupkeys_at(gb.keys, 0));
	ck_assert_uint_eq(gb.n_sent, 2);
	expect_cancelled(&member);
	ck_assert_int_eq(gb_hear(&newcomer, 1), UNPROTECT_OK);
	ck_assert_uint_eq(newcomer.m.payload.n, 0);
	gb_go(1000);
	gb_go(2000);
	gb_go(4000);
	ck_assert_uint_eq(gb.n_sent, 2);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("rekeyed");
	TCase *t = tcase_create("restart");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, keys_that_stay_are_not_told);
	tcase_add_test(t, keys_about_to_expire_are_replaced_at_the_start);
	tcase_add_test(t, keys_that_expired_end_what_they_protect);
	tcase_add_test(t, so_do_those_of_a_clock_that_is_not_set);
	tcase_add_test(t, keys_that_were_drawn_only_are_told_by_the_next_start);
	tcase_add_test(t, an_announcement_goes_on_after_a_kill);
	tcase_add_test(t, nothing_is_left_of_one_that_is_over);
	tcase_add_test(t, revoked_keys_protect_their_end_only);
	tcase_add_test(t, revoked_while_they_are_told);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
