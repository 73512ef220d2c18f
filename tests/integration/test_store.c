/* SPDX-License-Identifier: BSD-2-Clause */
/* The store in a directory of its own: what goes in comes out, and when. */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "store/batch.h"
#include "store/schema.h"
#include "store/table.h"
#include "storebed.h"
#include "../unit/unit.h"

static struct bed bed;

static void
set_up(void)
{
	bed_init(&bed);
}

static void
tear_down(void)
{
	bed_fini(&bed);
}

struct seen {
	enum store_kind kind;
	unsigned n;
	uint32_t sums[8];
};

static int
see(void *ctx, const union store_record *r)
{
	struct seen *s = ctx;

	if (s->kind == STORE_META && bytes_is(bytes_head(r->meta.name, 6), "store."))
		return 0;
	ck_assert_uint_lt(s->n, 8);
	s->sums[s->n++] = table_sum(s->kind, r);
	return 0;
}

/* Opened and not started: what is there of a kind. */
static struct seen
look(enum store_kind kind)
{
	const struct store_options options = {.directory = bed.directory};
	struct seen s = {.kind = kind};
	struct error e;

	ck_assert_int_eq(store_open(&options, &bed.store, &bed.opened, &e), 0);
	ck_assert_int_eq(store_load(bed.store, kind, see, &s, &e), 0);
	bed_close(&bed, bed.opened.clean);
	return s;
}

static void
own(enum store_kind kind, unsigned n)
{
	union store_record r;

	if (!table_of[kind].owned)
		return;
	bed_full(table_of[kind].owner, n, &r);
	ck_assert_int_eq(bed_promise(&bed, table_of[kind].owner, &r), 0);
}

/* With all there can be in it, then with as little as can be, then not at all. */
START_TEST(every_kind_comes_back)
{
	enum store_kind kind = (enum store_kind)_i;
	union store_record full, bare, other;
	struct seen s;

	bed_full(kind, 1, &full);
	bed_full(kind, 2, &other);
	bed_bare(kind, 1, &bare);
	bed_open(&bed, 0);
	ck_assert_int_eq(bed.opened.origin, STORE_CREATED);
	ck_assert(!bed.opened.clean);
	own(kind, 1);
	own(kind, 2);
	ck_assert_int_eq(bed_promise(&bed, kind, &full), 0);
	bed_close(&bed, true);
	s = look(kind);
	ck_assert_int_eq(bed.opened.origin, STORE_RESUMED);
	ck_assert(bed.opened.clean);
	ck_assert_uint_eq(s.n, 1);
	bed_full(kind, 1, &full);
	ck_assert_uint_eq(s.sums[0], table_sum(kind, &full));

	bed_open(&bed, 0);
	ck_assert_int_eq(bed_promise(&bed, kind, &other), 0);
	ck_assert_int_eq(bed_promise(&bed, kind, &bare), 0);
	bed_full(kind, 2, &other);
	ck_assert_int_eq(store_remove(bed.store, kind, &other, STORE_NOW, NULL), 0);
	bed_close(&bed, true);
	s = look(kind);
	ck_assert_uint_eq(s.n, 1);
	ck_assert_uint_eq(s.sums[0], table_sum(kind, &bare));
}
END_TEST

START_TEST(no_bytes_are_not_empty_bytes)
{
	union store_record none, empty;

	bed_topic(1, 1, &none);
	empty = none;
	empty.topic.initialize = bytes_of("", 0);
	ck_assert_uint_ne(table_sum(STORE_TOPIC, &none), table_sum(STORE_TOPIC, &empty));
}
END_TEST

/* One bit anywhere in a record is another checksum. */
START_TEST(the_checksum_sees_every_bit)
{
	uint8_t data[41] = {0};
	union store_record r;
	uint32_t sum;

	bed_value(1, 1, &r);
	r.value.data = BYTES_OF(data);
	sum = table_sum(STORE_VALUE, &r);
	for (size_t bit = 0; bit < 8 * sizeof(data); bit++) {
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_uint_ne(table_sum(STORE_VALUE, &r), sum);
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	r.value.data.n--;
	ck_assert_uint_ne(table_sum(STORE_VALUE, &r), sum);
}
END_TEST

START_TEST(what_a_topic_owns_goes_with_it)
{
	union store_record topic, value, seq;

	bed_open(&bed, 60000);
	bed_full(STORE_TOPIC, 1, &topic);
	bed_full(STORE_SEQ, 1, &seq);
	ck_assert_int_eq(bed_promise(&bed, STORE_TOPIC, &topic), 0);
	ck_assert_int_eq(bed_promise(&bed, STORE_SEQ, &seq), 0);
	/* A value that is on its way when its topic goes is for nobody. */
	bed_full(STORE_VALUE, 1, &value);
	ck_assert_int_eq(store_put(bed.store, STORE_VALUE, &value, STORE_LATER, NULL), 0);
	ck_assert_int_eq(store_remove(bed.store, STORE_TOPIC, &topic, STORE_NOW, NULL), 0);
	bed_close(&bed, true);
	ck_assert_uint_eq(look(STORE_TOPIC).n, 0);
	ck_assert_uint_eq(look(STORE_VALUE).n, 0);
	ck_assert_uint_eq(look(STORE_SEQ).n, 0);
}
END_TEST

/* oscore.md section 9: a stored window is valid only after a clean stop. */
START_TEST(windows_are_there_after_a_clean_stop_only)
{
	union store_record window, bound;

	bed_open(&bed, 0);
	bed_full(STORE_WINDOW, 1, &window);
	bed_full(STORE_BOUND, 1, &bound);
	ck_assert_int_eq(bed_promise(&bed, STORE_WINDOW, &window), 0);
	ck_assert_int_eq(bed_promise(&bed, STORE_BOUND, &bound), 0);
	bed_close(&bed, _i == 1);
	bed_open(&bed, 0);
	ck_assert_int_eq(bed.opened.clean, _i == 1);
	/* The mark is used up: a stop without one is not clean. */
	bed_close(&bed, false);
	ck_assert_uint_eq(look(STORE_BOUND).n, 1);
	ck_assert(!bed.opened.clean);
	ck_assert_uint_eq(look(STORE_WINDOW).n, 0);
}
END_TEST

START_TEST(windows_come_back_after_a_clean_stop)
{
	union store_record window;

	bed_open(&bed, 0);
	bed_full(STORE_WINDOW, 1, &window);
	ck_assert_int_eq(bed_promise(&bed, STORE_WINDOW, &window), 0);
	bed_close(&bed, true);
	ck_assert_uint_eq(look(STORE_WINDOW).n, 1);
}
END_TEST

START_TEST(later_is_the_newest_of_each_key_once)
{
	struct store_stats stats;
	union store_record r;

	bed_open(&bed, 60000);
	bed_topic(1, 1, &r);
	ck_assert_int_eq(bed_promise(&bed, STORE_TOPIC, &r), 0);
	for (unsigned version = 1; version <= 1000; version++) {
		bed_value(1, version, &r);
		ck_assert_int_eq(store_put(bed.store, STORE_VALUE, &r, STORE_LATER, NULL), 0);
	}
	/* Something that is wanted at once does not bring it along. */
	bed_topic(2, 1, &r);
	ck_assert_int_eq(bed_promise(&bed, STORE_TOPIC, &r), 0);
	store_stats(bed.store, &stats);
	ck_assert_uint_eq(stats.waiting, 1);
	ck_assert_uint_eq(stats.records, 2);
	ck_assert_uint_lt(stats.waiting_bytes, 1000);
	bed_close(&bed, false);
	ck_assert_uint_eq(bed_version(&bed, 1), 1000);
}
END_TEST

/* commit-interval: what is due by then is there by then. */
START_TEST(later_is_kept_within_the_interval)
{
	struct store_stats stats;
	struct timespec before, now;
	union store_record r;
	double ms;

	bed_open(&bed, 400);
	bed_topic(1, 1, &r);
	ck_assert_int_eq(bed_promise(&bed, STORE_TOPIC, &r), 0);
	(void)clock_gettime(CLOCK_MONOTONIC, &before);
	bed_value(1, 1, &r);
	ck_assert_int_eq(store_put(bed.store, STORE_VALUE, &r, STORE_LATER, NULL), 0);
	do {
		store_stats(bed.store, &stats);
	} while (stats.records < 2);
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (double)(now.tv_sec - before.tv_sec) * 1e3 +
	     (double)(now.tv_nsec - before.tv_nsec) / 1e6;
	/* Not at once, or there would be no point in it; the upper end is a busy machine's. */
	ck_assert_double_ge(ms, 290);
	ck_assert_double_lt(ms, 10000);
}
END_TEST

START_TEST(all_of_a_put_or_nothing_of_it)
{
	union store_record topics[3];
	struct store_change changes[3];
	uint64_t first, second;

	bed_open(&bed, 0);
	for (unsigned i = 0; i < 3; i++) {
		bed_full(STORE_BOUND, i, &topics[i]);
		topics[i].bound.fingerprint = bytes_of(&"abc"[i], 1);
		changes[i] = (struct store_change){.kind = STORE_BOUND, .record = &topics[i]};
	}
	ck_assert_int_eq(store_put_all(bed.store, changes, 3, STORE_PROMISE, &first), 0);
	ck_assert_uint_eq(bed_expect(&bed, STORE_EVENT_DONE).ticket, first);
	changes[0].remove = true;
	ck_assert_int_eq(store_put_all(bed.store, changes, 1, STORE_PROMISE, &second), 0);
	ck_assert_uint_gt(second, first);
	ck_assert_uint_eq(bed_expect(&bed, STORE_EVENT_DONE).ticket, second);
	bed_close(&bed, true);
	ck_assert_uint_eq(look(STORE_BOUND).n, 2);
}
END_TEST

START_TEST(tickets_are_answered_in_order_and_once)
{
	uint64_t last = 0, answered = 0, ticket;
	union store_record r;

	bed_open(&bed, 0);
	for (unsigned i = 0; i < 2000; i++) {
		bed_full(STORE_BOUND, i, &r);
		ck_assert_int_eq(store_put(bed.store, STORE_BOUND, &r, STORE_PROMISE, &ticket), 0);
		ck_assert_uint_ge(ticket, last);
		last = ticket;
	}
	while (answered < last) {
		struct store_event event = bed_expect(&bed, STORE_EVENT_DONE);

		ck_assert_int_eq(event.error, 0);
		ck_assert_uint_gt(event.ticket, answered);
		answered = event.ticket;
	}
	ck_assert_uint_eq(answered, last);
}
END_TEST

START_TEST(a_second_daemon_is_kept_out)
{
	const struct store_options options = {.directory = bed.directory};
	struct store_opened opened;
	struct store *second;
	struct error e;

	bed_open(&bed, 0);
	ck_assert_int_eq(store_open(&options, &second, &opened, &e), -EBUSY);
	ck_assert_ptr_nonnull(strstr(e.text, "another coapcastd"));
	bed_close(&bed, true);
	bed_open(&bed, 0);
}
END_TEST

START_TEST(nobody_else_can_read_it)
{
	struct stat st;
	mode_t before = umask(0);

	bed_open(&bed, 0);
	(void)umask(before);
	ck_assert_int_eq(stat(bed.directory, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0700);
	ck_assert_int_eq(stat(bed_path(&bed, "state/coapcast.db"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	ck_assert_int_eq(stat(bed_path(&bed, "state/coapcast.db-wal"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
}
END_TEST

/* Overwrites a few bytes of the database, which nobody has open. */
static void
patch(off_t at, const void *p, size_t n)
{
	int fd = open(bed_path(&bed, "state/coapcast.db"), O_RDWR | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, p, n, at), (ssize_t)n);
	(void)close(fd);
}

/* Offsets 60 and 68 of the header: user_version and application_id. */
static void
patch_version(uint8_t version)
{
	const uint8_t user[] = {0, 0, 0, version};
	const uint8_t id[] = {0x63, 0x63, 0x53, (uint8_t)(0x54 + version)};

	patch(60, user, sizeof(user));
	patch(68, id, sizeof(id));
}

START_TEST(a_newer_schema_is_refused_and_left_alone)
{
	union store_record r;
	struct error e;
	uint8_t newest = 0;

	while (schema_steps[newest])
		newest++;
	bed_open(&bed, 0);
	bed_topic(1, 1, &r);
	ck_assert_int_eq(bed_promise(&bed, STORE_TOPIC, &r), 0);
	bed_close(&bed, true);
	patch_version((uint8_t)(newest + 1));
	ck_assert_int_eq(bed_try(&bed, 0, &e), -EPROTO);
	ck_assert_ptr_nonnull(strstr(e.text, "newer coapcastd"));
	patch_version(newest);
	ck_assert_uint_eq(look(STORE_TOPIC).n, 1);
}
END_TEST

START_TEST(too_much_is_refused)
{
	int rc = 0, n = 0;
	union store_record r;
	uint8_t big[65536] = {0};

	bed_open(&bed, 60000);
	bed_full(STORE_SECRET, 1, &r);
	r.secret.secret = BYTES_OF(big);
	for (; rc == 0 && n < 1000; n++) {
		big[0] = (uint8_t)n;
		big[1] = (uint8_t)(n >> 8);
		r.secret.name = bytes_of(big, 2);
		rc = store_put(bed.store, STORE_SECRET, &r, STORE_LATER, NULL);
	}
	/* 16 MiB by 64 KiB each. */
	ck_assert_int_eq(rc, -EAGAIN);
	ck_assert_int_ge(n, 250);
	ck_assert_int_le(n, 260);
	/* Values have a limit of their own, elsewhere. */
	bed_value(1, 1, &r);
	ck_assert_int_eq(store_put(bed.store, STORE_VALUE, &r, STORE_LATER, NULL), 0);
}
END_TEST

/* --- batches ------------------------------------------------------------------- */

START_TEST(a_batch_keeps_the_first_place_and_the_last_content)
{
	struct batch b;
	union store_record r;
	unsigned ids[] = {3, 1, 2, 1, 3};
	unsigned want[] = {3, 1, 2}, n = 0;

	batch_init(&b);
	for (unsigned i = 0; i < 5; i++) {
		bed_topic(ids[i], i, &r);
		batch_put(&b, change_new(STORE_TOPIC, false, i == 1, &r));
	}
	ck_assert_uint_eq(b.n, 3);
	for (struct change *c = b.first; c; c = c->next)
		ck_assert_uint_eq(c->record.topic.id, want[n++]);
	ck_assert_uint_eq(b.first->record.topic.has, 4);
	/* A fact that is overwritten by a promise is one again when that is broken. */
	ck_assert(!b.first->next->fact);
	ck_assert_uint_eq(b.first->next->record.topic.has, 3);
	batch_break(&b);
	ck_assert_uint_eq(b.n, 1);
	ck_assert_uint_eq(b.first->record.topic.id, 1);
	ck_assert_uint_eq(b.first->record.topic.has, 1);
	ck_assert(b.first->fact);
	change_free(batch_take(&b, b.first));
	ck_assert_uint_eq(b.n, 0);
	ck_assert_uint_eq(b.bytes, 0);
	ck_assert_ptr_null(b.first);
	ck_assert_ptr_null(b.last);
	batch_fini(&b);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("store");
	TCase *tc = tcase_create("store");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, every_kind_comes_back, 0, STORE_N_KINDS);
	tcase_add_test(tc, no_bytes_are_not_empty_bytes);
	tcase_add_test(tc, the_checksum_sees_every_bit);
	tcase_add_test(tc, what_a_topic_owns_goes_with_it);
	tcase_add_loop_test(tc, windows_are_there_after_a_clean_stop_only, 0, 2);
	tcase_add_test(tc, windows_come_back_after_a_clean_stop);
	tcase_add_test(tc, later_is_the_newest_of_each_key_once);
	tcase_add_test(tc, later_is_kept_within_the_interval);
	tcase_add_test(tc, all_of_a_put_or_nothing_of_it);
	tcase_add_test(tc, tickets_are_answered_in_order_and_once);
	tcase_add_test(tc, a_second_daemon_is_kept_out);
	tcase_add_test(tc, nobody_else_can_read_it);
	tcase_add_test(tc, a_newer_schema_is_refused_and_left_alone);
	tcase_add_test(tc, too_much_is_refused);
	tcase_add_test(tc, a_batch_keeps_the_first_place_and_the_last_content);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
