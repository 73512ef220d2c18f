/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a client with object security makes of a hundred thousand mangled datagrams, from header
 * to signature: notifications by unicast and by multicast, informative responses, new keys. None
 * is delivered, moves it anywhere, or ends what goes on; what is not mangled still counts.
 */
#include "client_hall.h"
#include "mutate.h"

#define PER_SCENE 20000
#define ROOM 2048

static struct {
	uint8_t raw[ROOM + MUTATE_ROOM];
	size_t n;
	struct msg m;
} victim;

static struct path victim_way;
static struct hall next; /* of the keys that follow */

/* What would arrive, is kept. */
static void
take_victim(struct msg *m, enum msg_type type, const struct path *way)
{
	struct buf out = buf_of(victim.raw, ROOM);

	if (type != TYPE_ACK) {
		m->type = (uint8_t)type;
		m->mid = watch_bed.mid++;
	}
	ck_assert_int_eq(msg_encode(m, &out), 0);
	victim.n = out.n;
	victim_way = *way;
	ck_assert_int_eq(msg_decode(bytes_of(victim.raw, victim.n), &victim.m), MSG_OK);
}

static void
take_unicast(const struct msg *plain, enum msg_type type)
{
	struct msg m;

	co_protect(&hall_server, plain, &m);
	take_victim(&m, type, &watch_bed.way);
}

static void
take_informative(enum msg_type type)
{
	struct inform in;
	uint8_t space[1500];
	struct buf out = BUF_OF(space);
	struct msg plain;

	hall_make_latest(&hall, 9, "now");
	in = hall_describe(&hall, true);
	ck_assert_int_eq(inform_encode(&in, &out), 0);
	co_plain_response(&plain, CODE_UNAVAILABLE, "", -1);
	plain.payload = buf_bytes(&out);
	take_unicast(&plain, type);
}

static void
take_multicast(const struct msg *plain)
{
	static uint8_t inner[1500];
	struct path way = watch_group_way();
	struct msg m;
	size_t n = hall_protect(&hall, plain, inner, sizeof(inner));

	ck_assert_int_eq(msg_decode_inner(bytes_of(inner, n), &m), 0);
	m.token = watch_token;
	take_victim(&m, TYPE_NON, &way);
}

/* --- the scenes ----------------------------------------------------------------------- */

static void
register_plainly(void)
{
	ck_assert_int_eq(co_read(&hall_server, &watch_bed), UNPROTECT_OK);
	co_answer(&hall_server, &watch_bed, CODE_CONTENT, "hello", 4);
	ck_assert_str_eq(watch_said(), "u+4:hello (initial); ");
}

static void
begin_notification(void)
{
	struct msg plain;

	register_plainly();
	co_plain_response(&plain, CODE_CONTENT, "news", 5);
	take_unicast(&plain, TYPE_CON);
}

static void
begin_informative(void)
{
	register_plainly();
	take_informative(TYPE_NON);
}

static void
begin_multicast(void)
{
	struct msg plain;

	hall_move();
	co_plain_response(&plain, CODE_CONTENT, "news", 10);
	take_multicast(&plain);
}

static void
begin_rekeying(void)
{
	uint8_t space[1400];
	struct buf out = BUF_OF(space);
	struct msg plain;
	struct inform in;

	hall_move();
	hall_init(&next, "another secret of it", "hall2");
	hall_make_phantom(&next, "/ps/data/t");
	hall_make_latest(&next, 20, "under new keys");
	in = hall_describe(&next, true);
	ck_assert_int_eq(inform_encode(&in, &out), 0);
	co_plain_response(&plain, CODE_UNAVAILABLE, "", -1);
	plain.payload = buf_bytes(&out);
	take_multicast(&plain);
}

static const struct {
	void (*begin)(void);
	const char *said; /* of what is not mangled */
} scenes[] = {
	{begin_notification, "u+5:news; "},
	{begin_informative, "join " GROUP " from " SERVER "; i+9:now; "},
	{begin_multicast, "m+10:news; "},
	{begin_rekeying, "i+20:under new keys; "},
};

/* --- mangled ---------------------------------------------------------------------------- */

/* One that is not the same any more, from a block of its very size; false when it is. */
static bool
receive_mangled(uint32_t *state)
{
	uint8_t raw[sizeof(victim.raw)], *exact;
	struct msg m;
	size_t n;

	memcpy(raw, victim.raw, victim.n);
	n = mutate(raw, victim.n, state);
	if (msg_decode(bytes_of(raw, n), &m) == MSG_OK && mutate_is_same(&victim.m, &m))
		return false;
	exact = mem_dup(bytes_of(raw, n));
	bed_receive_bytes(&watch_bed, &victim_way, bytes_of(exact, n));
	free(exact);
	/* Whatever it answers with is nothing to be looked at. */
	watch_bed.n = watch_bed.read = 0;
	return true;
}

START_TEST(nothing_mangled_is_delivered)
{
	uint32_t state = 0x2545f491u + (uint32_t)_i;

	scenes[_i].begin();
	for (int n = 0; n < PER_SCENE;) {
		const char *said;

		if (!receive_mangled(&state))
			continue;
		n++;
		said = watch_said();
		/* Now and then it complains. */
		ck_assert_msg(said[0] == '\0' || strcmp(said, "! ") == 0,
			"mutation %d was taken: %s", n, said);
	}
	bed_receive_bytes(&watch_bed, &victim_way, bytes_of(victim.raw, victim.n));
	ck_assert_str_eq(watch_said(), scenes[_i].said);
	if (next.c)
		hall_fini(&next);
	next.c = NULL;
}
END_TEST

/*
 * In the place of the first answer it ends the registration, as nobody can tell it from that
 * of a server with other keys; but it is not taken for what it says.
 */
START_TEST(nothing_mangled_is_a_first_answer)
{
	uint32_t state = 0x9e3779b9u;

	for (int n = 0; n < PER_SCENE;) {
		const char *said;
		struct msg plain;

		if (n > 0) {
			watch_teardown();
			watch_setup();
		}
		ck_assert_int_eq(co_read(&hall_server, &watch_bed), UNPROTECT_OK);
		if (n % 2) {
			take_informative(TYPE_ACK);
		} else {
			co_plain_response(&plain, CODE_CONTENT, "hello", 4);
			take_unicast(&plain, TYPE_ACK);
		}
		for (int tries = 0; tries < 4 && n < PER_SCENE; tries++) {
			if (!receive_mangled(&state))
				continue;
			n++;
			said = watch_said();
			ck_assert_msg(
				!strchr(said, '+') && !strstr(said, "join") && !strstr(said, "u:"),
				"mutation %d was taken: %s", n, said);
		}
	}
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("client_mutation");
	TCase *t = tcase_create("client_mutation");

	tcase_add_checked_fixture(t, hall_setup, hall_teardown);
	tcase_add_loop_test(
		t, nothing_mangled_is_delivered, 0, (int)(sizeof(scenes) / sizeof(scenes[0])));
	tcase_add_test(t, nothing_mangled_is_a_first_answer);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
