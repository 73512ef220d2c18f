/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/figures.h"

#include <string.h>

#include "unit.h"

static const char *
metric_name(const struct figure *what, char room[96])
{
	struct buf out = buf_of(room, 96);

	figures_metric_name(what, &out);
	ck_assert(!out.full);
	return buf_str(&out);
}

START_TEST(names_are_what_prometheus_takes)
{
	char room[96];

	for (const struct figure *what = figures_table(); what->name; what++) {
		const char *name = metric_name(what, room);

		ck_assert_uint_eq(
			strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(name));
		ck_assert_int_eq(strncmp(name, "coapcast_", 9), 0);
		ck_assert_int_eq(strcmp(name + strlen(name) - 6, "_total") == 0, !what->gauge);
		ck_assert_ptr_null(strchr(what->help, '\n'));
		ck_assert_ptr_null(strchr(what->help, '\\'));
	}
}
END_TEST

START_TEST(every_figure_is_another)
{
	static bool seen[sizeof(struct figures)];
	size_t n = 0;

	for (const struct figure *what = figures_table(); what->name; what++) {
		char mine[96], others[96];

		ck_assert_msg(!seen[what->at], "%s is there twice", what->name);
		seen[what->at] = true;
		for (const struct figure *other = what + 1; other->name; other++)
			ck_assert_str_ne(metric_name(what, mine), metric_name(other, others));
		n++;
	}
	/* None is forgotten when one is added to a module. */
	ck_assert_uint_eq(n, sizeof(struct figures) / sizeof(uint64_t));
}
END_TEST

/* A section is one line of the dump: its figures stand together. */
START_TEST(sections_are_whole)
{
	for (const struct figure *what = figures_table(); what->name; what++) {
		const struct figure *later = what + 1;

		while (later->name && strcmp(later->section, what->section) == 0)
			later++;
		for (; later->name; later++)
			ck_assert_str_ne(later->section, what->section);
		while (what[1].name && strcmp(what[1].section, what->section) == 0)
			what++;
	}
}
END_TEST

START_TEST(printed_for_prometheus)
{
	struct figures f;
	char text[65536];
	struct buf out = buf_of(text, sizeof(text));

	memset(&f, 0, sizeof(f));
	f.udp.received = 1;
	f.layer.timeouts = 18446744073709551615ULL;
	f.broker.value_bytes = 77;
	f.peers = 5;
	figures_print(&f, &out);
	ck_assert(!out.full);
	(void)buf_str(&out);
	ck_assert_ptr_nonnull(strstr(text, "# TYPE coapcast_udp_received_total counter\n"
					   "coapcast_udp_received_total 1\n"));
	ck_assert_ptr_nonnull(
		strstr(text, "\ncoapcast_messages_timeouts_total 18446744073709551615\n"));
	ck_assert_ptr_nonnull(strstr(text, "# TYPE coapcast_broker_value_bytes gauge\n"
					   "coapcast_broker_value_bytes 77\n"));
	ck_assert_ptr_nonnull(strstr(text, "\ncoapcast_messages_peers 5\n"));
	ck_assert_ptr_nonnull(strstr(text, "coapcast_build_info{version=\"" PACKAGE_VERSION));
	for (size_t cap = 0; cap < out.n; cap++) {
		struct buf shorter = buf_of(text, cap);

		figures_print(&f, &shorter);
		ck_assert(shorter.full);
	}
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("figures");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, names_are_what_prometheus_takes);
	tcase_add_test(tc, every_figure_is_another);
	tcase_add_test(tc, sections_are_whole);
	tcase_add_test(tc, printed_for_prometheus);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
