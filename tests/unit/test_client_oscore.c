/* SPDX-License-Identifier: BSD-2-Clause */
/* A client whose requests are protected: RFC 8613 8.1, 8.4 and B.1.2, block-wise, Observe. */
#include <stdio.h>

#include "client/transfer.h"
#include "client_oscore.h"

static struct bed bed;
static struct co_server server;
static struct context *own;
static struct armor armor;
static struct call call;
static bool broken; /* no numbers are to be had */
static unsigned n_responses, n_failures, n_notes, n_ready;
static enum call_failure failure;
static uint8_t code;
static bool verified;
static char payload[64], note[256];

static bool
on_response(void *owner, const struct arrival *a)
{
	(void)owner;
	n_responses++;
	code = a->msg->code;
	verified = a->verified;
	memcpy(payload, a->msg->payload.p ? a->msg->payload.p : (const uint8_t *)"",
		a->msg->payload.n);
	payload[a->msg->payload.n] = '\0';
	return true;
}

static void
on_failure(void *owner, enum call_failure why)
{
	(void)owner;
	n_failures++;
	failure = why;
}

static const struct call_ops ops = {.on_response = on_response, .on_failure = on_failure};

static void
on_note(void *ctx, bool loud, const char *text)
{
	(void)ctx;
	(void)loud;
	n_notes++;
	(void)snprintf(note, sizeof(note), "%s", text);
}

static void
on_ready(void *ctx)
{
	(void)ctx;
	n_ready++;
}

static void
arm(const char *server_secret)
{
	bed_init(&bed);
	own = co_plain(true, "sixteen bytes ok", 100, &broken);
	co_init(&server, co_plain(false, server_secret, 500, NULL));
	armor = (struct armor){.context = own, .ready = on_ready, .note = on_note};
	session_protect(bed.session, &armor);
	memset(&call, 0, sizeof(call));
	n_responses = n_failures = n_notes = n_ready = 0;
	note[0] = payload[0] = '\0';
	broken = verified = false;
}

static void
setup(void)
{
	arm("sixteen bytes ok");
}

static void
teardown(void)
{
	call_stop(&call);
	bed_fini(&bed);
	co_fini(&server);
	context_release(own);
	crypto_stop();
}

static void
start_with(enum msg_code method, bool keep)
{
	struct msg m;

	msg_init(&m, TYPE_CON, method);
	if (keep)
		ck_assert_int_eq(msg_add_uint(&m, OPT_OBSERVE, 0), 0);
	ck_assert_int_eq(msg_add(&m, OPT_URI_PATH, BYTES_LIT("t")), 0);
	ck_assert_int_eq(call_start(&call, bed.session, &m, keep, &ops, NULL), 0);
}

static void
start(bool keep)
{
	start_with(CODE_GET, keep);
}

START_TEST(rfc8613_8_1_nothing_of_the_request_is_outside)
{
	start(false);
	ck_assert_int_eq(co_read(&server, &bed), UNPROTECT_OK);
	ck_assert_uint_eq(n_ready, 1);
	ck_assert(session_is_protected(bed.session));
	ck_assert_int_eq(server.outer.code, CODE_POST);
	ck_assert(!msg_has(&server.outer, OPT_URI_PATH));
	ck_assert_int_eq(server.inner.code, CODE_GET);
	ck_assert(msg_has(&server.inner, OPT_URI_PATH));
	co_answer(&server, &bed, CODE_CONTENT, "value", -1);
	ck_assert_uint_eq(n_responses, 1);
	ck_assert(verified);
	ck_assert_int_eq(code, CODE_CONTENT);
	ck_assert_str_eq(payload, "value");
	ck_assert(!call_is_on(&call));
}

START_TEST(a_retransmission_is_the_same_message)
{
	struct msg again;

	start(false);
	ck_assert_int_eq(co_read(&server, &bed), UNPROTECT_OK);
	bed_wait(&bed, 4000);
	bed_read(&bed, &again);
	ck_assert(bytes_equal(again.payload, server.outer.payload));
	ck_assert_int_eq(again.mid, server.outer.mid);
	ck_assert_uint_eq(ssn_next(context_ssn(own)), 101);
}

START_TEST(rfc8613_8_4_an_error_is_as_good_when_it_is_protected)
{
	start(false);
	ck_assert_int_eq(co_read(&server, &bed), UNPROTECT_OK);
	co_answer(&server, &bed, CODE_NOT_FOUND, "no", -1);
	ck_assert_uint_eq(n_responses, 1);
	ck_assert_int_eq(code, CODE_NOT_FOUND);
	ck_assert(verified);
}

START_TEST(rfc8613_b_1_2_the_inner_echo_is_answered)
{
	const struct opt *o;
	struct msg plain, m;

	start(false);
	ck_assert_int_eq(co_read(&server, &bed), UNPROTECT_OK);
	co_plain_response(&plain, CODE_UNAUTHORIZED, "", -1);
	ck_assert_int_eq(msg_add(&plain, OPT_ECHO, BYTES_LIT("echo")), 0);
	co_protect(&server, &plain, &m);
	bed_receive(&bed, &bed.way, &m);
	ck_assert_uint_eq(n_responses, 0);
	ck_assert_int_eq(co_read(&server, &bed), UNPROTECT_OK);
	ck_assert(!msg_has(&server.outer, OPT_ECHO));
	o = msg_find(&server.inner, OPT_ECHO);
	ck_assert(o && bytes_is(o->value, "echo"));
	ck_assert_uint_eq(ssn_next(context_ssn(own)), 102);
	co_answer(&server, &bed, CODE_CONTENT, "now", -1);
	ck_assert_str_eq(payload, "now");
}

START_TEST(an_answer_without_protection_is_refused)
{
	struct msg m;

	start(false);
	ck_assert_int_eq(co_read(&server, &bed), UNPROTECT_OK);
	bed_respond(&m, &server.outer, CODE_CONTENT, "forged");
	bed_receive(&bed, &bed.way, &m);
	ck_assert_uint_eq(n_responses, 0);
	ck_assert_uint_eq(n_failures, 1);
	ck_assert_int_eq(failure, CALL_UNSAFE);
	ck_assert_ptr_nonnull(strstr(note, "without protection"));
}

START_TEST(rfc8613_8_4_an_unprotected_error_says_why)
{
	struct msg m;

	start(false);
	ck_assert_int_eq(co_read(&server, &bed), UNPROTECT_OK);
	bed_respond(&m, &server.outer, CODE_UNAUTHORIZED, "Security context not found");
	bed_receive(&bed, &bed.way, &m);
	ck_assert_int_eq(failure, CALL_UNSAFE);
	ck_assert_ptr_nonnull(strstr(note, "4.01 Security context not found"));
}

static void
refuse_as_replay(void)
{
	struct msg m;

	bed_respond(&m, &server.outer, CODE_UNAUTHORIZED, "Replay detected");
	bed_receive(&bed, &bed.way, &m);
}

static const struct {
	enum msg_code method;
	bool again;
} methods[] = {
	{CODE_GET, true},
	{CODE_FETCH, true},
	{CODE_PUT, true},
	{CODE_DELETE, true},
	{CODE_IPATCH, true},
	/* Run twice, these are not what was meant; and that it was not run, anybody may say. */
	{CODE_POST, false},
	{CODE_PATCH, false},
};

/* RFC 8613 7.4: another process with the same keys was faster. */
START_TEST(rfc8613_7_4_who_is_overtaken_asks_again_with_another_number)
{
	start_with(methods[_i].method, false);
	ck_assert_int_eq(co_read(&server, &bed), UNPROTECT_OK);
	refuse_as_replay();
	if (!methods[_i].again) {
		ck_assert_int_eq(failure, CALL_UNSAFE);
		ck_assert_uint_eq(bed_unread(&bed), 0);
		return;
	}
	ck_assert_uint_eq(n_failures, 0);
	/* The server has seen 100: this is another one, of the same request. */
	ck_assert_int_eq(co_read(&server, &bed), UNPROTECT_OK);
	ck_assert_uint_eq(ssn_next(context_ssn(own)), 102);
	ck_assert_uint_eq(n_ready, 2);
	ck_assert_int_eq(server.inner.code, methods[_i].method);
	ck_assert(bytes_is(msg_find(&server.inner, OPT_URI_PATH)->value, "t"));
	co_answer(&server, &bed, CODE_CONTENT, "value", -1);
	ck_assert_str_eq(payload, "value");
	ck_assert(verified);
	ck_assert_uint_eq(n_notes, 0);
}

/* Once is enough: the numbers are not those of this server, or it is not the server at all. */
START_TEST(rfc8613_7_4_the_second_refusal_is_the_end)
{
	start(false);
	ck_assert_int_eq(co_read(&server, &bed), UNPROTECT_OK);
	refuse_as_replay();
	ck_assert_int_eq(co_read(&server, &bed), UNPROTECT_OK);
	refuse_as_replay();
	ck_assert_uint_eq(n_failures, 1);
	ck_assert_int_eq(failure, CALL_UNSAFE);
	ck_assert_ptr_nonnull(strstr(note, "4.01 Replay detected"));
	ck_assert_uint_eq(bed_unread(&bed), 0);
}

START_TEST(rfc8613_7_4_a_registration_that_is_overtaken_is_repeated)
{
	start(true);
	ck_assert_int_eq(co_read(&server, &bed), UNPROTECT_OK);
	refuse_as_replay();
	ck_assert_int_eq(co_read(&server, &bed), UNPROTECT_OK);
	co_answer(&server, &bed, CODE_CONTENT, "one", 7);
	co_notify(&server, &bed, CODE_CONTENT, "two", 8);
	ck_assert_str_eq(payload, "two");
	/* Nobody makes it register once more: it is answered. */
	refuse_as_replay();
	ck_assert_uint_eq(bed_unread(&bed), 0);
	ck_assert_uint_eq(n_failures, 0);
}

START_TEST(another_key_is_told_from_no_answer)
{
	struct co_server other;

	start(false);
	ck_assert_int_eq(co_read(&server, &bed), UNPROTECT_OK);
	/* Whoever answers has not opened it: a server that was given another key. */
	co_init(&other, co_plain(false, "another secret!!", 500, NULL));
	binding_copy(&other.bound, &server.bound);
	context_release(other.bound.context);
	other.bound.context =
		context_hold(context_table_find(&other.table, BYTES_NONE, BYTES_LIT("\x01")));
	other.outer = server.outer;
	co_answer(&other, &bed, CODE_CONTENT, "x", -1);
	ck_assert_uint_eq(n_responses, 0);
	ck_assert_int_eq(failure, CALL_UNSAFE);
	ck_assert_ptr_nonnull(strstr(note, "cannot be verified"));
	co_fini(&other);
}

START_TEST(rfc8613_7_2_1_without_a_number_nothing_is_sent)
{
	broken = true;
	/* What is reserved is used up first. */
	for (int i = 0; i < SSN_STEP; i++) {
		uint64_t n;

		(void)ssn_take(context_ssn(own), &n);
	}
	start(false);
	ck_assert_uint_eq(bed_unread(&bed), 0);
	bed_wait(&bed, 10);
	ck_assert_uint_eq(n_failures, 1);
	ck_assert_int_eq(failure, CALL_UNSAFE);
	ck_assert_ptr_nonnull(strstr(note, "cannot be protected"));
	broken = false;
}

START_TEST(rfc8613_4_1_3_5_2_notifications_keep_the_order_of_their_numbers)
{
	struct msg plain, late;
	uint8_t space[256];

	start(true);
	ck_assert_int_eq(co_read(&server, &bed), UNPROTECT_OK);
	ck_assert_int_eq(server.outer.code, CODE_FETCH);
	co_answer(&server, &bed, CODE_CONTENT, "one", 7);
	co_plain_response(&plain, CODE_CONTENT, "two", 8);
	co_protect(&server, &plain, &late);
	memcpy(space, late.payload.p, late.payload.n);
	late.payload.p = space;
	co_notify(&server, &bed, CODE_CONTENT, "three", 9);
	ck_assert_str_eq(payload, "three");
	ck_assert_uint_eq(n_responses, 2);
	co_notify(&server, &bed, CODE_CONTENT, "four", 10);
	ck_assert_uint_eq(n_responses, 3);
	ck_assert_str_eq(payload, "four");
}

START_TEST(nobody_else_ends_an_observation)
{
	struct msg m;

	start(true);
	ck_assert_int_eq(co_read(&server, &bed), UNPROTECT_OK);
	co_answer(&server, &bed, CODE_CONTENT, "one", 7);
	for (int i = 0; i < 5; i++) {
		bed_separate(&bed, &m, TYPE_NON, &server.outer.token, CODE_NOT_FOUND, BYTES_NONE);
		bed_receive(&bed, &bed.way, &m);
	}
	ck_assert_uint_eq(n_failures, 0);
	ck_assert_uint_eq(n_responses, 1);
	/* Told once, not once each. */
	ck_assert_uint_eq(n_notes, 1);
	co_notify(&server, &bed, CODE_CONTENT, "two", 8);
	ck_assert_str_eq(payload, "two");
	co_notify(&server, &bed, CODE_NOT_FOUND, "gone", -1);
	ck_assert_int_eq(code, CODE_NOT_FOUND);
}

/* What cannot be verified is as if it was lost: what is true, under the same message id, counts. */
START_TEST(rfc8613_8_4_what_is_forged_is_not_acknowledged)
{
	uint8_t bytes[512];
	struct msg plain, m, forged, overtaken;

	start(true);
	ck_assert_int_eq(co_read(&server, &bed), UNPROTECT_OK);
	co_answer(&server, &bed, CODE_CONTENT, "one", 1);
	co_plain_response(&plain, CODE_CONTENT, "two", 2);
	co_protect(&server, &plain, &m);
	m.type = TYPE_CON;
	m.mid = 77;
	forged = m;
	memcpy(bytes, m.payload.p, m.payload.n);
	bytes[0] ^= 1;
	forged.payload = bytes_of(bytes, m.payload.n);
	bed_receive(&bed, &bed.way, &forged);
	msg_init(&overtaken, TYPE_CON, CODE_CONTENT);
	overtaken.mid = 77;
	overtaken.token = m.token;
	bed_receive(&bed, &bed.way, &overtaken);
	ck_assert_uint_eq(bed_unread(&bed), 0);
	ck_assert_uint_eq(n_responses, 1);
	bed_receive(&bed, &bed.way, &m);
	ck_assert_uint_eq(n_responses, 2);
	ck_assert_str_eq(payload, "two");
	bed_read(&bed, &m);
	ck_assert_int_eq(m.type, TYPE_ACK);
	ck_assert_uint_eq(m.mid, 77);
}

/* A number that was there is no proof: it may be one that somebody made up. */
START_TEST(rfc8613_8_4_what_was_overtaken_is_acknowledged)
{
	struct msg plain, first, m;
	uint8_t tail[sizeof(server.tail)], bytes[512];

	start(true);
	ck_assert_int_eq(co_read(&server, &bed), UNPROTECT_OK);
	co_answer(&server, &bed, CODE_CONTENT, "one", 1);
	co_plain_response(&plain, CODE_CONTENT, "two", 2);
	co_protect(&server, &plain, &first);
	memcpy(tail, server.tail, sizeof(tail));
	co_notify(&server, &bed, CODE_CONTENT, "three", 3);
	ck_assert_uint_eq(n_responses, 2);
	memcpy(server.tail, tail, sizeof(tail));
	first.type = TYPE_CON;
	first.mid = 78;
	m = first;
	memcpy(bytes, m.payload.p, m.payload.n);
	bytes[0] ^= 1;
	m.payload = bytes_of(bytes, m.payload.n);
	bed_receive(&bed, &bed.way, &m);
	ck_assert_uint_eq(bed_unread(&bed), 0);
	bed_receive(&bed, &bed.way, &first);
	ck_assert_uint_eq(n_responses, 2);
	bed_read(&bed, &m);
	ck_assert_int_eq(m.type, TYPE_ACK);
	ck_assert_uint_eq(m.mid, 78);
}

START_TEST(what_nobody_protected_has_no_use_for_the_option)
{
	static const struct armor none;
	struct msg m;

	session_protect(bed.session, &none);
	ck_assert(!session_is_protected(bed.session));
	start(false);
	bed_read(&bed, &m);
	ck_assert(!msg_has(&m, OPT_OSCORE));
	bed_respond(&m, &m, CODE_CONTENT, "x");
	ck_assert_int_eq(msg_add(&m, OPT_OSCORE, bytes_of("", 0)), 0);
	bed_receive(&bed, &bed.way, &m);
	ck_assert_uint_eq(n_responses, 0);
}

static void
on_done(void *owner, const struct transfer_result *r)
{
	(void)owner;
	(void)r;
	ck_abort_msg("it is over");
}

START_TEST(rfc8613_4_1_3_4_blocks_are_protected_one_by_one)
{
	static uint8_t body[2500];
	static struct transfer t;
	struct transfer_request r = {.code = CODE_PUT,
		.target = {.path = BYTES_LIT("/t"), .accept = TARGET_NO_FORMAT},
		.content_format = 0,
		.payload = BYTES_OF(body)};
	struct block b;
	struct msg plain, m;

	memset(&t, 0, sizeof(t));
	transfer_start(&t, bed.session, &r, on_done, NULL);
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_int_eq(co_read(&server, &bed), UNPROTECT_OK);
		ck_assert(!msg_has(&server.outer, OPT_BLOCK1));
		ck_assert(msg_find(&server.inner, OPT_BLOCK1) != NULL);
		ck_assert_int_eq(block_decode(msg_find(&server.inner, OPT_BLOCK1), &b), 0);
		ck_assert_uint_eq(b.num, i);
		co_plain_response(&plain, CODE_CONTINUE, "", -1);
		ck_assert_int_eq(msg_add_uint(&plain, OPT_BLOCK1, block_value(&b)), 0);
		co_protect(&server, &plain, &m);
		bed_receive(&bed, &bed.way, &m);
	}
	ck_assert_int_eq(co_read(&server, &bed), UNPROTECT_OK);
	transfer_stop(&t);
}

static Suite *
suite(void)
{
	Suite *s = suite_create("client_oscore");
	TCase *t = tcase_create("client_oscore");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, rfc8613_8_1_nothing_of_the_request_is_outside);
	tcase_add_test(t, a_retransmission_is_the_same_message);
	tcase_add_test(t, rfc8613_8_4_an_error_is_as_good_when_it_is_protected);
	tcase_add_test(t, rfc8613_b_1_2_the_inner_echo_is_answered);
	tcase_add_test(t, an_answer_without_protection_is_refused);
	tcase_add_test(t, rfc8613_8_4_an_unprotected_error_says_why);
	tcase_add_loop_test(t, rfc8613_7_4_who_is_overtaken_asks_again_with_another_number, 0,
		sizeof(methods) / sizeof(methods[0]));
	tcase_add_test(t, rfc8613_7_4_the_second_refusal_is_the_end);
	tcase_add_test(t, rfc8613_7_4_a_registration_that_is_overtaken_is_repeated);
	tcase_add_test(t, another_key_is_told_from_no_answer);
	tcase_add_test(t, rfc8613_7_2_1_without_a_number_nothing_is_sent);
	tcase_add_test(t, rfc8613_4_1_3_5_2_notifications_keep_the_order_of_their_numbers);
	tcase_add_test(t, nobody_else_ends_an_observation);
	tcase_add_test(t, rfc8613_8_4_what_is_forged_is_not_acknowledged);
	tcase_add_test(t, rfc8613_8_4_what_was_overtaken_is_acknowledged);
	tcase_add_test(t, what_nobody_protected_has_no_use_for_the_option);
	tcase_add_test(t, rfc8613_4_1_3_4_blocks_are_protected_one_by_one);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
