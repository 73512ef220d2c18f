/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Informative responses that do not fit the group's datagram: what is left out, and the
 * rest in blocks (RFC 7959 2.2; the draft does not say how, coapcast(7) does).
 */
#include "broker_world.h"

#include <stdlib.h>
#include <stdio.h>

#include "wire/option.h"

#define DATAGRAM 700
#define MAP_MAX 70000
#define SZX 5 /* the largest blocks in such a datagram: 512 bytes */

static char name[701]; /* so long that the phantom leaves no room in the datagram */
static uint8_t map[MAP_MAX];
static struct msg rest; /* the last block */

/* An informative response in blocks that asks peer 1 in; `value` is the topic's. */
static void
begin(unsigned generations, const char *value)
{
	struct broker_group *g;

	bw_init();
	g = bw_group("239.255.17.4:61616", 1);
	g->datagram = DATAGRAM;
	g->generations = generations;
	bw_start();
	bw_topic(name, value);
	bw_in(1, "GET /ps/data/%s o=0", name);
	bw_expect("a1 i1 ");
}

static void
setup(void)
{
	for (size_t i = 0; i < sizeof(name) - 1; i++)
		name[i] = i % 200 == 199 ? '/' : 'n';
	begin(INFORM_BOTH, "v");
}

static const char *
hex(struct bytes b)
{
	static char text[32];
	struct buf out = buf_of(text, sizeof(text));

	buf_put_hex(&out, b);
	return buf_str(&out);
}

/* Asks for a block of that 5.03. */
static void
ask(unsigned peer, uint32_t num, const char *etag)
{
	bw_in(peer, "GET /ps/data/%s b2=%u/%u e=%s", name, (unsigned)num, 16u << SZX, etag);
	rest = bw_last(peer);
}

static struct block
block_of(const struct msg *m)
{
	const struct opt *o = msg_find(m, OPT_BLOCK2);
	struct block b;

	ck_assert_ptr_nonnull(o);
	ck_assert_int_eq(block_decode(o, &b), 0);
	return b;
}

/* The whole map, from the 5.03 that peer 1 got last and what it is answered. */
static struct inform
fetch(void)
{
	struct msg first = bw_last(1);
	struct buf out = BUF_OF(map);
	struct inform in;
	struct block b = block_of(&first);
	char etag[32];

	ck_assert_int_eq(first.type, TYPE_CON);
	ck_assert_int_eq(first.code, CODE_UNAVAILABLE);
	ck_assert(!msg_has(&first, OPT_OBSERVE));
	ck_assert_int_eq(bw_option(&first, OPT_MAX_AGE), 0);
	ck_assert_uint_eq(b.num, 0);
	ck_assert_uint_eq(b.szx, SZX);
	ck_assert(b.more);
	(void)snprintf(etag, sizeof(etag), "%s", hex(bw_etag(&first)));
	buf_put(&out, first.payload);
	bw_ack(1);
	for (uint32_t num = 1; b.more; num++) {
		ask(1, num, etag);
		ck_assert_int_eq(rest.code, CODE_UNAVAILABLE);
		ck_assert_str_eq(hex(bw_etag(&rest)), etag);
		ck_assert_int_eq(bw_option(&rest, OPT_CONTENT_FORMAT),
			bw_option(&first, OPT_CONTENT_FORMAT));
		b = block_of(&rest);
		ck_assert_uint_eq(b.num, num);
		buf_put(&out, rest.payload);
	}
	(void)bw_said();
	ck_assert(!out.full);
	ck_assert_int_eq(bw_option(&first, OPT_SIZE2), (int64_t)out.n);
	ck_assert_int_eq(inform_decode(buf_bytes(&out), &in), 0);
	return in;
}

static void
check_phantom(struct bytes ph_req)
{
	char path[sizeof(name) + 16], want[sizeof(path)];
	struct buf out = buf_of(path, sizeof(path));
	struct msg m;

	ck_assert_int_eq(msg_decode_inner(ph_req, &m), 0);
	ck_assert_int_eq(msg_path(&m, &out), 0);
	(void)snprintf(want, sizeof(want), "/ps/data/%s", name);
	ck_assert_str_eq(buf_str(&out), want);
}

START_TEST(rfc7959_2_2_a_large_503_comes_in_blocks)
{
	struct inform in;

	ck_assert_uint_eq(bw_stats().group_observations, 1);
	in = fetch();
	ck_assert_uint_eq(in.generations, INFORM_CURRENT);
	ck_assert_ptr_null(in.last_notif.p);
	ck_assert_ptr_null(in.res.p);
	check_phantom(in.ph_req);
}

/* What is sent in blocks is the same whatever is published meanwhile. */
START_TEST(rfc7959_2_4_all_blocks_are_of_one_representation)
{
	struct msg m = bw_last(1);
	char first[32];

	(void)snprintf(first, sizeof(first), "%s", hex(bw_etag(&m)));
	bw_ack(1);
	bw_in(BW_PUBLISHER, "PUT /ps/data/%s 'w'", name);
	ask(1, 1, first);
	ck_assert_int_eq(rest.code, CODE_UNAVAILABLE);
	ck_assert_str_eq(hex(bw_etag(&rest)), first);
	/* Nor does it differ for the next one. */
	bw_in(2, "GET /ps/data/%s o=0", name);
	m = bw_last(2);
	ck_assert_str_eq(hex(bw_etag(&m)), first);
}

START_TEST(rfc7959_2_2_past_the_end)
{
	struct msg m = bw_last(1);

	bw_ack(1);
	ask(1, 9, hex(bw_etag(&m)));
	ck_assert_int_eq(rest.code, CODE_BAD_REQUEST);
}

/* Smaller blocks may be asked for. */
START_TEST(rfc7959_2_3_the_client_chooses_smaller_blocks)
{
	struct msg m = bw_last(1);
	const struct bytes first = m.payload;

	bw_in(1, "GET /ps/data/%s b2=3/64 e=%s", name, hex(bw_etag(&m)));
	rest = bw_last(1);
	ck_assert_int_eq(rest.code, CODE_UNAVAILABLE);
	ck_assert(bytes_equal(rest.payload, bytes_of(first.p + 192, 64)));
}

/* Without that ETag it is a block of the value that is asked for. */
START_TEST(another_etag_asks_for_the_value)
{
	bw_ack(1);
	bw_in(BW_PUBLISHER, "PUT /ps/data/%s b1=0/1024 x=%0*d", name, 2 * 600, 0);
	ask(1, 1, "0011223344556677");
	ck_assert_int_eq(rest.code, CODE_CONTENT);
	ck_assert_uint_eq(rest.payload.n, 600 - 512);
	bw_in(1, "GET /ps/data/%s b2=1/512", name);
	rest = bw_last(1);
	ck_assert_int_eq(rest.code, CODE_CONTENT);
}

/* Who may not be moved is not told how to. */
START_TEST(strangers_get_the_value)
{
	struct msg m = bw_last(1);
	char etag[32];

	(void)snprintf(etag, sizeof(etag), "%s", hex(bw_etag(&m)));
	bw_ack(1);
	bw.link_local_peer = true;
	ask(2, 1, etag);
	ck_assert_int_eq(rest.code, CODE_BAD_REQUEST);
}

/* Nor is there anything to tell when the group observation is over. */
START_TEST(after_the_end_there_is_the_value)
{
	struct msg m = bw_last(1);
	char etag[32];

	(void)snprintf(etag, sizeof(etag), "%s", hex(bw_etag(&m)));
	bw_ack(1);
	bw_in(BW_PUBLISHER, "DELETE /ps/data/%s", name);
	ask(1, 1, etag);
	ck_assert_int_eq(rest.code, CODE_NOT_FOUND);
}

/* The seed, section 2: a reply to a registration MUST include the current representation. */
START_TEST(seed_2_a_large_503_has_the_value_all_the_same)
{
	char *value = malloc(3001);
	struct inform in;

	memset(value, 'x', 3000);
	value[3000] = '\0';
	bw_stop();
	begin(INFORM_SEED, value);
	in = fetch();
	ck_assert_uint_eq(in.generations, INFORM_SEED);
	ck_assert_uint_eq(in.res.n, 3000);
	free(value);
}

/* There a publish makes another one of it: its blocks do not fit those before. */
START_TEST(seed_2_blocks_of_two_values_are_not_mixed)
{
	struct msg m;
	char etag[32];

	bw_stop();
	begin(INFORM_SEED, "v");
	m = bw_last(1);
	(void)snprintf(etag, sizeof(etag), "%s", hex(bw_etag(&m)));
	bw_ack(1);
	bw_in(BW_PUBLISHER, "PUT /ps/data/%s 'w'", name);
	ask(1, 1, etag);
	ck_assert_int_ne(rest.code, CODE_UNAVAILABLE);
}

/* What fits in one form or another is not cut. */
START_TEST(what_fits_is_no_block)
{
	struct inform in;

	bw_stop();
	name[590] = '\0';
	begin(INFORM_BOTH, "v");
	in = bw_inform(1);
	ck_assert_uint_eq(in.generations, INFORM_CURRENT);
	rest = bw_last(1);
	ck_assert(!msg_has(&rest, OPT_BLOCK2));
}

static Suite *
suite(void)
{
	Suite *s = suite_create("announce");
	TCase *t = tcase_create("announce");

	tcase_add_checked_fixture(t, setup, bw_stop);
	tcase_add_test(t, rfc7959_2_2_a_large_503_comes_in_blocks);
	tcase_add_test(t, rfc7959_2_4_all_blocks_are_of_one_representation);
	tcase_add_test(t, rfc7959_2_2_past_the_end);
	tcase_add_test(t, rfc7959_2_3_the_client_chooses_smaller_blocks);
	tcase_add_test(t, another_etag_asks_for_the_value);
	tcase_add_test(t, strangers_get_the_value);
	tcase_add_test(t, after_the_end_there_is_the_value);
	tcase_add_test(t, seed_2_a_large_503_has_the_value_all_the_same);
	tcase_add_test(t, seed_2_blocks_of_two_values_are_not_mixed);
	tcase_add_test(t, what_fits_is_no_block);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
