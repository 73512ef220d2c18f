/* SPDX-License-Identifier: BSD-2-Clause */
/* Informative responses that the client does not follow: client/offer.c. */
#include "watch.h"

#include "client/offer.h"

/* --- offers that are not taken up ------------------------------------------------------- */

struct bad_offer {
	const char *server, *group, *path;
	const char *said;
};

START_TEST(omn_5_2_bad_offers)
{
	static const struct bad_offer cases[] = {
		/* "redirection MUST NOT be used" */
		{"10.0.0.9:5683", GROUP, "/ps/data/t", "end: broken 5.03; "},
		{"10.0.0.1:5684", GROUP, "/ps/data/t", "end: broken 5.03; "},
		{SERVER, "224.0.0.7:5683", "/ps/data/t", "end: broken 5.03; "},
		{SERVER, "10.0.0.7:5683", "/ps/data/t", "end: broken 5.03; "},
		{SERVER, "[ff05::1234]:5683", "/ps/data/t", "end: broken 5.03; "},
		/* Step 3: a phantom request for something else. */
		{SERVER, GROUP, "/ps/data/other", "end: broken 5.03; "},
		{SERVER, GROUP, "/ps/data", "end: broken 5.03; "},
		{SERVER, GROUP, "/ps/data/t/u", "end: broken 5.03; "},
	};

	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		const struct bad_offer *c = &cases[i / 2];
		bool seed = i % 2;
		uint8_t space[256];
		struct buf out = BUF_OF(space);
		struct phantom p;
		struct inform in = {.generations = seed ? INFORM_SEED : INFORM_CURRENT,
			.server = bed_addr(c->server),
			.client = bed_addr(c->group),
			.token = watch_token};
		struct token t;
		struct msg q;

		/* The seed's map does not say who the server is. */
		if (seed && strcmp(c->server, SERVER) != 0)
			continue;
		if (i > 0)
			watch_setup();
		watch_make_phantom(&p, c->path);
		in.ph_req = buf_bytes(&p.inner);
		in.registr = buf_bytes(&p.whole);
		ck_assert_int_eq(inform_encode(&in, &out), 0);
		t = watch_registration(&q);
		watch_send_informative(&t, buf_bytes(&out));
		ck_assert_str_eq(watch_said(), c->said);
		ck_assert_uint_eq(bed_unread(&watch_bed), 0);
		if (i + 1 < 2 * sizeof(cases) / sizeof(cases[0]))
			watch_teardown();
	}
}
END_TEST

START_TEST(offers_that_need_keys)
{
	uint8_t space[256];
	struct buf out = BUF_OF(space);
	struct inform in = {.generations = INFORM_CURRENT,
		.server = bed_addr(SERVER),
		.client = bed_addr(GROUP),
		.token = watch_token};
	struct token t;
	struct msg q;

	in.join.join_uri = BYTES_LIT("coap://gm.example/ace-group/hall");
	in.join.sec_gp = BYTES_LIT("hall");
	ck_assert_int_eq(inform_encode(&in, &out), 0);
	t = watch_registration(&q);
	watch_send_informative(&t, buf_bytes(&out));
	/* It stays where it is. */
	ck_assert_str_eq(watch_said(), "! ");
	bed_wait(&watch_bed, 2 * OBSERVATION_AGAIN_MS);
	t = watch_registration(&q);
}
END_TEST

/* Every truncation of an informative response, and every byte of it turned over. */
START_TEST(damaged_offers)
{
	uint8_t space[256], latest_space[128];
	struct buf out = BUF_OF(space), latest = BUF_OF(latest_space);
	struct phantom p;
	struct inform in = {.generations = INFORM_BOTH,
		.server = bed_addr(SERVER),
		.client = bed_addr(GROUP),
		.token = watch_token,
		.res = BYTES_LIT("a")};

	watch_make_phantom(&p, "/ps/data/t");
	watch_make_latest(&latest, 9, "a");
	in.ph_req = buf_bytes(&p.inner);
	in.registr = buf_bytes(&p.whole);
	in.last_notif = buf_bytes(&latest);
	ck_assert_int_eq(inform_encode(&in, &out), 0);
	watch_teardown();
	watch_any_token = true;
	for (size_t i = 0; i < 2 * out.n; i++) {
		struct bytes payload = bytes_head(buf_bytes(&out), i / 2);
		struct token t;
		struct msg q, m;

		watch_setup();
		t = watch_registration(&q);
		if (i % 2) {
			space[i / 2] ^= 0xff;
			payload = buf_bytes(&out);
		}
		bed_separate(&watch_bed, &m, TYPE_NON, &t, CODE_UNAVAILABLE, payload);
		bed_receive(&watch_bed, &watch_bed.way, &m);
		if (i % 2)
			space[i / 2] ^= 0xff;
		else
			ck_assert_str_eq(watch_said(), "end: refused 5.03; ");
		watch_teardown();
	}
	watch_any_token = false;
	watch_setup();
}
END_TEST

START_TEST(malformed_but_declared)
{
	struct msg q;
	struct token t = watch_registration(&q);

	watch_send_informative(&t, BYTES_LIT("\xa1\x00"));
	ck_assert_str_eq(watch_said(), "end: broken 5.03; ");
}
END_TEST

START_TEST(group_that_cannot_be_joined)
{
	watch_join_fails = true;
	watch_move(INFORM_BOTH, 9, "a");
	ck_assert_str_eq(watch_said(), "end: no multicast 5.03; ");
}
END_TEST

START_TEST(omn_5_2_same_request_or_not)
{
	static const struct {
		uint16_t number;
		const char *value;
		bool same;
	} cases[] = {
		{OPT_ETAG, "e", true},
		{OPT_NO_RESPONSE, "\x10", true},
		{OPT_FEEDBACK_DIVIDER, "", true},
		{OPT_URI_HOST, "h", true},
		{OPT_URI_PORT, "\x10", true},
		{OPT_ACCEPT, "\x3c", false},
		{OPT_URI_QUERY, "q", false},
		{OPT_BLOCK2, "\x02", false},
		{OPT_URI_PATH, "x", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct msg a, b;

		msg_init(&a, TYPE_NON, CODE_GET);
		ck_assert_int_eq(msg_add_uint(&a, OPT_OBSERVE, 0), 0);
		ck_assert_int_eq(msg_add(&a, OPT_URI_PATH, BYTES_LIT("t")), 0);
		msg_init(&b, TYPE_CON, CODE_GET);
		ck_assert_int_eq(msg_add_uint(&b, OPT_OBSERVE, 0), 0);
		ck_assert_int_eq(msg_add(&b, OPT_URI_PATH, BYTES_LIT("t")), 0);
		ck_assert(offer_same_request(&a, &b));
		ck_assert_int_eq(msg_add(&b, cases[i].number, bytes_str(cases[i].value)), 0);
		ck_assert_int_eq(offer_same_request(&a, &b), cases[i].same);
		ck_assert_int_eq(offer_same_request(&b, &a), cases[i].same);
		msg_remove(&b, cases[i].number);
		msg_remove(&a, OPT_OBSERVE);
		ck_assert(!offer_same_request(&a, &b));
	}
}
END_TEST

/*
 * RFC 7252 5.4.3: an Observe of four bytes is none, and RFC 7252 5.4.1: a notification with
 * a critical option nobody knows is rejected, in a latest notification as anywhere.
 */
START_TEST(omn_5_2_options_of_the_latest_notification)
{
	static const struct {
		uint16_t number;
		struct bytes value;
		const char *said;
	} cases[] = {
		{OPT_OBSERVE, BYTES_LIT("\x81\x81\x81\x81"),
			"join " GROUP " from " SERVER "; i:now (initial); "},
		{9999, BYTES_LIT("x"), "join " GROUP " from " SERVER "; "},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t space[64], payload[256];
		struct buf latest = BUF_OF(space), out = BUF_OF(payload);
		struct inform in = {.generations = INFORM_CURRENT,
			.server = bed_addr(SERVER),
			.client = bed_addr(GROUP),
			.token = watch_token};
		struct token t;
		struct msg m;

		if (i > 0)
			watch_setup();
		msg_init(&m, TYPE_NON, CODE_CONTENT);
		ck_assert_int_eq(msg_add(&m, cases[i].number, cases[i].value), 0);
		m.payload = BYTES_LIT("now");
		ck_assert_int_eq(msg_encode_inner(&m, &latest), 0);
		in.last_notif = buf_bytes(&latest);
		ck_assert_int_eq(inform_encode(&in, &out), 0);
		t = watch_registration(&m);
		watch_send_informative(&t, buf_bytes(&out));
		ck_assert_str_eq(watch_said(), cases[i].said);
		/* Without a notification that counts the value is asked for. */
		ck_assert_uint_eq(bed_unread(&watch_bed), i);
		if (i == 0)
			watch_teardown();
	}
}
END_TEST

/* "the client MUST use the Token value T ... as its own local Token value", in either draft. */
static void
only_token_t_counts(unsigned generations)
{
	struct token t = watch_move(generations, 9, "now");
	struct path way = watch_group_way();
	struct msg m;

	(void)watch_said();
	/* The registration's own token means nothing in the group. */
	bed_separate(&watch_bed, &m, TYPE_NON, &t, CODE_CONTENT, BYTES_LIT("no"));
	ck_assert_int_eq(msg_add_uint(&m, OPT_OBSERVE, 10), 0);
	bed_receive(&watch_bed, &way, &m);
	ck_assert_str_eq(watch_said(), "");
	watch_multicast(10, "yes");
	ck_assert_str_eq(watch_said(), "m10:yes; ");
}

START_TEST(omn_5_2_token_t_is_the_clients_own)
{
	only_token_t_counts(INFORM_CURRENT);
}
END_TEST

START_TEST(seed_3_token_t_is_the_clients_own)
{
	only_token_t_counts(INFORM_SEED);
}
END_TEST

/* "considers it as received from an observe notification and processes it as usual" */
START_TEST(seed_3_the_current_representation_is_a_notification)
{
	uint8_t space[256];
	struct buf out = BUF_OF(space);
	struct inform in = {.generations = INFORM_SEED,
		.client = bed_addr(GROUP),
		.token = watch_token,
		.res = BYTES_LIT("1234")};
	struct phantom p;
	struct token t;
	struct msg q;

	watch_make_phantom(&p, "/ps/data/t");
	in.registr = buf_bytes(&p.whole);
	ck_assert_int_eq(inform_encode(&in, &out), 0);
	t = watch_registration(&q);
	watch_send_informative(&t, buf_bytes(&out));
	ck_assert_str_eq(watch_said(), "join " GROUP " from " SERVER "; i:1234 (initial); ");
}
END_TEST

/*
 * "The request MUST NOT have link-local source or destination addresses", in either draft
 * (the seed: "MUST NOT encode" them): at such a server there is only RFC 7641.
 */
static void
no_group_by_link_local(unsigned generations)
{
	uint8_t space[256];
	struct buf out = BUF_OF(space);
	struct target what = {BYTES_LIT("/ps/data/t"), BYTES_NONE, TARGET_NO_FORMAT};
	struct inform in = {.generations = generations, .token = watch_token};
	struct phantom p;
	struct token t;
	struct error e;
	struct msg q;

	watch_teardown();
	bed_init_at(&watch_bed, "[fe80::1]:5683", "[fe80::2]:40000");
	watch_observation = observation_new(watch_bed.session, &what, &watch_ops, NULL, &e);
	watch_make_phantom(&p, "/ps/data/t");
	in.server = bed_addr("[fe80::1]:5683");
	in.client = bed_addr("[ff35:30:2001:db8::23]:61616");
	in.registr = buf_bytes(&p.whole);
	ck_assert_int_eq(inform_encode(&in, &out), 0);
	t = watch_registration(&q);
	watch_send_informative(&t, buf_bytes(&out));
	ck_assert_str_eq(watch_said(), "end: broken 5.03; ");
}

START_TEST(omn_5_1_no_group_observation_by_link_local_addresses)
{
	no_group_by_link_local(INFORM_CURRENT);
}
END_TEST

START_TEST(seed_3_no_group_observation_by_link_local_addresses)
{
	no_group_by_link_local(INFORM_SEED);
}
END_TEST

static void
add_offers(Suite *s)
{
	TCase *t = tcase_create("offers");

	tcase_add_checked_fixture(t, watch_setup, watch_teardown);
	tcase_add_test(t, omn_5_2_bad_offers);
	tcase_add_test(t, offers_that_need_keys);
	tcase_add_test(t, damaged_offers);
	tcase_add_test(t, malformed_but_declared);
	tcase_add_test(t, group_that_cannot_be_joined);
	tcase_add_test(t, omn_5_2_same_request_or_not);
	tcase_add_test(t, omn_5_2_options_of_the_latest_notification);
	tcase_add_test(t, omn_5_2_token_t_is_the_clients_own);
	tcase_add_test(t, seed_3_token_t_is_the_clients_own);
	tcase_add_test(t, seed_3_the_current_representation_is_a_notification);
	tcase_add_test(t, omn_5_1_no_group_observation_by_link_local_addresses);
	tcase_add_test(t, seed_3_no_group_observation_by_link_local_addresses);
	suite_add_tcase(s, t);
}

static Suite *
suite(void)
{
	Suite *s = suite_create("client_offer");

	add_offers(s);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
