/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mangled messages of every mode: cut at every length, with every bit flipped, and mutated a
 * hundred thousand times. None is accepted.
 */
#include "mutate.h"
#include "oscore_talk.h"
#include "unit.h"

#define MUTATIONS 100000

/* The messages that are mangled: requests and notifications of each mode. */
#define N_VICTIMS 5

struct victim {
	struct sent s;
	bool response;
	struct oscore_binding bound; /* of a response: the client's */
	struct end *at; /* who opens it */
};

static struct victim victims[N_VICTIMS];
static struct end pa, pb; /* plain OSCORE */

static void
make_response(struct victim *x, struct end *client, struct end *server, enum oscore_mode mode)
{
	struct sent s;
	struct oscore_binding theirs;

	x->bound = request(client, mode,
		mode == OSCORE_PLAIN ? BYTES_NONE : context_sender_id(server->c), true, &s);
	ck_assert_int_eq(open_request(server, &s.m, &theirs), UNPROTECT_OK);
	respond(&theirs, "value", 3, &x->s);
	x->response = true;
	x->at = client;
	binding_fini(&theirs);
}

static void
make_victims(void)
{
	size_t plain = vectors_first(&v, vectors_find(&v, 0, "oscore"));

	end_init(&pa, bed_plain(&v, plain, false, 0, true));
	end_init(&pb, bed_plain(&v, plain, true, 0, true));
	make_response(&victims[0], &a, &b, OSCORE_GROUP);
	make_response(&victims[1], &a, &b, OSCORE_PAIRWISE);
	make_response(&victims[2], &pa, &pb, OSCORE_PLAIN);
	victims[3].bound = request(&a, OSCORE_GROUP, BYTES_NONE, false, &victims[3].s);
	victims[3].at = &b;
	victims[4].bound = request(&pa, OSCORE_PLAIN, BYTES_NONE, false, &victims[4].s);
	victims[4].at = &pb;
}

static void
free_victims(void)
{
	for (size_t i = 0; i < N_VICTIMS; i++)
		binding_fini(&victims[i].bound);
	end_fini(&pa);
	end_fini(&pb);
	memset(victims, 0, sizeof(victims));
}

/* Opens a mangled message; true when it was taken for authentic. */
static bool
passes(struct victim *x, struct bytes raw)
{
	struct oscore_binding theirs = {.context = NULL};
	struct oscore_binding copy;
	enum unprotect_verdict verdict;
	struct msg m;

	if (msg_decode_inner(raw, &m) < 0)
		return false;
	if (x->response) {
		binding_copy(&copy, &x->bound);
		verdict = open_response(&copy, &x->at->t, &m);
		binding_fini(&copy);
	} else {
		verdict = open_request(x->at, &m, &theirs);
		binding_fini(&theirs);
	}
	return verdict == UNPROTECT_OK || verdict == UNPROTECT_UNCERTAIN;
}

/* Where only the outer code and class U or E options stand, which nothing authenticates. */
static bool
is_outside(const struct victim *x, size_t at)
{
	const struct opt *o = msg_find(&x->s.m, OPT_OSCORE);
	const uint8_t *p = x->s.raw + at;

	return p < o->value.p || (p >= o->value.p + o->value.n && p < x->s.m.payload.p);
}

START_TEST(truncated_at_every_length)
{
	make_victims();
	for (size_t i = 0; i < N_VICTIMS; i++) {
		struct victim *x = &victims[i];
		uint8_t *exact;

		for (size_t n = 0; n < x->s.n; n++) {
			exact = mem_alloc(n + 1); /* what is read behind it is seen */
			memcpy(exact, x->s.raw, n);
			ck_assert_msg(
				!passes(x, bytes_of(exact, n)), "victim %zu cut at %zu", i, n);
			free(exact);
		}
		ck_assert_msg(passes(x, bytes_of(x->s.raw, x->s.n)), "victim %zu", i);
	}
	free_victims();
}
END_TEST

START_TEST(every_bit_flipped)
{
	uint8_t raw[OUT];

	make_victims();
	for (size_t i = 0; i < N_VICTIMS; i++) {
		struct victim *x = &victims[i];

		for (size_t bit = 0; bit < 8 * x->s.n; bit++) {
			if (is_outside(x, bit / 8))
				continue;
			memcpy(raw, x->s.raw, x->s.n);
			raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
			ck_assert_msg(
				!passes(x, bytes_of(raw, x->s.n)), "victim %zu bit %zu", i, bit);
		}
		ck_assert(passes(x, bytes_of(x->s.raw, x->s.n)));
	}
	free_victims();
}
END_TEST

/* Whether option value and payload are still what they were: then it is the same message. */
static bool
is_same(const struct victim *x, struct bytes raw)
{
	struct msg m;

	return msg_decode_inner(raw, &m) == 0 && mutate_is_same(&x->s.m, &m);
}

START_TEST(hundred_thousand_mutations)
{
	uint32_t state = 0x1d872b41;
	uint8_t raw[OUT];
	int n_tried = 0;

	make_victims();
	while (n_tried < MUTATIONS) {
		struct victim *x = &victims[n_tried % N_VICTIMS];
		size_t n = x->s.n;

		memcpy(raw, x->s.raw, n);
		n = mutate(raw, n, &state);
		/* Outer code and options are nobody's secret and may change on the way. */
		if (is_same(x, bytes_of(raw, n)))
			continue;
		n_tried++;
		ck_assert_msg(!passes(x, bytes_of(raw, n)), "mutation %d was accepted", n_tried);
	}
	/* What was not mangled is accepted after all that. */
	for (size_t i = 0; i < N_VICTIMS; i++)
		ck_assert(passes(&victims[i], bytes_of(victims[i].s.raw, victims[i].s.n)));
	free_victims();
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("oscore_mutation");
	TCase *tc = tcase_create("mutation");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, truncated_at_every_length);
	tcase_add_test(tc, every_bit_flipped);
	tcase_add_test(tc, hundred_thousand_mutations);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
