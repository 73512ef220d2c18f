/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each request needs to be allowed, what of a list is shown, and what happens to
 * observations whose right is gone: product.md, `access` and "Refusals".
 */
#include "broker_shield.h"
#include "broker_world.h"

#define D BROKER_MAY_DISCOVER
#define R BROKER_MAY_READ
#define S BROKER_MAY_SUBSCRIBE
#define P BROKER_MAY_PUBLISH
#define C BROKER_MAY_CREATE
#define F BROKER_MAY_CONFIGURE
#define X BROKER_MAY_DELETE
#define ALL 0x7fu

static unsigned granted; /* to everybody, of every topic but "secret*" */
static unsigned granted_secret; /* of those */
static uint32_t outlaw; /* subject that may do nothing; 0: none */

static bool
may(uint32_t who, unsigned verbs, struct bytes topic)
{
	if (outlaw && who == outlaw)
		return false;
	return (verbs & ~(pattern_matches("secret*", topic) ? granted_secret : granted)) == 0;
}

static void
begin(void)
{
	bw.may = may;
	granted = ALL;
	granted_secret = 0;
	outlaw = 0;
	bw_start();
	bw_topic("hall", "0");
}

static void
setup(void)
{
	bw_init();
	begin();
}

static void
anew(void)
{
	bw_stop();
	bw_init();
}

#define DATA "026c636f72652e70732e64617461" /* resource-type: core.ps.data */

static const struct {
	const char *request;
	unsigned needs; /* all of them */
	unsigned or ; /* or all of these */
	bool create_on_publish;
} requests[] = {
	{"GET /ps/data/hall", R, R, false},
	{"GET /ps/data/hall b2=0/16", R, R, false},
	/* The rest of a notification. */
	{"GET /ps/data/hall b2=1/16", R, S, false},
	{"GET /ps/data/hall o=0", R, S, false},
	{"GET /ps/data/hall o=1", R, R, false},
	{"GET /ps/data/none", R, R, false},
	{"GET /ps/data/none o=0", R, S, false},
	{"PUT /ps/data/hall 'x'", P, P, false},
	{"PUT /ps/data/none 'x'", P, P, false},
	{"PUT /ps/data/none 'x'", P | C, P | C, true},
	{"PUT /ps/data/hall 'x'", P, P, true},
	{"DELETE /ps/data/hall", X, X, false},
	{"DELETE /ps/data/none", X, X, false},
	{"GET /ps/hall", D, D, false},
	{"GET /ps/none", D, D, false},
	{"FETCH /ps/hall ct=60 x=8100", D, D, false},
	{"POST /ps/hall ct=606 x=a0", F, F, false},
	{"iPATCH /ps/hall ct=606 x=a0", F, F, false},
	{"DELETE /ps/hall", X, X, false},
	{"POST /ps ct=606 x=a2006174" DATA, C, C, false},
	{"GET /ps", 0, 0, false},
	{"FETCH /ps ct=606 x=a0", 0, 0, false},
	{"GET /.well-known/core", 0, 0, false},
	{"GET /", 0, 0, false},
};

#define N(table) ((int)(sizeof(table) / sizeof((table)[0])))

START_TEST(every_request_needs_its_verb)
{
	for (unsigned verbs = 0; verbs <= ALL; verbs++) {
		bool allowed = (requests[_i].needs & ~verbs) == 0 || (requests[_i].or &~verbs) == 0;
		struct msg m;

		anew();
		bw.conf.create_on_publish = requests[_i].create_on_publish;
		begin();
		granted = verbs;
		bw_in(1, "%s", requests[_i].request);
		m = bw_last(1);
		ck_assert_msg((m.code != CODE_FORBIDDEN) == allowed, "%s with %x: %x",
			requests[_i].request, verbs, m.code);
		ck_assert_uint_eq(bw_stats().forbidden, !allowed);
	}
}

START_TEST(who_may_read_only_is_answered_without_observe)
{
	granted = R;
	bw_sub(1);
	bw_expect("1=2.05:0 ");
	ck_assert_uint_eq(bw_stats().observers, 0);
	granted = S;
	bw_sub(1);
	bw_expect("1+0 ");
	/* It may leave, though not read. */
	granted = 0;
	bw_unsub(1);
	bw_expect("1=4.03 ");
	ck_assert_uint_eq(bw_stats().observers, 0);
}

/* Nothing of a publish that is refused is kept, nor anything of its body. */
START_TEST(a_body_that_may_not_be_published_is_not_taken)
{
	granted = ALL & ~P;
	bw_in(1, "PUT /ps/data/hall b1=0+/16 '0123456789abcdef'");
	bw_expect("1=4.03 ");
	granted = ALL;
	bw_in(1, "PUT /ps/data/hall b1=1/16 'g'");
	bw_expect("1=4.08 ");
	bw_in(1, "GET /ps/data/hall");
	bw_expect("1=2.05:0 ");
}

static const char *const lists[] = {"GET /ps", "FETCH /ps ct=606 x=a0", "GET /.well-known/core",
	"GET /.well-known/core?rt=core.ps.conf", "GET /ps?rt=core.ps.data",
	"FETCH /ps ct=606 x=a1006773656372657431" /* by name */};

/* The whole list that a subject gets. */
static void
list(uint32_t who, const char *request, struct buf *out)
{
	struct msg m;

	bw.who = who;
	bw_in(1, "%s", request);
	m = bw_last(1);
	ck_assert_int_eq(m.code, CODE_CONTENT);
	buf_clear(out);
	buf_put(out, m.payload);
	bw.who = 0;
}

START_TEST(links_that_one_may_not_see_are_not_listed)
{
	uint8_t bytes[2048];
	struct buf text = BUF_OF(bytes);

	bw_topic("secret1", "0");
	list(7, lists[_i], &text);
	ck_assert_ptr_null(strstr(buf_str(&text), "secret"));
	granted_secret = D;
	/* Nobody is served another one's list, or an older one. */
	outlaw = 8;
	list(8, lists[_i], &text);
	ck_assert_ptr_null(strstr(buf_str(&text), "secret"));
	ck_assert_ptr_null(strstr(buf_str(&text), "hall"));
	list(9, lists[_i], &text);
	ck_assert_ptr_nonnull(strstr(buf_str(&text), "secret1"));
	list(8, lists[_i], &text);
	ck_assert_ptr_null(strstr(buf_str(&text), "secret"));
}

static bool
never(void *ctx, const struct broker_group *group, struct bytes topic)
{
	(void)group;
	(void)ctx;
	(void)topic;
	return false;
}

static bool
hall(void *ctx, const struct broker_group *group, struct bytes topic)
{
	(void)group;
	(void)ctx;
	return bytes_is(topic, "hall");
}

START_TEST(a_list_made_before_a_review_is_made_anew)
{
	uint8_t bytes[2048];
	struct buf text = BUF_OF(bytes);

	list(7, "GET /ps", &text);
	ck_assert_ptr_nonnull(strstr(buf_str(&text), "hall"));
	granted = 0;
	broker_review(bw.broker, never, NULL);
	list(7, "GET /ps", &text);
	ck_assert_ptr_null(strstr(buf_str(&text), "hall"));
}

START_TEST(who_may_not_see_a_topic_does_not_learn_that_it_is_there)
{
	static const struct {
		const char *before, *after;
	} tries[] = {{"GET /ps/data/", ""}, {"GET /ps/", ""}, {"DELETE /ps/", ""},
		{"PUT /ps/data/", " 'x'"}, {"GET /ps/data/", " o=0"}};

	bw_topic("secret1", "0");
	for (int i = 0; i < N(tries); i++) {
		bw_in(1, "%ssecret1%s", tries[i].before, tries[i].after);
		bw_expect("1=4.03 ");
		bw_in(1, "%ssecret2%s", tries[i].before, tries[i].after);
		bw_expect("1=4.03 ");
	}
}

START_TEST(a_revoked_right_ends_the_observation)
{
	bw_sub(1);
	bw_in(2, "GET /ps/data/hall o=0 s=7");
	bw_in(3, "GET /ps/data/hall o=0 s=8");
	(void)bw_said();
	broker_review(bw.broker, never, NULL);
	bw_flush();
	bw_expect("");
	outlaw = 7;
	broker_review(bw.broker, never, NULL);
	bw_flush();
	bw_expect("s2!4.03 ");
	bw_ack(2);
	bw_pub("a");
	bw_expect("1:a s3:a ");
	granted = 0;
	broker_review(bw.broker, never, NULL);
	bw_flush();
	bw_expect("1!4.03 s3!4.03 ");
	bw_acks(1, 3);
	bw_ack(3);
	ck_assert_uint_eq(bw_stats().observers, 0);
}

START_TEST(those_of_a_group_whose_right_is_gone_have_to_register_again)
{
	anew();
	bw_group("239.255.17.4:61616", 2);
	begin();
	bw_subs(1, 2);
	bw_ack(1);
	(void)bw_said();
	/* One is being moved yet; the group observation is another topic's concern. */
	broker_review(bw.broker, never, NULL);
	bw_flush();
	bw_expect("");
	granted = ALL & ~(S | R);
	broker_review(bw.broker, hall, NULL);
	bw_flush();
	bw_expect("*x 2!4.03 ");
	bw_sub(1);
	bw_expect("1=4.03 ");
	bw_ack(2);
	ck_assert_uint_eq(bw_stats().observers, 0);
	ck_assert_uint_eq(bw_stats().group_observations, 0);
}

START_TEST(one_who_is_being_moved_and_may_not_is_not_counted)
{
	anew();
	bw_group("239.255.17.4:61616", 2);
	begin();
	bw_subs(1, 2);
	bw_acks(1, 2);
	bw_in(3, "GET /ps/data/hall o=0");
	(void)bw_said();
	granted = 0;
	broker_review(bw.broker, never, NULL);
	bw_flush();
	bw_expect("3!4.03 ");
	granted = ALL;
	bw_ack(3);
	bw_in(4, "DELETE /ps/hall");
	ck_assert_uint_eq(bw.count, 2);
}

START_TEST(data_of_a_group_are_for_who_may_subscribe)
{
	char hex[17];
	struct buf token = buf_of(hex, sizeof(hex));
	struct inform in;

	anew();
	bw_group("239.255.17.4:61616", 1);
	begin();
	bw_sub(1);
	in = bw_inform(1);
	buf_put_hex(&token, bytes_of(in.token.b, in.token.n));
	bw_ack(1);
	(void)bw_said();
	granted = D;
	bw_in(2, "GET /.well-known/core/mc-sender?token=%s", buf_str(&token));
	bw_expect("2=4.04 ");
	bw_in(2, "GET /ps/hall ac=65001");
	bw_expect("2=4.06 ");
	granted = D | S;
	bw_in(2, "GET /.well-known/core/mc-sender?token=%s", buf_str(&token));
	ck_assert_int_eq(bw_last(2).code, CODE_CONTENT);
	bw_in(2, "GET /ps/hall ac=65001");
	ck_assert_int_eq(bw_last(2).code, CODE_CONTENT);
}

static Suite *
suite(void)
{
	Suite *s = suite_create("permit");
	TCase *t = tcase_create("permit");

	tcase_add_checked_fixture(t, setup, bw_stop);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, every_request_needs_its_verb, 0, N(requests));
	tcase_add_test(t, who_may_read_only_is_answered_without_observe);
	tcase_add_test(t, a_body_that_may_not_be_published_is_not_taken);
	tcase_add_loop_test(t, links_that_one_may_not_see_are_not_listed, 0, N(lists));
	tcase_add_test(t, a_list_made_before_a_review_is_made_anew);
	tcase_add_test(t, who_may_not_see_a_topic_does_not_learn_that_it_is_there);
	tcase_add_test(t, a_revoked_right_ends_the_observation);
	tcase_add_test(t, those_of_a_group_whose_right_is_gone_have_to_register_again);
	tcase_add_test(t, one_who_is_being_moved_and_may_not_is_not_counted);
	tcase_add_test(t, data_of_a_group_are_for_who_may_subscribe);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
