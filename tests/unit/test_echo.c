/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses that are not verified (RFC 9175 2.4): the values, with a clock of the test,
 * and what a broker does with requests from there.
 */
#include "broker_world.h"
#include "net/echo.h"

static struct echo values;
static bool known; /* whoever asks needs no check */

static bool
is_verified(const struct path *way, struct bytes echo)
{
	return known || echo_check(&values, way, bw.now_ms, echo);
}

static void
challenge(const struct path *way, struct buf *echo)
{
	ck_assert_int_eq(echo_put(&values, way, bw.now_ms, echo), 0);
}

static void
begin(enum layer_verify when)
{
	bw_init();
	bw.is_verified = is_verified;
	bw.challenge = challenge;
	known = false;
	bw_start();
	layer_verify(bw.layer, when);
	bw_topic("hall", "0");
}

static void
setup(void)
{
	echo_init(&values);
	begin(LAYER_VERIFY_AUTO);
}

static void
anew(enum layer_verify when)
{
	bw_stop();
	begin(when);
}

/* The Echo of the last answer to a peer, as hex. */
static const char *
asked(unsigned peer)
{
	static char hex[2 * 40 + 1];
	struct buf out = buf_of(hex, sizeof(hex));
	struct msg m = bw_last(peer);
	const struct opt *o = msg_find(&m, OPT_ECHO);

	ck_assert_int_eq(m.code, CODE_UNAUTHORIZED);
	ck_assert_ptr_nonnull(o);
	ck_assert_uint_eq(o->value.n, ECHO_LEN);
	buf_put_hex(&out, o->value);
	return buf_str(&out);
}

static struct path
way(const char *remote, const char *local)
{
	struct path w = {.socket = 1};

	ck_assert_int_eq(addr_parse(remote, 40000, &w.remote), 0);
	ck_assert_int_eq(addr_parse(local, 5683, &w.local), 0);
	return w;
}

START_TEST(rfc9175_a_value_is_for_one_address_and_a_minute)
{
	struct path a = way("10.0.0.1:1", "10.0.0.9"),
		    others[] = {way("10.0.0.2:1", "10.0.0.9"), way("10.0.0.1:2", "10.0.0.9"),
			    way("10.0.0.1:1", "10.0.0.8"), way("[a00:1::]:1", "10.0.0.9")};
	uint8_t bytes[ECHO_LEN], small[ECHO_LEN - 1];
	struct buf value = BUF_OF(bytes), none = BUF_OF(small);
	const uint64_t t = 5000000;
	struct echo other;

	ck_assert_int_eq(echo_put(&values, &a, t, &value), 0);
	ck_assert_int_lt(echo_put(&values, &a, t, &none), 0);
	ck_assert(echo_check(&values, &a, t, BYTES_OF(bytes)));
	ck_assert(echo_check(&values, &a, t + ECHO_WINDOW_S * 1000, BYTES_OF(bytes)));
	ck_assert(!echo_check(&values, &a, t + (ECHO_WINDOW_S + 1) * 1000, BYTES_OF(bytes)));
	ck_assert(!echo_check(&values, &a, t - 1000, BYTES_OF(bytes)));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ck_assert(!echo_check(&values, &others[i], t, BYTES_OF(bytes)));
	for (size_t n = 0; n < ECHO_LEN; n++)
		ck_assert(!echo_check(&values, &a, t, bytes_of(bytes, n)));
	for (size_t i = 0; i < ECHO_LEN; i++) {
		bytes[i] ^= 1;
		ck_assert(!echo_check(&values, &a, t, BYTES_OF(bytes)));
		bytes[i] ^= 1;
	}
	/* Another process has another key. */
	echo_init(&other);
	ck_assert(!echo_check(&other, &a, t, BYTES_OF(bytes)));
	echo_fini(&other);
}

START_TEST(rfc9175_2_4_a_registration_is_challenged)
{
	bw_sub(1);
	bw_expect("1=4.01 ");
	ck_assert_uint_eq(layer_n_peers(bw.layer), 0);
	bw_in(1, "GET /ps/data/hall o=0 ec=%s", asked(1));
	bw_expect("1+0 ");
	/* From then on it is known. */
	bw_unsub(1);
	bw_sub(1);
	bw_expect("1=2.05:0 1+0 ");
	ck_assert_uint_eq(layer_stats(bw.layer)->challenged, 1);
	ck_assert_uint_eq(layer_stats(bw.layer)->verified, 1);
	/* What one was sent is of no use to another. */
	bw_in(2, "GET /ps/data/hall o=0 ec=000000000000000000000000");
	bw_expect("2=4.01 ");
	bw_in(3, "GET /ps/data/hall o=0 ec=%s", asked(2));
	bw_expect("3=4.01 ");
}

START_TEST(a_value_that_is_too_old_is_challenged_anew)
{
	bw_sub(1);
	bw_go((ECHO_WINDOW_S + 1) * 1000);
	bw_in(1, "GET /ps/data/hall o=0 ec=%s", asked(1));
	bw_expect("1=4.01 1=4.01 ");
	bw_in(1, "GET /ps/data/hall o=0 ec=%s", asked(1));
	bw_expect("1+0 ");
}

START_TEST(a_flood_from_made_up_addresses_leaves_nothing)
{
	bw.mute = true;
	for (unsigned peer = 1; peer <= 5000; peer++) {
		bw_sub(peer);
		bw_in(peer, "NON GET /ps/data/hall o=0");
		bw_in(peer, "GET /ps/data/hall");
		bw_in(peer, "GET /.well-known/core");
		bw_in(peer, "POST /ps ct=606 x=a0");
		bw_in(peer, "iPATCH /ps/hall ct=606 x=a0");
		bw_in(peer, "FETCH /ps ct=606 x=a0");
		bw_in(peer, "FETCH /ps ct=606 b1=0+/16 x=a0000000000000000000000000000000");
	}
	ck_assert_uint_eq(layer_n_peers(bw.layer), 0);
	ck_assert_uint_eq(layer_n_exchanges(bw.layer), 0);
	ck_assert_uint_eq(bw_stats().observers, 0);
	ck_assert_uint_eq(layer_stats(bw.layer)->verified, 0);
}

/* The last request and its answer, in bytes of datagram. */
static void
assert_not_amplified(unsigned peer)
{
	ck_assert_uint_le(bw_datagram(peer)->n, 3 * bw.n_request);
}

START_TEST(rfc9175_2_4_nothing_is_amplified)
{
	static const char *const requests[] = {"GET /ps/data/hall", "GET /.well-known/core",
		"GET /ps", "GET /ps/hall", "FETCH /ps ct=606 x=a0", "PUT /ps/data/hall 'x'",
		"NON GET /ps/data/hall", "DELETE /ps/data/none", "GET /ps/data/none",
		"PUT /ps/data/none", "GET /ps/data/hall o=0", "NON GET /ps/hall",
		"POST /ps ct=606 x=a0"};

	bw_topic("attic", "01234567890123456789012345678901234567890123456789");
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		bw_in(1, "%s", requests[i]);
		assert_not_amplified(1);
	}
	bw_in(1, "GET /ps/data/attic");
	assert_not_amplified(1);
	(void)bw_said();
	bw_in(1, "GET /ps/data/attic ec=%s", asked(1));
	bw_expect("1=2.05:(50) ");
	bw_in(1, "GET /.well-known/core");
	ck_assert_int_eq(bw_last(1).code, CODE_CONTENT);
	ck_assert_uint_gt(bw_datagram(1)->n, 3 * bw.n_request);
}

START_TEST(small_reads_and_writes_are_not_challenged)
{
	bw_in(1, "GET /ps/data/hall");
	bw_in(1, "NON GET /ps/data/hall");
	bw_in(1, "GET /ps/data/none");
	bw_expect("1=2.05:0 1~2.05:0 1=4.04 ");
	ck_assert_uint_eq(layer_n_peers(bw.layer), 0);
	/* A write is remembered, so that its duplicate runs nothing. */
	bw_in(1, "PUT /ps/data/hall 'x'");
	bw_again();
	bw_expect("1=2.04 1=2.04 ");
	ck_assert_uint_eq(bw_stats().publishes, 1);
	/* Written by it, still not verified. */
	bw_sub(1);
	bw_expect("1=4.01 ");
	ck_assert_uint_eq(layer_stats(bw.layer)->challenged, 1);
}

START_TEST(a_write_is_answered_without_words_when_they_amplify)
{
	/* A PUT with the critical option 65001, whose refusal would be four times as long. */
	static const uint8_t put[] = {0x40, CODE_PUT, 0x12, 0x34, 0xe0, 0xfc, 0xdc};

	bw_in_bytes(1, BYTES_OF(put));
	bw_expect("1=4.02 ");
	ck_assert_uint_eq(bw_last(1).payload.n, 0);
	known = true;
	bw_in_bytes(2, BYTES_OF(put));
	ck_assert_uint_gt(bw_datagram(2)->n, 3 * sizeof(put));
}

START_TEST(always_is_before_everything)
{
	anew(LAYER_VERIFY_ALWAYS);
	bw_in(1, "PUT /ps/data/hall 'x'");
	bw_in(1, "NON GET /ps/data/none");
	bw_expect("1=4.01 1~4.01 ");
	ck_assert_uint_eq(layer_n_peers(bw.layer), 0);
	ck_assert_uint_eq(bw_stats().publishes, 0);
	bw_in(1, "PUT /ps/data/hall ec=%s 'x'", asked(1));
	bw_in(1, "GET /ps/data/hall");
	bw_expect("1=2.04 1=2.05:x ");
}

START_TEST(who_needs_no_check_is_not_asked)
{
	known = true;
	bw_sub(1);
	bw_expect("1+0 ");
	/* Nor later on: that is remembered. */
	known = false;
	bw_sub(1);
	bw_expect("1+0 ");
	anew(LAYER_VERIFY_NEVER);
	bw_sub(1);
	bw_expect("1+0 ");
}

START_TEST(what_is_protected_or_came_by_another_transport_is_not_asked)
{
	anew(LAYER_VERIFY_ALWAYS);
	bw_in(1, "GET /ps/data/hall o=0 s=7");
	bw_expect("s1+0 ");
	bw.transport = PATH_DTLS;
	bw_sub(2);
	bw.transport = PATH_TCP;
	bw_sub(3);
	bw_expect("2+0 3+0 ");
	bw.transport = PATH_UDP;
	bw.multicast = true;
	bw_in(4, "NON GET /ps/data/hall");
	bw_go(5000);
	bw_expect("4~2.05:0 ");
}

START_TEST(rfc7967_who_wants_no_error_is_not_asked)
{
	bw_in(1, "NON GET /ps/data/hall o=0 nr=26");
	bw_expect("");
	bw_in(1, "GET /ps/data/hall o=0 nr=26");
	bw_expect("a1 ");
	ck_assert_uint_eq(layer_n_peers(bw.layer), 0);
}

static Suite *
suite(void)
{
	Suite *s = suite_create("echo");
	TCase *t = tcase_create("echo");

	tcase_add_checked_fixture(t, setup, bw_stop);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, rfc9175_a_value_is_for_one_address_and_a_minute);
	tcase_add_test(t, rfc9175_2_4_a_registration_is_challenged);
	tcase_add_test(t, a_value_that_is_too_old_is_challenged_anew);
	tcase_add_test(t, a_flood_from_made_up_addresses_leaves_nothing);
	tcase_add_test(t, rfc9175_2_4_nothing_is_amplified);
	tcase_add_test(t, small_reads_and_writes_are_not_challenged);
	tcase_add_test(t, a_write_is_answered_without_words_when_they_amplify);
	tcase_add_test(t, always_is_before_everything);
	tcase_add_test(t, who_needs_no_check_is_not_asked);
	tcase_add_test(t, what_is_protected_or_came_by_another_transport_is_not_asked);
	tcase_add_test(t, rfc7967_who_wants_no_error_is_not_asked);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
