/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What must not get through, and what must not happen twice: replays, wrong groups and senders, windows of an unknown past, nonces; and what a
 * rekeying changes.
 */
#include <errno.h>

#include "oscore_talk.h"
#include "unit.h"

static const enum oscore_mode modes[] = {OSCORE_GROUP, OSCORE_PAIRWISE};

/* RFC 8613 7.4: the same request twice. */
START_TEST(rfc8613_7_4_replay)
{
	for (int i = 0; i < 2; i++) {
		struct sent s;
		struct oscore_binding mine =
			request(&a, modes[i], context_sender_id(b.c), false, &s);
		struct oscore_binding theirs;

		ck_assert_int_eq(open_request(&b, &s.m, &theirs), UNPROTECT_OK);
		ck_assert_int_eq(got.code, CODE_GET);
		ck_assert_int_eq(info.mode, modes[i]);
		ck_assert_uint_ne(binding_who(&theirs), 0);
		binding_fini(&theirs);
		ck_assert_int_eq(open_request(&b, &s.m, &theirs), UNPROTECT_REPLAY);
		binding_fini(&mine);
	}
}
END_TEST

/* oscore-groupcomm 7.2, 8.4: our own kid comes back. */
START_TEST(groupcomm_7_own_kid_reflected)
{
	for (int i = 0; i < 2; i++) {
		struct sent s;
		struct oscore_binding mine =
			request(&a, modes[i], context_sender_id(b.c), false, &s);
		struct oscore_binding theirs;

		ck_assert_int_eq(open_request(&a, &s.m, &theirs), UNPROTECT_OWN);
		ck_assert_int_eq(unprotect_error(UNPROTECT_OWN)->code, 0);
		binding_fini(&mine);
	}
}
END_TEST

/* The option of a request with another field: what is said of it, before any cryptography. */
static enum unprotect_verdict
with_option(const struct sent *s, struct oscore_option o)
{
	uint8_t raw[OSCORE_OPTION_MAX];
	struct buf value = BUF_OF(raw);
	struct oscore_binding theirs;
	struct msg m = s->m;

	ck_assert_int_eq(oscore_option_encode(&o, &value), 0);
	msg_remove(&m, OPT_OSCORE);
	ck_assert_int_eq(msg_add(&m, OPT_OSCORE, buf_bytes(&value)), 0);
	return open_request(&b, &m, &theirs);
}

START_TEST(rfc8613_8_2_whose_it_is)
{
	struct sent s;
	struct oscore_binding mine = request(&a, OSCORE_GROUP, BYTES_NONE, false, &s);
	struct oscore_option o, x;

	option_of(&s, &o);
	x = o;
	x.kid_context = BYTES_LIT("\x57\xab\x2f");
	ck_assert_int_eq(with_option(&s, x), UNPROTECT_NO_CONTEXT);
	x.kid_context = BYTES_NONE;
	ck_assert_int_eq(with_option(&s, x), UNPROTECT_NO_CONTEXT);
	x = o;
	x.kid = BYTES_LIT("\x77");
	ck_assert_int_eq(with_option(&s, x), UNPROTECT_UNKNOWN_CREDENTIAL);
	x.kid = BYTES_LIT("");
	ck_assert_int_eq(with_option(&s, x), UNPROTECT_UNKNOWN_CREDENTIAL);
	x.kid = BYTES_NONE;
	ck_assert_int_eq(with_option(&s, x), UNPROTECT_MALFORMED);
	x = o;
	x.piv = BYTES_NONE;
	ck_assert_int_eq(with_option(&s, x), UNPROTECT_MALFORMED);
	x = o;
	x.kid = BYTES_LIT("\x52"); /* C's */
	ck_assert_int_eq(with_option(&s, x), UNPROTECT_FAILED);
	x = o;
	x.group = false;
	ck_assert_int_eq(with_option(&s, x), UNPROTECT_FAILED);
	x = o;
	ck_assert_int_eq(x.piv.n, 1);
	x.piv = BYTES_LIT("\x00\x64"); /* the same number in another form */
	ck_assert_int_eq(with_option(&s, x), UNPROTECT_MALFORMED);
	binding_fini(&mine);
}
END_TEST

START_TEST(rfc8613_8_2_errors)
{
	ck_assert_int_eq(unprotect_error(UNPROTECT_MALFORMED)->code, CODE_BAD_OPTION);
	ck_assert_str_eq(unprotect_error(UNPROTECT_MALFORMED)->diagnostic, "Failed to decode COSE");
	ck_assert_int_eq(unprotect_error(UNPROTECT_NO_CONTEXT)->code, CODE_UNAUTHORIZED);
	ck_assert_str_eq(
		unprotect_error(UNPROTECT_NO_CONTEXT)->diagnostic, "Security context not found");
	ck_assert_int_eq(unprotect_error(UNPROTECT_REPLAY)->code, CODE_UNAUTHORIZED);
	ck_assert_str_eq(unprotect_error(UNPROTECT_REPLAY)->diagnostic, "Replay detected");
	ck_assert_int_eq(unprotect_error(UNPROTECT_FAILED)->code, CODE_BAD_REQUEST);
	ck_assert_str_eq(unprotect_error(UNPROTECT_FAILED)->diagnostic, "Decryption failed");
	ck_assert_int_eq(unprotect_error(UNPROTECT_UNCERTAIN)->code, 0);
}
END_TEST

/* RFC 8613 4.1.3.5.2, 8.4.2: notifications come newer each time, or not at all. */
START_TEST(rfc8613_8_4_2_notifications_in_order)
{
	struct sent s, n[3];
	struct oscore_binding mine = request(&a, OSCORE_GROUP, BYTES_NONE, true, &s);
	struct oscore_binding theirs;
	uint32_t first, third;

	ck_assert_int_eq(s.m.code, CODE_FETCH);
	ck_assert_int_eq(open_request(&b, &s.m, &theirs), UNPROTECT_OK);
	for (int i = 0; i < 3; i++)
		respond(&theirs, "v", i, &n[i]);
	ck_assert_int_eq(n[0].m.code, CODE_CONTENT);
	ck_assert_uint_eq(msg_find(&n[0].m, OPT_MAX_AGE)->value.n, 0);
	ck_assert_int_eq(open_response(&mine, NULL, &n[0].m), UNPROTECT_OK);
	ck_assert(msg_uint(&got, OPT_OBSERVE, &first));
	ck_assert_int_eq(open_response(&mine, NULL, &n[0].m), UNPROTECT_REPLAY);
	ck_assert_int_eq(open_response(&mine, NULL, &n[2].m), UNPROTECT_OK);
	ck_assert(msg_uint(&got, OPT_OBSERVE, &third));
	ck_assert_uint_eq(third, first + 2);
	ck_assert_int_eq(open_response(&mine, NULL, &n[1].m), UNPROTECT_REPLAY);
	binding_fini(&mine);
	binding_fini(&theirs);
}
END_TEST

/* RFC 8613 5.2, 8.3: the request's nonce serves once; all later responses have their own. */
START_TEST(rfc8613_8_3_one_response_without_piv)
{
	struct sent s, r;
	struct oscore_binding mine = request(&a, OSCORE_GROUP, BYTES_NONE, true, &s);
	struct oscore_binding theirs;
	struct oscore_option o;
	uint64_t before;

	ck_assert_int_eq(open_request(&b, &s.m, &theirs), UNPROTECT_OK);
	before = ssn_next(context_ssn(b.c));
	respond(&theirs, "first", -1, &r);
	option_of(&r, &o);
	ck_assert_uint_eq(o.piv.n, 0);
	ck_assert_uint_eq(ssn_next(context_ssn(b.c)), before);
	ck_assert_int_eq(open_response(&mine, NULL, &r.m), UNPROTECT_OK);
	ck_assert_int_eq(open_response(&mine, NULL, &r.m), UNPROTECT_REPLAY);
	for (uint64_t i = 0; i < 3; i++) {
		respond(&theirs, "later", i == 1 ? 5 : -1, &r);
		option_of(&r, &o);
		ck_assert_uint_eq(oscore_option_number(o.piv), before + i);
		ck_assert_int_eq(open_response(&mine, NULL, &r.m), UNPROTECT_OK);
	}
	binding_fini(&mine);
	binding_fini(&theirs);
}
END_TEST

/* oscore.md 0.2: the server made the phantom's nonce itself, so nothing may repeat it. */
START_TEST(omn_phantom_nonce_is_never_reused)
{
	uint8_t raw[OUT];
	struct buf tail = BUF_OF(raw), plain = BUF_OF(opened);
	struct msg m = get("r", true), phantom, stripped;
	struct oscore_binding mine, theirs;
	struct oscore_option o;
	struct sent s;
	uint8_t code;

	buf_put_u8(&tail, CODE_FETCH);
	ck_assert_int_eq(protect_phantom(b.c, &m, &tail, &code, &theirs), 0);
	ck_assert_int_eq(code, CODE_FETCH);
	ck_assert_int_eq(msg_decode_inner(buf_bytes(&tail), &phantom), 0);
	/* A phantom that comes back is dropped. */
	ck_assert_int_eq(open_request(&b, &phantom, &mine), UNPROTECT_OWN);
	ck_assert_int_eq(
		unprotect_phantom(a.c, &phantom, &plain, &got, &info, &mine), UNPROTECT_OK);
	for (int i = 0; i < 4; i++) {
		struct msg n = content("v", i);
		struct buf out = buf_of(s.raw + 1, OUT - 1);

		if (i == 3) /* the cancellation */
			msg_init(&n, TYPE_NON, CODE_UNAVAILABLE);
		ck_assert_int_eq(
			protect_response(&theirs, &n, PROTECT_REUSE_NONCE, &out, &code), 0);
		ck_assert_int_eq(code, CODE_CONTENT);
		wire(&s, code, &out);
		option_of(&s, &o);
		ck_assert_uint_eq(oscore_option_number(o.piv), 201 + (uint64_t)i);
		ck_assert_int_eq(open_response(&mine, NULL, &s.m), UNPROTECT_OK);
		ck_assert_int_eq(info.mode, OSCORE_GROUP);
		ck_assert_int_eq(msg_has(&got, OPT_OBSERVE), i < 3);
	}
	/* One without a Partial IV is none of it. */
	stripped = s.m;
	msg_remove(&stripped, OPT_OSCORE);
	msg_add(&stripped, OPT_OSCORE, BYTES_LIT("\x28\x05"));
	mine.answered = false;
	ck_assert_int_eq(open_response(&mine, NULL, &stripped), UNPROTECT_FAILED);
	binding_fini(&mine);
	binding_fini(&theirs);
}
END_TEST

/* A member can sign, but not for the server whose phantom it is. */
START_TEST(omn_notification_of_another_member)
{
	uint8_t raw[OUT];
	struct buf tail = BUF_OF(raw), plain = BUF_OF(opened);
	struct context *c = bed_group(&v, group, "C", 500);
	struct msg m = get("r", true), phantom;
	struct oscore_binding mine, theirs, forged;
	struct sent s;
	uint8_t code;

	buf_put_u8(&tail, CODE_FETCH);
	ck_assert_int_eq(protect_phantom(b.c, &m, &tail, &code, &theirs), 0);
	ck_assert_int_eq(msg_decode_inner(buf_bytes(&tail), &phantom), 0);
	ck_assert_int_eq(
		unprotect_phantom(a.c, &phantom, &plain, &got, &info, &mine), UNPROTECT_OK);
	binding_copy(&forged, &theirs);
	context_release(forged.context);
	forged.context = context_hold(c);
	respond(&forged, "evil", 9, &s);
	ck_assert_int_eq(open_response(&mine, NULL, &s.m), UNPROTECT_FAILED);
	respond(&theirs, "good", 9, &s);
	ck_assert_int_eq(open_response(&mine, NULL, &s.m), UNPROTECT_OK);
	binding_fini(&forged);
	binding_fini(&mine);
	binding_fini(&theirs);
	context_release(c);
}
END_TEST

/* RFC 8613 B.1.2: after a crash nothing is believed until our Echo comes back. */
START_TEST(rfc8613_b_1_2_echo)
{
	size_t plain = vectors_first(&v, vectors_find(&v, 0, "oscore"));
	struct end client, server;
	struct sent old, s, r;
	struct oscore_binding bound[3], theirs;
	struct oscore_option o;
	struct buf tail;
	struct msg m;
	uint8_t code, echo[WINDOW_ECHO];

	end_init(&client, bed_plain(&v, plain, false, 0, true));
	end_init(&server, bed_plain(&v, plain, true, 0, false));
	bound[0] = request(&client, OSCORE_PLAIN, BYTES_NONE, false, &old);
	ck_assert_int_eq(open_request(&server, &old.m, &theirs), UNPROTECT_UNCERTAIN);
	ck_assert_uint_eq(info.echo.n, WINDOW_ECHO);
	memcpy(echo, info.echo.p, sizeof(echo));
	msg_init(&m, TYPE_ACK, CODE_UNAUTHORIZED);
	msg_add(&m, OPT_ECHO, info.echo);
	tail = buf_of(r.raw + 1, OUT - 1);
	ck_assert_int_eq(protect_response(&theirs, &m, 0, &tail, &code), 0);
	wire(&r, code, &tail);
	option_of(&r, &o);
	ck_assert_uint_eq(o.piv.n, 1); /* the request may be a replay: its nonce is not reused */
	binding_fini(&theirs);
	ck_assert_int_eq(open_response(&bound[0], NULL, &r.m), UNPROTECT_OK);
	BED_EQUAL(msg_find(&got, OPT_ECHO)->value, BYTES_OF(echo), "the challenge");
	/* A wrong Echo, then the right one. */
	for (int i = 1; i < 3; i++) {
		m = get("r", false);
		echo[0] ^= i == 1 ? 1 : 0;
		msg_add(&m, OPT_ECHO, BYTES_OF(echo));
		tail = buf_of(s.raw + 1, OUT - 1);
		ck_assert_int_eq(protect_request(client.c, OSCORE_PLAIN, BYTES_NONE, &m, &tail,
					 &code, &bound[i]),
			0);
		wire(&s, code, &tail);
		ck_assert_int_eq(open_request(&server, &s.m, &theirs),
			i == 1 ? UNPROTECT_UNCERTAIN : UNPROTECT_OK);
		binding_fini(&theirs);
		echo[0] ^= i == 1 ? 1 : 0;
	}
	/* That one again, and what was sent before it. */
	ck_assert_int_eq(open_request(&server, &s.m, &theirs), UNPROTECT_REPLAY);
	ck_assert_int_eq(open_request(&server, &old.m, &theirs), UNPROTECT_REPLAY);
	for (int i = 0; i < 3; i++)
		binding_fini(&bound[i]);
	end_fini(&client);
	end_fini(&server);
}
END_TEST

/* The same members under a new Gid and a new secret. */
static struct context *
rekeyed(const char *me, uint64_t number)
{
	struct context *old = bed_group(&v, group, me, number);
	size_t members = vectors_find(&v, group, "members");
	size_t self = vectors_find(&v, members, me);
	struct context_group p = {.master_secret = BYTES_LIT("another master secret"),
		.gid = BYTES_LIT("\x57\xab\x2f"),
		.sender_id = vectors_hex(&v, self, "sender_id"),
		.aead = old->aead->number,
		.group_encryption = old->group_encryption->number,
		.signature = old->signature->number,
		.pairwise = old->pairwise,
		.cred_format = CRED_KCCS,
		.gm_cred = vectors_hex(&v, group, "gm_cred"),
		.cred = vectors_hex(&v, self, "cred"),
		.private_key = vectors_hex(&v, self, "private_key"),
		.ssn = bed_ssn(number)};
	struct context *c;
	struct error e;

	ck_assert_msg(context_new_group(&p, &e, &c) == 0, "%s", e.text);
	for (size_t m = vectors_first(&v, members); m != 0; m = vectors_next(&v, members, m))
		if (m != self)
			ck_assert_int_eq(context_add_recipient(c, vectors_hex(&v, m, "sender_id"),
						 vectors_hex(&v, m, "cred"), true, 1, &e, NULL),
				0);
	ssn_release(p.ssn);
	context_release(old);
	return c;
}

/* oscore-groupcomm 3.2, 12.2: an observation goes on over a rekeying. */
START_TEST(groupcomm_12_observation_over_rekeying)
{
	struct sent s, n;
	struct oscore_binding mine = request(&a, OSCORE_GROUP, BYTES_NONE, true, &s);
	struct oscore_binding theirs;
	struct context *new_a = rekeyed("A", 0), *new_b = rekeyed("B", 0);
	struct oscore_option o;

	ck_assert_int_eq(open_request(&b, &s.m, &theirs), UNPROTECT_OK);
	respond(&theirs, "old", 1, &n);
	ck_assert_int_eq(open_response(&mine, &a.t, &n.m), UNPROTECT_OK);
	ck_assert_int_eq(binding_rekey(&theirs, new_b), 0);
	respond(&theirs, "new", 2, &n);
	option_of(&n, &o);
	ck_assert(bytes_equal(o.kid_context, context_gid(new_b)));
	ck_assert_uint_eq(oscore_option_number(o.piv), 0);
	/* Who does not know the new group cannot read it, and goes on as before. */
	ck_assert_int_eq(open_response(&mine, &a.t, &n.m), UNPROTECT_NO_CONTEXT);
	ck_assert_int_eq(open_response(&mine, NULL, &n.m), UNPROTECT_NO_CONTEXT);
	ck_assert_int_eq(context_table_add(&a.t, new_a), 0);
	ck_assert_int_eq(open_response(&mine, &a.t, &n.m), UNPROTECT_OK);
	ck_assert_ptr_eq(mine.context, new_a);
	ck_assert_int_eq(open_response(&mine, &a.t, &n.m), UNPROTECT_REPLAY);
	respond(&theirs, "new", 3, &n);
	option_of(&n, &o);
	ck_assert_ptr_null(o.kid_context.p);
	ck_assert_int_eq(open_response(&mine, &a.t, &n.m), UNPROTECT_OK);
	binding_fini(&mine);
	binding_fini(&theirs);
	context_release(new_a);
	context_release(new_b);
}
END_TEST

/* RFC 8613 7.2.1: the last number, and none after it. */
START_TEST(rfc8613_7_2_1_numbers_used_up)
{
	struct context *c = bed_group(&v, group, "A", SSN_LIMIT - 1);
	uint8_t raw[OUT];
	struct buf tail = BUF_OF(raw);
	struct msg m = get("r", false);
	struct oscore_binding bound;
	uint8_t code;

	ck_assert_int_eq(protect_request(c, OSCORE_GROUP, BYTES_NONE, &m, &tail, &code, &bound), 0);
	binding_fini(&bound);
	ck_assert_int_eq(
		protect_request(c, OSCORE_GROUP, BYTES_NONE, &m, &tail, &code, &bound), -EOVERFLOW);
	context_release(c);
}
END_TEST

/* Every buffer too small; what does not fit leaves nothing behind. */
START_TEST(every_shorter_buffer)
{
	struct msg m = get("r", true);
	struct oscore_binding bound;
	uint8_t raw[OUT];
	uint8_t code;
	size_t n = 0;
	int rc = -ENOBUFS;

	for (; rc == -ENOBUFS; n++) {
		struct buf tail = buf_of(raw, n);

		rc = protect_request(a.c, OSCORE_GROUP, BYTES_NONE, &m, &tail, &code, &bound);
		ck_assert_uint_eq(tail.n, rc == 0 ? n : 0);
	}
	ck_assert_int_eq(rc, 0);
	binding_fini(&bound);
}
END_TEST

static void
check_refused(struct context *c, enum oscore_mode mode, struct bytes peer, struct msg m, int want)
{
	uint8_t raw[OUT];
	struct buf tail = BUF_OF(raw);
	struct oscore_binding bound;
	uint8_t code;

	ck_assert_int_eq(protect_request(c, mode, peer, &m, &tail, &code, &bound), want);
	ck_assert_uint_eq(tail.n, 0);
}

START_TEST(what_cannot_be_protected)
{
	struct context *silent = bed_group(&v, group, NULL, 0);
	struct msg m = get("r", false), nested = get("r", false);
	struct bytes peer = context_sender_id(b.c);

	msg_add(&nested, OPT_OSCORE, BYTES_LIT("\x01\x02"));
	check_refused(a.c, OSCORE_GROUP, BYTES_NONE, nested, -EINVAL);
	check_refused(a.c, OSCORE_PLAIN, BYTES_NONE, m, -EPERM);
	check_refused(silent, OSCORE_GROUP, BYTES_NONE, m, -EPERM);
	check_refused(silent, OSCORE_PAIRWISE, peer, m, -EPERM);
	check_refused(a.c, OSCORE_PAIRWISE, BYTES_NONE, m, -EINVAL);
	check_refused(a.c, OSCORE_PAIRWISE, BYTES_LIT("\x99"), m, -EINVAL);
	ssn_stop(context_ssn(a.c));
	check_refused(a.c, OSCORE_GROUP, BYTES_NONE, m, -EAGAIN);
	context_release(silent);
}
END_TEST

/* RFC 8613 4.1: what is inside counts, what is only outside and of class E does not. */
START_TEST(rfc8613_4_1_options_of_the_outside)
{
	struct sent s;
	struct oscore_binding mine = request(&a, OSCORE_GROUP, BYTES_NONE, true, &s);
	struct oscore_binding theirs;
	struct msg m = s.m;

	msg_add(&m, OPT_URI_HOST, BYTES_LIT("host"));
	msg_add(&m, OPT_URI_PATH, BYTES_LIT("evil"));
	msg_add(&m, OPT_IF_NONE_MATCH, BYTES_LIT(""));
	msg_add(&m, OPT_ECHO, BYTES_LIT("12345678"));
	msg_add(&m, OPT_BLOCK2, BYTES_LIT("\x06"));
	msg_add(&m, OPT_NO_RESPONSE, BYTES_LIT("\x1a"));
	ck_assert_int_eq(open_request(&b, &m, &theirs), UNPROTECT_OK);
	ck_assert_uint_eq(got.n_opts, 3);
	ck_assert(bytes_is(msg_find(&got, OPT_URI_HOST)->value, "host"));
	ck_assert(bytes_is(msg_find(&got, OPT_URI_PATH)->value, "r"));
	ck_assert(msg_has(&got, OPT_OBSERVE));
	binding_fini(&mine);
	binding_fini(&theirs);
	/* Somebody on the way took Observe out: no notification would get through. */
	mine = request(&a, OSCORE_GROUP, BYTES_NONE, true, &s);
	m = s.m;
	msg_remove(&m, OPT_OBSERVE);
	ck_assert_int_eq(open_request(&b, &m, &theirs), UNPROTECT_OK);
	ck_assert(!msg_has(&got, OPT_OBSERVE));
	binding_fini(&mine);
	binding_fini(&theirs);
}
END_TEST

/* A capture is read with the keys of one end, in both directions and again. */
START_TEST(peeking_reads_both_directions)
{
	struct sent s, r;
	struct oscore_binding mine, theirs, seen;
	struct buf plain;

	for (int i = 0; i < 2; i++) {
		mine = request(&a, modes[i], context_sender_id(b.c), true, &s);
		ck_assert_int_eq(open_request(&b, &s.m, &theirs), UNPROTECT_OK);
		respond(&theirs, "v", 4, &r);
		plain = BUF_OF(opened);
		ck_assert_int_eq(unprotect_peek_request(&b.t, &s.m, &plain, &got, &info, &seen),
			UNPROTECT_OK);
		ck_assert_int_eq(got.code, CODE_GET);
		plain = BUF_OF(opened);
		ck_assert_int_eq(unprotect_peek_response(&seen, &b.t, &r.m, &plain, &got, &info),
			UNPROTECT_OK);
		ck_assert(bytes_is(got.payload, "v"));
		binding_fini(&seen);
		binding_fini(&mine);
		binding_fini(&theirs);
	}
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("oscore_forgery");
	TCase *tc = tcase_create("forgery");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, rfc8613_7_4_replay);
	tcase_add_test(tc, groupcomm_7_own_kid_reflected);
	tcase_add_test(tc, rfc8613_8_2_whose_it_is);
	tcase_add_test(tc, rfc8613_8_2_errors);
	tcase_add_test(tc, rfc8613_8_4_2_notifications_in_order);
	tcase_add_test(tc, rfc8613_8_3_one_response_without_piv);
	tcase_add_test(tc, omn_phantom_nonce_is_never_reused);
	tcase_add_test(tc, omn_notification_of_another_member);
	tcase_add_test(tc, rfc8613_b_1_2_echo);
	tcase_add_test(tc, groupcomm_12_observation_over_rekeying);
	tcase_add_test(tc, rfc8613_7_2_1_numbers_used_up);
	tcase_add_test(tc, every_shorter_buffer);
	tcase_add_test(tc, what_cannot_be_protected);
	tcase_add_test(tc, rfc8613_4_1_options_of_the_outside);
	tcase_add_test(tc, peeking_reads_both_directions);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
