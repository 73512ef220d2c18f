/* SPDX-License-Identifier: BSD-2-Clause */
/* A client that is asked for an Echo repeats its request with it: RFC 9175 2.3. */
#include "client/session.h"
#include "clientbed.h"

static struct bed bed;
static struct call call;
static unsigned n_responses;
static uint8_t last_code;

static bool
on_response(void *owner, const struct arrival *a)
{
	(void)owner;
	n_responses++;
	last_code = a->msg->code;
	return true;
}

static void
on_failure(void *owner, enum call_failure why)
{
	(void)owner;
	(void)why;
	ck_abort_msg("it failed");
}

static const struct call_ops ops = {.on_response = on_response, .on_failure = on_failure};

static void
setup(void)
{
	bed_init(&bed);
	memset(&call, 0, sizeof(call));
	n_responses = 0;
}

static void
teardown(void)
{
	call_stop(&call);
	bed_fini(&bed);
}

/* A PUT with an option before and one after Echo. */
static void
start(bool keep)
{
	struct msg m;

	msg_init(&m, TYPE_CON, CODE_PUT);
	ck_assert_int_eq(msg_add(&m, OPT_URI_PATH, BYTES_LIT("t")), 0);
	ck_assert_int_eq(msg_add_uint(&m, OPT_NO_RESPONSE, 2), 0);
	m.payload = BYTES_LIT("value");
	ck_assert_int_eq(call_start(&call, bed.session, &m, keep, &ops, NULL), 0);
}

static void
refuse(const struct msg *request, struct bytes echo)
{
	struct msg m;

	bed_respond(&m, request, CODE_UNAUTHORIZED, "");
	if (echo.p)
		ck_assert_int_eq(msg_add(&m, OPT_ECHO, echo), 0);
	bed_receive(&bed, &bed.way, &m);
}

static struct bytes
echo_of(const struct msg *m)
{
	const struct opt *o = msg_find(m, OPT_ECHO);

	return o ? o->value : BYTES_NONE;
}

START_TEST(rfc9175_2_3_the_request_is_repeated_with_it)
{
	struct msg first, again, m;

	start(false);
	bed_read(&bed, &first);
	ck_assert(!msg_has(&first, OPT_ECHO));
	refuse(&first, BYTES_LIT("abcdefgh"));
	bed_read(&bed, &again);
	ck_assert(bytes_is(echo_of(&again), "abcdefgh"));
	/* Otherwise the same, but a message of its own. */
	ck_assert_int_eq(again.code, first.code);
	ck_assert(token_equal(&again.token, &first.token));
	ck_assert_uint_ne(again.mid, first.mid);
	ck_assert(bytes_equal(again.payload, first.payload));
	msg_remove(&again, OPT_ECHO);
	ck_assert_uint_eq(again.n_opts, first.n_opts);
	ck_assert_uint_eq(n_responses, 0);
	bed_respond(&m, &again, CODE_CHANGED, "");
	bed_receive(&bed, &bed.way, &m);
	ck_assert_uint_eq(n_responses, 1);
	ck_assert_int_eq(last_code, CODE_CHANGED);
	ck_assert(!call_is_on(&call));
}

START_TEST(the_repetition_is_retransmitted)
{
	struct msg m, response;

	start(true);
	bed_read(&bed, &m);
	refuse(&m, BYTES_LIT("a"));
	bed_read(&bed, &m);
	bed_wait(&bed, 3000);
	bed_read(&bed, &m);
	ck_assert(bytes_is(echo_of(&m), "a"));
	bed_respond(&response, &m, CODE_CONTENT, "");
	bed_receive(&bed, &bed.way, &response);
	ck_assert_uint_eq(n_responses, 1);
	/* It stays: notifications follow. */
	ck_assert(call_is_on(&call));
}

START_TEST(a_separate_challenge_is_acknowledged)
{
	struct msg m, response;

	start(false);
	bed_read(&bed, &m);
	bed_separate(&bed, &response, TYPE_CON, &m.token, CODE_UNAUTHORIZED, BYTES_NONE);
	ck_assert_int_eq(msg_add(&response, OPT_ECHO, BYTES_LIT("e")), 0);
	bed_receive(&bed, &bed.way, &response);
	bed_read(&bed, &m);
	ck_assert_int_eq(m.type, TYPE_ACK);
	bed_read(&bed, &m);
	ck_assert(bytes_is(echo_of(&m), "e"));
}

START_TEST(who_is_never_satisfied_gets_no_endless_requests)
{
	static const char *const values[] = {"one", "two", "three", "four"};
	struct msg m;

	start(false);
	for (int i = 0; i < 4; i++) {
		bed_read(&bed, &m);
		ck_assert(i == 0 || bytes_is(echo_of(&m), values[i - 1]));
		refuse(&m, bytes_str(values[i]));
	}
	ck_assert_uint_eq(bed_unread(&bed), 0);
	ck_assert_uint_eq(n_responses, 1);
	ck_assert_int_eq(last_code, CODE_UNAUTHORIZED);
}

START_TEST(a_refusal_without_it_is_one)
{
	struct msg m;

	start(false);
	bed_read(&bed, &m);
	refuse(&m, BYTES_NONE);
	ck_assert_uint_eq(bed_unread(&bed), 0);
	ck_assert_int_eq(last_code, CODE_UNAUTHORIZED);
}

START_TEST(another_response_with_it_is_not_repeated)
{
	struct msg m, response;

	start(false);
	bed_read(&bed, &m);
	bed_respond(&response, &m, CODE_CHANGED, "");
	ck_assert_int_eq(msg_add(&response, OPT_ECHO, BYTES_LIT("e")), 0);
	bed_receive(&bed, &bed.way, &response);
	ck_assert_uint_eq(bed_unread(&bed), 0);
	ck_assert_int_eq(last_code, CODE_CHANGED);
}

static Suite *
suite(void)
{
	Suite *s = suite_create("client_echo");
	TCase *t = tcase_create("client_echo");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, rfc9175_2_3_the_request_is_repeated_with_it);
	tcase_add_test(t, the_repetition_is_retransmitted);
	tcase_add_test(t, a_separate_challenge_is_acknowledged);
	tcase_add_test(t, who_is_never_satisfied_gets_no_endless_requests);
	tcase_add_test(t, a_refusal_without_it_is_one);
	tcase_add_test(t, another_response_with_it_is_not_repeated);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
