/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "wire/link.h"

#define N_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

static const struct {
	const char *path;
	const char *rt;
	int ct;
	unsigned flags;
	const char *text;
} written[] = {
	{"/ps/t", "core.ps.conf", 0, LINK_OBS | LINK_GP_OBS,
		"</ps/t>;rt=\"core.ps.conf\";obs;gp-obs;ct=0"},
	{"/ps", NULL, LINK_NO_CT, 0, "</ps>"},
	{"/", "core.ps core.ps.coll", 40, 0, "</>;rt=\"core.ps core.ps.coll\";ct=40"},
	{"/ps/data/t", "core.ps.data", 65001, LINK_OBS | LINK_GP_OBS | LINK_OSC | LINK_GOSC,
		"</ps/data/t>;rt=\"core.ps.data\";obs;gp-obs;osc;gosc;ct=65001"},
	/* RFC 3986 3.3: what a path may hold as it is, and what it may not. */
	{"/A-z0._~!$&'()*+,;=:@", NULL, LINK_NO_CT, 0, "</A-z0._~!$&'()*+,;=:@>"},
	{"/a b\"<>[]^`{|}?#\\", NULL, LINK_NO_CT, 0,
		"</a%20b%22%3C%3E%5B%5D%5E%60%7B%7C%7D%3F%23%5C>"},
	{"/gr\xc3\xbcn\x7f\x01", NULL, LINK_NO_CT, 0, "</gr%C3%BCn%7F%01>"},
	/* Octets that msg_path has escaped stay escaped; a lone '%' is one itself. */
	{"/a%2Fb/100%25/%/%4/%zz", NULL, LINK_NO_CT, 0, "</a%2Fb/100%25/%25/%254/%25zz>"},
	/* RFC 6690 2: quoted-string. */
	{"/q", "a\"b\\c", LINK_NO_CT, 0, "</q>;rt=\"a\\\"b\\\\c\""},
	{"/e", "", LINK_NO_CT, 0, "</e>;rt=\"\""},
};

static struct link
link_of(int i)
{
	return (struct link){
		.path = bytes_str(written[i].path),
		.rt = written[i].rt != NULL ? bytes_str(written[i].rt) : BYTES_NONE,
		.ct = written[i].ct,
		.flags = written[i].flags,
	};
}

START_TEST(rfc6690_2_link_is_written)
{
	uint8_t out[256];
	struct buf b = BUF_OF(out);
	struct link l = link_of(_i);
	size_t n;

	link_put(&b, &l);
	ck_assert(!b.full);
	ck_assert_str_eq(buf_str(&b), written[_i].text);
	n = b.n;
	for (size_t cap = 0; cap < n; cap++) {
		uint8_t *exact = malloc(cap ? cap : 1);

		b = buf_of(exact, cap);
		link_put(&b, &l);
		ck_assert_msg(b.full, "cap %zu", cap);
		free(exact);
	}
}
END_TEST

START_TEST(rfc6690_2_links_are_separated_by_commas)
{
	uint8_t out[256];
	struct buf b = BUF_OF(out);

	for (int i = 0; i < 3; i++) {
		struct link l = link_of(i);

		link_put(&b, &l);
	}
	ck_assert_str_eq(buf_str(&b), "</ps/t>;rt=\"core.ps.conf\";obs;gp-obs;ct=0,</ps>,"
				      "</>;rt=\"core.ps core.ps.coll\";ct=40");
}
END_TEST

START_TEST(what_is_written_is_read)
{
	uint8_t out[256];
	uint8_t text[256];
	struct buf b = BUF_OF(out);
	struct buf decoded = BUF_OF(text);
	struct link_reader r;
	struct link_value l;
	struct link_param p;
	struct link in = {BYTES_LIT("/gr\xc3\xbcn,;%2F"), BYTES_LIT("a b,c;d"), 60, LINK_GP_OBS};

	link_put(&b, &in);
	link_put(&b, &in);
	r.in = buf_bytes(&b);
	for (int i = 0; i < 2; i++) {
		ck_assert(link_next(&r, &l));
		buf_clear(&decoded);
		link_put_decoded(&decoded, l.target);
		ck_assert_str_eq(buf_str(&decoded), "/gr\xc3\xbcn,;/");
		ck_assert(link_find_param(&l, "rt", &p));
		ck_assert(bytes_is(p.value, "a b,c;d"));
		ck_assert(link_param_lists(&p, "a"));
		ck_assert(link_param_lists(&p, "b,c;d"));
		ck_assert(!link_param_lists(&p, "b"));
		ck_assert(link_find_param(&l, "gp-obs", &p));
		ck_assert_ptr_null(p.value.p);
		ck_assert(!link_find_param(&l, "obs", &p));
		ck_assert(link_find_param(&l, "ct", &p));
		ck_assert(bytes_is(p.value, "60"));
	}
	ck_assert(!link_next(&r, &l));
}
END_TEST

/* RFC 6690 4.1, against </ps/data/a b>;rt="core.ps.data temp";obs;ct=60 */
static const struct {
	const char *query;
	bool match;
} queries[] = {
	{"rt=core.ps.data", true},
	{"rt=temp", true},
	{"rt=core.ps.data temp", true},
	{"rt=core.ps*", true},
	{"rt=te*", true},
	{"rt=*", true},
	{"rt=core.ps", false},
	{"rt=core.ps.data*", true},
	{"rt=core.ps.data.x*", false},
	{"rt=CORE.PS.DATA", false},
	{"rt=", false},
	{"rt", true},
	{"href=/ps/data/a b", true},
	{"href=/ps/*", true},
	{"href=/ps/data/a *", true},
	{"href=/ps", false},
	{"href=/ps/data/a b/*", false},
	{"href=*", true},
	{"href=", false},
	{"href=/ps/data/a%20b", false}, /* a Uri-Query is decoded already (RFC 7252 6.4) */
	{"ct=60", true},
	{"ct=6*", true},
	{"ct=6", false},
	{"ct", true},
	{"obs", true},
	{"obs=", true},
	{"obs=*", true},
	{"obs=1", false},
	{"gp-obs", false},
	{"gp-obs=*", false},
	{"if=sensor", false},
	{"title=*", false},
	{"", false},
	{"=", false},
	{"*", false},
};

START_TEST(rfc6690_4_1_filter)
{
	struct link l = {BYTES_LIT("/ps/data/a b"), BYTES_LIT("core.ps.data temp"), 60, LINK_OBS};

	ck_assert_msg(link_matches(&l, bytes_str(queries[_i].query)) == queries[_i].match, "%s",
		queries[_i].query);
	/* The same path, as msg_path or somebody else may have escaped it. */
	l.path = BYTES_LIT("/ps/d%61ta/a%20b");
	ck_assert_msg(link_matches(&l, bytes_str(queries[_i].query)) == queries[_i].match, "%s",
		queries[_i].query);
}
END_TEST

START_TEST(rfc6690_4_1_absent_attributes_do_not_match)
{
	struct link l = {BYTES_LIT("/"), BYTES_NONE, LINK_NO_CT, 0};

	ck_assert(!link_matches(&l, BYTES_LIT("rt=*")));
	ck_assert(!link_matches(&l, BYTES_LIT("rt")));
	ck_assert(!link_matches(&l, BYTES_LIT("ct=*")));
	ck_assert(!link_matches(&l, BYTES_LIT("ct=-1")));
	ck_assert(!link_matches(&l, BYTES_LIT("obs")));
	ck_assert(link_matches(&l, BYTES_LIT("href=/")));
	l.rt = BYTES_LIT("");
	ck_assert(link_matches(&l, BYTES_LIT("rt=")));
	ck_assert(link_matches(&l, BYTES_LIT("rt")));
}
END_TEST

/* Payloads and what the reader makes of them: [target|name=value|name] ... */
static const struct {
	const char *payload;
	const char *read;
} payloads[] = {
	{"", ""},
	{"</a>", "[/a]"},
	/* RFC 6690 section 5 */
	{"</sensors>;ct=40;title=\"Sensor Index\",</t>;if=\"sensor\"",
		"[/sensors|ct=40|title=Sensor Index][/t|if=sensor]"},
	{"<http://www.example.com/sensors/t123>;anchor=\"/sensors/temp\";rel=\"describedby\"",
		"[http://www.example.com/sensors/t123|anchor=/sensors/temp|rel=describedby]"},
	{"</firmware/v2.1>;rt=\"firmware\";sz=262144", "[/firmware/v2.1|rt=firmware|sz=262144]"},
	{"</sensors/temp>;gp-obs,\r\n  </sensors/light>;if=\"sensor\"",
		"[/sensors/temp|gp-obs][/sensors/light|if=sensor]"},
	{"</a>;t=\"x,y;z\\\"<b>\\\\\";obs,</c>", "[/a|t=x,y;z\\\"<b>\\\\|obs][/c]"},
	/* What others send, or break. */
	{"</a> ; rt = \"x\" ; obs ,\t</b>", "[/a|rt=x|obs][/b]"},
	{"</a>;;;=x;rt=,</b>", "[/a|rt=][/b]"},
	{"</a>;rt=\"open,</b>", "[/a|rt=open,</b>]"},
	{"</a>;rt=\"open\\", "[/a|rt=open\\]"},
	{"garbage</a>", "[/a]"},
	{"</a", ""},
	{"<", ""},
	{"<>", "[]"},
	{">", ""},
	{",,,", ""},
	{"</a>,,</b>", "[/a][/b]"},
	{"</a>x</b>;obs", "[/a|x</b>|obs]"},
	{"</a,b;c>;obs", "[/a,b;c|obs]"},
	{"</a>;rt=\"x\"y;obs", "[/a|rt=x|obs]"},
};

static void
describe(struct bytes payload, struct buf *out)
{
	struct link_reader r = {payload};
	struct link_value l;

	while (link_next(&r, &l)) {
		struct link_reader params = {l.params};
		struct link_param p;

		buf_put_str(out, "[");
		buf_put(out, l.target);
		while (link_next_param(&params, &p)) {
			buf_put_str(out, "|");
			buf_put(out, p.name);
			if (p.value.p != NULL)
				buf_put_str(out, "=");
			buf_put(out, p.value);
		}
		buf_put_str(out, "]");
	}
}

START_TEST(rfc6690_2_reader_is_tolerant)
{
	size_t n = strlen(payloads[_i].payload);
	uint8_t out[512];
	struct buf b = BUF_OF(out);

	describe(bytes_str(payloads[_i].payload), &b);
	ck_assert_str_eq(buf_str(&b), payloads[_i].read);
	/* Cut anywhere, it ends, and stays within what it was given. */
	for (size_t cut = 0; cut < n; cut++) {
		uint8_t *exact = malloc(cut ? cut : 1);

		memcpy(exact, payloads[_i].payload, cut);
		buf_clear(&b);
		describe(bytes_of(exact, cut), &b);
		ck_assert(!b.full);
		free(exact);
	}
}
END_TEST

/* "any present value MUST be ignored"; "occurrences after the first MUST be ignored". */
START_TEST(omn_6_a_value_of_gp_obs_and_a_second_one_are_ignored)
{
	static const char *const payloads_of[] = {"</t>;gp-obs", "</t>;gp-obs=1;rt=\"x\"",
		"</t>;gp-obs;rt=\"x\";gp-obs=\"no\"", "</t>;gp-obs=\"no\";gp-obs"};
	struct link_value v;
	struct link_param p;

	for (size_t i = 0; i < N_OF(payloads_of); i++) {
		struct link_reader r = {bytes_str(payloads_of[i])};

		ck_assert(link_next(&r, &v));
		ck_assert(bytes_is(v.target, "/t"));
		ck_assert(link_find_param(&v, "gp-obs", &p));
		ck_assert(!link_next(&r, &v));
	}
}
END_TEST

START_TEST(decoded_text)
{
	uint8_t out[64];
	struct buf b = BUF_OF(out);

	link_put_decoded(&b, BYTES_LIT("/a%20b%2fc%2G%4%"));
	ck_assert_str_eq(buf_str(&b), "/a b/c%2G%4%");
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("link");
	TCase *tc = tcase_create("link");

	tcase_add_loop_test(tc, rfc6690_2_link_is_written, 0, N_OF(written));
	tcase_add_test(tc, rfc6690_2_links_are_separated_by_commas);
	tcase_add_test(tc, what_is_written_is_read);
	tcase_add_loop_test(tc, rfc6690_4_1_filter, 0, N_OF(queries));
	tcase_add_test(tc, rfc6690_4_1_absent_attributes_do_not_match);
	tcase_add_loop_test(tc, rfc6690_2_reader_is_tolerant, 0, N_OF(payloads));
	tcase_add_test(tc, omn_6_a_value_of_gp_obs_and_a_second_one_are_ignored);
	tcase_add_test(tc, decoded_text);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
