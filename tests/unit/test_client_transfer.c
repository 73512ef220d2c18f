/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions, calls and block-wise transfer: client/session.c, client/transfer.c. */
#include "client/transfer.h"
#include "clientbed.h"

#include <stdio.h>

static struct bed bed;
static struct transfer transfer;
static int n_done;
static struct transfer_result result;
static uint8_t body[8192];
static uint8_t told_etag[8];

static void
on_done(void *owner, const struct transfer_result *r)
{
	ck_assert_ptr_eq(owner, &n_done);
	ck_assert(!transfer_is_on(&transfer));
	n_done++;
	result = *r;
	ck_assert_uint_le(r->body.n, sizeof(body));
	if (r->body.n > 0)
		memcpy(body, r->body.p, r->body.n);
	result.body.p = body;
	/* What is told is borrowed for the call. */
	ck_assert_uint_le(r->etag.n, sizeof(told_etag));
	if (r->etag.n > 0)
		memcpy(told_etag, r->etag.p, r->etag.n);
	result.etag.p = r->etag.p ? told_etag : NULL;
}

static void
setup(void)
{
	bed_init(&bed);
	n_done = 0;
	memset(&transfer, 0, sizeof(transfer));
}

static void
teardown(void)
{
	transfer_stop(&transfer);
	bed_fini(&bed);
}

static struct transfer_request
request_of(enum msg_code code, struct bytes payload)
{
	return (struct transfer_request){
		.code = code,
		.target = {.path = BYTES_LIT("/ps/data/t"), .accept = TARGET_NO_FORMAT},
		.content_format = TARGET_NO_FORMAT,
		.payload = payload,
	};
}

static void
start(enum msg_code code, struct bytes payload)
{
	struct transfer_request r = request_of(code, payload);

	transfer_start(&transfer, bed.session, &r, on_done, &n_done);
}

static void
check_body(const char *text)
{
	ck_assert_int_eq(n_done, 1);
	ck_assert_int_eq(result.end, TRANSFER_ANSWERED);
	ck_assert(bytes_is(result.body, text));
}

START_TEST(rfc7252_5_2_1_piggybacked)
{
	struct msg q, r;

	start(CODE_GET, BYTES_NONE);
	bed_read(&bed, &q);
	ck_assert_int_eq(q.type, TYPE_CON);
	ck_assert_int_eq(q.code, CODE_GET);
	ck_assert_uint_gt(q.token.n, 0);
	ck_assert_int_eq(q.n_opts, 3);
	bed_respond(&r, &q, CODE_CONTENT, "hello");
	ck_assert_int_eq(msg_add(&r, OPT_ETAG, BYTES_LIT("ab")), 0);
	ck_assert_int_eq(msg_add_uint(&r, OPT_CONTENT_FORMAT, 0), 0);
	ck_assert_int_eq(msg_add_uint(&r, OPT_MAX_AGE, 7), 0);
	bed_receive(&bed, &bed.way, &r);
	check_body("hello");
	ck_assert_int_eq(result.content_format, 0);
	ck_assert_uint_eq(result.max_age_s, 7);
	ck_assert_uint_eq(result.etag.n, 2);
	ck_assert_uint_eq(bed_unread(&bed), 0);
}
END_TEST

START_TEST(rfc7252_5_2_2_separate)
{
	struct msg q, r, ack;

	start(CODE_GET, BYTES_NONE);
	bed_read(&bed, &q);
	msg_init(&ack, TYPE_ACK, CODE_EMPTY);
	ack.mid = q.mid;
	bed_receive(&bed, &bed.way, &ack);
	bed_wait(&bed, 30000);
	ck_assert_uint_eq(bed_unread(&bed), 0); /* acknowledged: nothing to retransmit */
	bed_separate(&bed, &r, TYPE_CON, &q.token, CODE_CONTENT, BYTES_LIT("late"));
	bed_receive(&bed, &bed.way, &r);
	check_body("late");
	ck_assert_int_eq(result.content_format, TARGET_NO_FORMAT);
	ck_assert_uint_eq(result.max_age_s, 60);
	bed_read(&bed, &ack);
	ck_assert_int_eq(ack.type, TYPE_ACK);
	ck_assert_uint_eq(ack.mid, r.mid);
	/* The same again: acknowledged again, delivered once. */
	bed_receive(&bed, &bed.way, &r);
	bed_read(&bed, &ack);
	ck_assert_int_eq(ack.type, TYPE_ACK);
	ck_assert_int_eq(n_done, 1);
}
END_TEST

START_TEST(rfc7252_5_2_2_response_before_its_ack)
{
	struct msg q, r;

	start(CODE_GET, BYTES_NONE);
	bed_read(&bed, &q);
	bed_separate(&bed, &r, TYPE_NON, &q.token, CODE_CONTENT, BYTES_LIT("x"));
	bed_receive(&bed, &bed.way, &r);
	check_body("x");
	bed_wait(&bed, 100000);
	ck_assert_uint_eq(bed_unread(&bed), 0);
}
END_TEST

START_TEST(rfc7252_4_2_retransmits_and_gives_up)
{
	struct msg q, again;

	start(CODE_GET, BYTES_NONE);
	bed_read(&bed, &q);
	bed_wait(&bed, 60000);
	for (int i = 0; i < LAYER_MAX_RETRANSMIT; i++) {
		bed_read(&bed, &again);
		ck_assert_uint_eq(again.mid, q.mid);
		ck_assert(token_equal(&again.token, &q.token));
	}
	ck_assert_int_eq(n_done, 0);
	bed_wait(&bed, 40000);
	ck_assert_int_eq(n_done, 1);
	ck_assert_int_eq(result.end, TRANSFER_TIMEOUT);
	ck_assert_uint_eq(bed_unread(&bed), 0);
}
END_TEST

START_TEST(acknowledged_but_never_answered)
{
	struct msg q, ack;

	start(CODE_GET, BYTES_NONE);
	bed_read(&bed, &q);
	msg_init(&ack, TYPE_ACK, CODE_EMPTY);
	ack.mid = q.mid;
	bed_receive(&bed, &bed.way, &ack);
	bed_wait(&bed, SESSION_ANSWER_MS - 1);
	ck_assert_int_eq(n_done, 0);
	bed_wait(&bed, 1);
	ck_assert_int_eq(n_done, 1);
	ck_assert_int_eq(result.end, TRANSFER_TIMEOUT);
}
END_TEST

START_TEST(timeout_of_the_owner)
{
	struct transfer_request r = request_of(CODE_GET, BYTES_NONE);

	r.timeout_ms = 700;
	transfer_start(&transfer, bed.session, &r, on_done, &n_done);
	bed_wait(&bed, 699);
	ck_assert_int_eq(n_done, 0);
	bed_wait(&bed, 1);
	ck_assert_int_eq(n_done, 1);
	ck_assert_int_eq(result.end, TRANSFER_TIMEOUT);
	bed_wait(&bed, 100000);
	ck_assert_uint_eq(bed_unread(&bed), 1); /* only the first transmission */
}
END_TEST

START_TEST(rfc7252_4_2_reset)
{
	struct msg q, rst;

	start(CODE_GET, BYTES_NONE);
	bed_read(&bed, &q);
	msg_init(&rst, TYPE_RST, CODE_EMPTY);
	rst.mid = q.mid;
	bed_receive(&bed, &bed.way, &rst);
	ck_assert_int_eq(n_done, 1);
	ck_assert_int_eq(result.end, TRANSFER_RESET);
}
END_TEST

/* RFC 7252 5.3.2: token and source must be those of the request. */
START_TEST(rfc7252_5_3_2_strangers_are_not_heard)
{
	struct msg q, r, rst;
	struct path from = bed.way;

	start(CODE_GET, BYTES_NONE);
	bed_read(&bed, &q);
	bed_separate(&bed, &r, TYPE_NON, &q.token, CODE_CONTENT, BYTES_LIT("lie"));
	from.remote.port++;
	bed_receive(&bed, &from, &r);
	from = bed.way;
	r.token.b[0]++;
	bed_receive(&bed, &from, &r);
	ck_assert_int_eq(n_done, 0);
	ck_assert_uint_eq(bed_unread(&bed), 0);
	/* RFC 7252 4.2: an unwanted CON is rejected. */
	r.type = TYPE_CON;
	bed_receive(&bed, &from, &r);
	ck_assert_int_eq(n_done, 0);
	bed_read(&bed, &rst);
	ck_assert_int_eq(rst.type, TYPE_RST);
	ck_assert_uint_eq(rst.mid, r.mid);
}
END_TEST

START_TEST(requests_get_404)
{
	struct msg q, r;

	msg_init(&q, TYPE_CON, CODE_GET);
	q.mid = 9;
	bed_receive(&bed, &bed.way, &q);
	bed_read(&bed, &r);
	ck_assert_int_eq(r.code, CODE_NOT_FOUND);
}
END_TEST

/* Answers block requests of a body of `n` bytes, in blocks of 2^(szx+4). */
static void
serve_block(const struct msg *q, size_t n, uint8_t szx, const char *etag)
{
	static uint8_t whole[8192];
	struct block b = {.szx = szx};
	const struct opt *o = msg_find(q, OPT_BLOCK2);
	struct msg r;

	if (o)
		ck_assert_int_eq(block_decode(o, &b), 0);
	for (size_t i = 0; i < sizeof(whole); i++)
		whole[i] = (uint8_t)(i * 7 >> 3);
	bed_respond(&r, q, CODE_CONTENT, "");
	r.payload = bytes_head(bytes_from(bytes_of(whole, n), block_offset(&b)), block_size(&b));
	b.more = block_offset(&b) + r.payload.n < n;
	ck_assert_int_eq(msg_add_uint(&r, OPT_BLOCK2, block_value(&b)), 0);
	ck_assert_int_eq(msg_add(&r, OPT_ETAG, bytes_str(etag)), 0);
	bed_receive(&bed, &bed.way, &r);
}

START_TEST(rfc7959_2_4_block2)
{
	static const struct {
		size_t n;
		uint8_t szx;
		unsigned requests;
	} cases[] = {{1, 6, 1}, {1024, 6, 1}, {1025, 6, 2}, {4096, 6, 4}, {8000, 6, 8}, {100, 0, 7},
		{64, 2, 1}, {130, 3, 2}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned requests = 0;
		struct msg q;

		n_done = 0;
		start(CODE_GET, BYTES_NONE);
		while (n_done == 0) {
			bed_read(&bed, &q);
			ck_assert_int_eq(msg_has(&q, OPT_BLOCK2), requests > 0);
			ck_assert_int_eq(msg_has(&q, OPT_URI_PATH), true);
			requests++;
			serve_block(&q, cases[i].n, cases[i].szx, "v1");
		}
		ck_assert_int_eq(result.end, TRANSFER_ANSWERED);
		ck_assert_uint_eq(requests, cases[i].requests);
		ck_assert_uint_eq(result.body.n, cases[i].n);
		for (size_t k = 0; k < result.body.n; k++)
			ck_assert_uint_eq(result.body.p[k], (uint8_t)(k * 7 >> 3));
		ck_assert(bytes_is(result.etag, "v1"));
	}
}
END_TEST

START_TEST(rfc7959_2_4_changed_value_is_read_anew)
{
	struct msg q;

	start(CODE_GET, BYTES_NONE);
	bed_read(&bed, &q);
	serve_block(&q, 2000, 6, "v1");
	bed_read(&bed, &q);
	serve_block(&q, 2000, 6, "v2");
	ck_assert_int_eq(n_done, 0);
	bed_read(&bed, &q);
	ck_assert(!msg_has(&q, OPT_BLOCK2));
	serve_block(&q, 2000, 6, "v2");
	bed_read(&bed, &q);
	serve_block(&q, 2000, 6, "v2");
	ck_assert_int_eq(n_done, 1);
	ck_assert_int_eq(result.end, TRANSFER_ANSWERED);
	ck_assert(bytes_is(result.etag, "v2"));
}
END_TEST

START_TEST(changing_for_ever_ends)
{
	char etag[] = "a";
	struct msg q;
	int n = 0;

	start(CODE_GET, BYTES_NONE);
	for (; n_done == 0; n++, etag[0]++) {
		ck_assert_int_lt(n, 50);
		bed_read(&bed, &q);
		serve_block(&q, 2000, 6, etag);
	}
	ck_assert_int_eq(result.end, TRANSFER_CHANGED);
	ck_assert_int_eq(n, 2 * (TRANSFER_RESTARTS + 1));
}
END_TEST

START_TEST(broken_blocks)
{
	static const struct {
		struct block b;
		size_t n; /* bytes of payload */
	} cases[] = {
		{{.num = 0, .more = true, .szx = 6}, 1000}, /* RFC 7959 2.2: full but the last */
		{{.num = 1, .more = true, .szx = 6}, 1024}, /* not the first */
		{{.num = 3, .more = false, .szx = 6}, 10},
	};
	static uint8_t data[1024];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct msg q, r;

		n_done = 0;
		start(CODE_GET, BYTES_NONE);
		bed_read(&bed, &q);
		bed_respond(&r, &q, CODE_CONTENT, "");
		r.payload = bytes_of(data, cases[i].n);
		ck_assert_int_eq(msg_add_uint(&r, OPT_BLOCK2, block_value(&cases[i].b)), 0);
		bed_receive(&bed, &bed.way, &r);
		ck_assert_int_eq(n_done, 1);
		ck_assert_int_eq(result.end, TRANSFER_BROKEN);
	}
}
END_TEST

/* Takes blocks until the request is whole; `szx` is what the server answers in. */
static size_t
take_upload(uint8_t *to, uint8_t szx, enum msg_code last, unsigned *ret_requests)
{
	size_t n = 0;
	bool more = true;

	for (*ret_requests = 0; more; (*ret_requests)++) {
		const struct opt *o;
		struct block b;
		struct msg q, r;

		bed_read(&bed, &q);
		o = msg_find(&q, OPT_BLOCK1);
		ck_assert_ptr_nonnull(o);
		ck_assert_int_eq(block_decode(o, &b), 0);
		ck_assert_uint_eq(block_offset(&b), n);
		ck_assert_int_eq(msg_has(&q, OPT_SIZE1), n == 0);
		memcpy(to + n, q.payload.p, q.payload.n);
		n += q.payload.n;
		more = b.more;
		if (b.szx > szx)
			b.szx = szx;
		bed_respond(&r, &q, more ? CODE_CONTINUE : last, "");
		ck_assert_int_eq(msg_add_uint(&r, OPT_BLOCK1, block_value(&b)), 0);
		bed_receive(&bed, &bed.way, &r);
	}
	return n;
}

START_TEST(rfc7959_2_5_block1)
{
	static const struct {
		size_t n;
		uint8_t szx;
		unsigned requests;
	} cases[] = {{1025, 6, 2}, {2048, 6, 2}, {5000, 6, 5}, {1500, 2, 1 + 8}};
	static uint8_t data[5000], got[5000];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 13 >> 2);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned requests;

		n_done = 0;
		start(CODE_PUT, bytes_of(data, cases[i].n));
		ck_assert_uint_eq(
			take_upload(got, cases[i].szx, CODE_CHANGED, &requests), cases[i].n);
		ck_assert_int_eq(memcmp(got, data, cases[i].n), 0);
		ck_assert_uint_eq(requests, cases[i].requests);
		ck_assert_int_eq(n_done, 1);
		ck_assert_int_eq(result.code, CODE_CHANGED);
	}
}
END_TEST

static char progress[256];

static void
on_progress(void *ctx, size_t n, size_t total)
{
	size_t at = strlen(progress);

	ck_assert_ptr_eq(ctx, &bed);
	(void)snprintf(progress + at, sizeof(progress) - at, "%zu/%zu ", n, total);
}

/* What goes over is told, but not the end of it. */
START_TEST(rfc7959_4_progress)
{
	static uint8_t data[2500], got[2500];
	struct transfer_request r = request_of(CODE_PUT, BYTES_OF(data));
	unsigned requests;
	struct msg q;

	r.on_progress = on_progress;
	r.progress_ctx = &bed;
	progress[0] = '\0';
	transfer_start(&transfer, bed.session, &r, on_done, &n_done);
	ck_assert_uint_eq(take_upload(got, 6, CODE_CHANGED, &requests), sizeof(data));
	ck_assert_str_eq(progress, "1024/2500 2048/2500 ");

	/* Nobody says how much it is. */
	r.code = CODE_GET;
	r.payload = BYTES_NONE;
	progress[0] = '\0';
	transfer_start(&transfer, bed.session, &r, on_done, &n_done);
	while (n_done == 1) {
		bed_read(&bed, &q);
		serve_block(&q, 2500, 6, "v1");
	}
	ck_assert_str_eq(progress, "1024/0 2048/0 ");
}
END_TEST

/* RFC 7959 2.9.3: 4.13 with a smaller block size asks to try with that. */
START_TEST(rfc7959_2_9_3_too_large_with_a_hint)
{
	static uint8_t data[1500], got[1500];
	struct block b = {.num = 0, .more = true, .szx = 4};
	struct msg q, r;
	unsigned requests;

	start(CODE_PUT, BYTES_OF(data));
	bed_read(&bed, &q);
	bed_respond(&r, &q, CODE_TOO_LARGE, "");
	ck_assert_int_eq(msg_add_uint(&r, OPT_BLOCK1, block_value(&b)), 0);
	bed_receive(&bed, &bed.way, &r);
	ck_assert_int_eq(n_done, 0);
	ck_assert_uint_eq(take_upload(got, 4, CODE_CHANGED, &requests), sizeof(data));
	ck_assert_uint_eq(requests, 6);
	ck_assert_int_eq(n_done, 1);
}
END_TEST

START_TEST(upload_refused_half_way)
{
	static uint8_t data[3000];
	struct msg q, r;

	start(CODE_PUT, BYTES_OF(data));
	bed_read(&bed, &q);
	bed_respond(&r, &q, CODE_INCOMPLETE, "");
	bed_receive(&bed, &bed.way, &r);
	ck_assert_int_eq(n_done, 1);
	ck_assert_int_eq(result.end, TRANSFER_ANSWERED);
	ck_assert_int_eq(result.code, CODE_INCOMPLETE);
}
END_TEST

/* Asking for the rest would run a POST again: its first block is the answer. */
START_TEST(post_is_not_run_again_for_the_rest)
{
	struct msg q;

	start(CODE_POST, BYTES_LIT("props"));
	bed_read(&bed, &q);
	serve_block(&q, 2000, 6, "v1");
	ck_assert_int_eq(n_done, 1);
	ck_assert_int_eq(result.end, TRANSFER_ANSWERED);
	ck_assert_uint_eq(result.body.n, 1024);
	ck_assert_uint_eq(bed_unread(&bed), 0);
}
END_TEST

/* RFC 8132 2: a FETCH for a further block carries its payload again. */
START_TEST(rfc8132_2_fetch_in_blocks)
{
	struct msg q;

	start(CODE_FETCH, BYTES_LIT("filter"));
	bed_read(&bed, &q);
	ck_assert(bytes_is(q.payload, "filter"));
	serve_block(&q, 2000, 6, "v1");
	bed_read(&bed, &q);
	ck_assert(bytes_is(q.payload, "filter"));
	ck_assert(msg_has(&q, OPT_BLOCK2));
	serve_block(&q, 2000, 6, "v1");
	ck_assert_int_eq(n_done, 1);
	ck_assert_uint_eq(result.body.n, 2000);
}
END_TEST

START_TEST(unwritable_target_ends_from_the_loop)
{
	struct transfer_request r = request_of(CODE_GET, BYTES_NONE);

	r.target.path = BYTES_LIT("/a%zz");
	transfer_start(&transfer, bed.session, &r, on_done, &n_done);
	ck_assert_int_eq(n_done, 0);
	bed_wait(&bed, 1);
	ck_assert_int_eq(n_done, 1);
	ck_assert_int_eq(result.end, TRANSFER_BROKEN);
}
END_TEST

START_TEST(target_becomes_options)
{
	static const struct {
		const char *path, *query, *options; /* number and value of each */
		int rc;
	} cases[] = {
		{"/", "", "", 0},
		{"/a/b", "", "11=a 11=b ", 0},
		{"/a%2fb/%C3%A4", "", "11=a/b 11=\xc3\xa4 ", 0},
		{"/a/", "", "11=a 11= ", 0},
		{"/a", "x=1&y=%26", "11=a 15=x=1 15=y=& ", 0},
		{"a", "", "", -1},
		{"/%4", "", "", -1},
		{"/a", "%", "", -1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct target t = {
			bytes_str(cases[i].path), bytes_str(cases[i].query), TARGET_NO_FORMAT};
		uint8_t space[256];
		struct buf scratch = BUF_OF(space);
		char text[256] = "";
		struct buf out = buf_of(text, sizeof(text));
		struct msg m;
		int rc;

		msg_init(&m, TYPE_CON, CODE_GET);
		rc = target_put(&t, &m, &scratch);
		ck_assert_int_eq(rc < 0, cases[i].rc < 0);
		for (unsigned k = 0; rc == 0 && k < m.n_opts; k++) {
			buf_printf(&out, "%d=", m.opts[k].number);
			buf_put(&out, m.opts[k].value);
			buf_put_str(&out, " ");
		}
		if (rc == 0)
			ck_assert_str_eq(buf_str(&out), cases[i].options);
	}
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("client_transfer");
	TCase *t = tcase_create("transfer");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, rfc7252_5_2_1_piggybacked);
	tcase_add_test(t, rfc7252_5_2_2_separate);
	tcase_add_test(t, rfc7252_5_2_2_response_before_its_ack);
	tcase_add_test(t, rfc7252_4_2_retransmits_and_gives_up);
	tcase_add_test(t, acknowledged_but_never_answered);
	tcase_add_test(t, timeout_of_the_owner);
	tcase_add_test(t, rfc7252_4_2_reset);
	tcase_add_test(t, rfc7252_5_3_2_strangers_are_not_heard);
	tcase_add_test(t, requests_get_404);
	tcase_add_test(t, rfc7959_2_4_block2);
	tcase_add_test(t, rfc7959_2_4_changed_value_is_read_anew);
	tcase_add_test(t, changing_for_ever_ends);
	tcase_add_test(t, broken_blocks);
	tcase_add_test(t, rfc7959_2_5_block1);
	tcase_add_test(t, rfc7959_4_progress);
	tcase_add_test(t, rfc7959_2_9_3_too_large_with_a_hint);
	tcase_add_test(t, upload_refused_half_way);
	tcase_add_test(t, post_is_not_run_again_for_the_rest);
	tcase_add_test(t, rfc8132_2_fetch_in_blocks);
	tcase_add_test(t, unwritable_target_ends_from_the_loop);
	tcase_add_test(t, target_becomes_options);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
