/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists of links: /.well-known/core (RFC 6690 4), the collection and its filters
 * (coap-pubsub "Discovery", "Topic Collection Interactions").
 */
#include "broker_world.h"

#include <stdio.h>

#include "wire/link.h"
#include "wire/option.h"

/* hall has a value and a group, attic is half created and has none, data a made-up path. */
static void
begin(unsigned protection, bool is_closed)
{
	static const char *const patterns[] = {"hall*"};
	struct broker_group *g;

	bw_init();
	g = bw_group("239.255.17.4", 10);
	g->patterns = patterns;
	bw.conf.protection = protection;
	bw.conf.is_closed = is_closed;
	bw_start();
	bw_topic("hall", "0");
	bw_topic("attic", NULL);
	ck_assert_int_eq(broker_create_topic(bw.broker, BYTES_LIT("t"), 60, BYTES_LIT("\x80")), 0);
}

static void
setup(void)
{
	begin(0, false);
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The links of the last answer to peer 1, sorted, one per line; static. */
static const char *
links(void)
{
	static char text[8192], copy[8192];
	char *parts[64], *rest = copy, *part;
	struct buf out = buf_of(text, sizeof(text));
	struct msg m = bw_last(1);
	size_t n = 0;

	(void)bw_said();
	ck_assert_int_eq(m.code, CODE_CONTENT);
	ck_assert_int_eq(bw_option(&m, OPT_CONTENT_FORMAT), 40);
	ck_assert(m.payload.n < sizeof(copy));
	if (m.payload.n)
		memcpy(copy, m.payload.p, m.payload.n);
	copy[m.payload.n] = '\0';
	while (m.payload.n && (part = strsep(&rest, ",")) != NULL)
		parts[n++] = part;
	qsort(parts, n, sizeof(parts[0]), compare);
	for (size_t i = 0; i < n; i++)
		buf_printf(&out, "%s\n", parts[i]);
	return buf_str(&out);
}

static const struct {
	const char *request;
	const char *links;
} lists[] = {
	{"GET /.well-known/core", "</>;rt=\"core.ps\"\n"
				  "</ps/attic>;rt=\"core.ps.conf\"\n"
				  "</ps/data/hall>;rt=\"core.ps.data\";obs;gp-obs\n"
				  "</ps/data/t>;rt=\"core.ps.data\";obs;ct=60\n"
				  "</ps/hall>;rt=\"core.ps.conf\"\n"
				  "</ps/t>;rt=\"core.ps.conf\"\n"
				  "</ps>;rt=\"core.ps.coll\"\n"},
	/* What the link to the broker leads to. */
	{"GET /", "</>;rt=\"core.ps\"\n</ps>;rt=\"core.ps.coll\"\n"},
	{"GET /.well-known/core?rt=core.ps", "</>;rt=\"core.ps\"\n"},
	{"GET /.well-known/core?rt=core.ps.coll", "</ps>;rt=\"core.ps.coll\"\n"},
	{"GET /.well-known/core?rt=core.ps.data", "</ps/data/hall>;rt=\"core.ps.data\";obs;gp-obs\n"
						  "</ps/data/t>;rt=\"core.ps.data\";obs;ct=60\n"},
	{"GET /.well-known/core?rt=core.ps.d*", "</ps/data/hall>;rt=\"core.ps.data\";obs;gp-obs\n"
						"</ps/data/t>;rt=\"core.ps.data\";obs;ct=60\n"},
	{"GET /.well-known/core?gp-obs", "</ps/data/hall>;rt=\"core.ps.data\";obs;gp-obs\n"},
	{"GET /.well-known/core?href=/ps/a*", "</ps/attic>;rt=\"core.ps.conf\"\n"},
	{"GET /.well-known/core?ct=60", "</ps/data/t>;rt=\"core.ps.data\";obs;ct=60\n"},
	{"GET /.well-known/core?rt=core.ps.data&href=/ps/data/t",
		"</ps/data/t>;rt=\"core.ps.data\";obs;ct=60\n"},
	{"GET /.well-known/core?rt=nothing", ""},
	{"GET /.well-known/core?rt=core.ps.co*", "</ps/attic>;rt=\"core.ps.conf\"\n"
						 "</ps/hall>;rt=\"core.ps.conf\"\n"
						 "</ps/t>;rt=\"core.ps.conf\"\n"
						 "</ps>;rt=\"core.ps.coll\"\n"},
	{"GET /.well-known/core?href=/p*&rt=core.ps.data&obs",
		"</ps/data/hall>;rt=\"core.ps.data\";obs;gp-obs\n"
		"</ps/data/t>;rt=\"core.ps.data\";obs;ct=60\n"},
	{"GET /.well-known/core?obs&ct=6*", "</ps/data/t>;rt=\"core.ps.data\";obs;ct=60\n"},
	/* A Content-Format that follows from the type is one. */
	{"GET /.well-known/core?ct=40", "</ps>;rt=\"core.ps.coll\"\n"},
	{"GET /.well-known/core?ct=606&href=/ps/a*", "</ps/attic>;rt=\"core.ps.conf\"\n"},
	{"GET /.well-known/core?if=x", ""},
	{"GET /.well-known/core?gp-obs=x", ""},
	/* The drafts' examples leave out what the request implies. */
	{"GET /ps", "</ps/attic>\n</ps/hall>\n</ps/t>\n"},
	{"GET /ps?rt=core.ps.conf", "</ps/attic>\n</ps/hall>\n</ps/t>\n"},
	{"GET /ps?rt=core.ps.data", "</ps/data/hall>\n</ps/data/t>\n"},
	{"GET /ps?href=/ps/h*", "</ps/hall>\n"},
	{"GET /ps?rt=core.ps.data&href=/ps/data/h*", "</ps/data/hall>\n"},
	{"GET /ps?rt=core.ps.coll", ""},
	/* A filter that is not of one type selects from both, and then data say what they are. */
	{"GET /ps?rt=core.ps.*", "</ps/attic>\n"
				 "</ps/data/hall>;rt=\"core.ps.data\";obs;gp-obs\n"
				 "</ps/data/t>;rt=\"core.ps.data\";obs;ct=60\n"
				 "</ps/hall>\n</ps/t>\n"},
	{"GET /ps?rt=core.ps.d*", "</ps/data/hall>;rt=\"core.ps.data\";obs;gp-obs\n"
				  "</ps/data/t>;rt=\"core.ps.data\";obs;ct=60\n"},
	{"GET /ps?gp-obs", "</ps/data/hall>;rt=\"core.ps.data\";obs;gp-obs\n"},
	{"GET /ps?rt=core.ps.data&gp-obs", "</ps/data/hall>\n"},
	{"GET /ps?rt=core.ps.data&ct=60", "</ps/data/t>\n"},
	{"GET /ps?ct=60", "</ps/data/t>;rt=\"core.ps.data\";obs;ct=60\n"},
	{"GET /ps?rt=core.ps.conf&obs", ""},
	{"GET /ps?href=/ps/data/*", "</ps/data/hall>;rt=\"core.ps.data\";obs;gp-obs\n"
				    "</ps/data/t>;rt=\"core.ps.data\";obs;ct=60\n"},
	/* {}, {0: "hall"}, {0: "x"}, {2: "core.ps.data"}, {3: 60}, {0: "hall", 3: 60} */
	{"FETCH /ps ct=606 x=a0", "</ps/attic>\n</ps/hall>\n</ps/t>\n"},
	{"FETCH /ps ct=606 x=a1006468616c6c", "</ps/hall>\n"},
	{"FETCH /ps ct=606 x=a1006178", ""},
	{"FETCH /ps ct=606 x=a1026c636f72652e70732e64617461", "</ps/attic>\n</ps/hall>\n</ps/t>\n"},
	{"FETCH /ps ct=606 x=a103183c", "</ps/t>\n"},
	{"FETCH /ps ct=606 x=a2006468616c6c03183c", ""},
	/* {1: "/ps/data/hall"} */
	{"FETCH /ps ct=606 x=a1016d2f70732f646174612f68616c6c", "</ps/hall>\n"},
};

#define N(table) ((int)(sizeof(table) / sizeof((table)[0])))

START_TEST(a_list)
{
	bw_in(1, "%s", lists[_i].request);
	ck_assert_str_eq(links(), lists[_i].links);
}

/* Each after each: what was built for one must not be served for another. */
START_TEST(every_list_after_every_other)
{
	for (int i = 0; i < N(lists); i++) {
		for (int k = 0; k < N(lists); k++) {
			bw_in(1, "%s", lists[i].request);
			bw_in(1, "%s", lists[k].request);
			ck_assert_str_eq(links(), lists[k].links);
		}
	}
}

START_TEST(a_list_is_refused)
{
	bw_in(1, "GET /ps ac=0");
	bw_in(1, "GET /.well-known/core ac=60");
	bw_in(1, "FETCH /ps ct=606 ac=0 x=a0");
	bw_in(1, "FETCH /ps ct=606 x=80");
	bw_in(1, "FETCH /ps ct=606 x=a10900");
	bw_in(1, "FETCH /ps ct=606");
	bw_expect("1=4.06 1=4.06 1=4.06 1=4.00 1=4.00 1=4.00 ");
	bw_in(1, "GET /ps ac=40");
	ck_assert_str_eq(links(), "</ps/attic>\n</ps/hall>\n</ps/t>\n");
}

START_TEST(a_list_follows_the_topics)
{
	bw_in(1, "GET /ps?rt=core.ps.data");
	ck_assert_str_eq(links(), "</ps/data/hall>\n</ps/data/t>\n");
	bw_in(2, "PUT /ps/data/attic 'x'");
	bw_in(1, "GET /ps?rt=core.ps.data");
	ck_assert_str_eq(links(), "</ps/data/attic>\n</ps/data/hall>\n</ps/data/t>\n");
	bw_in(2, "DELETE /ps/data/hall");
	bw_in(1, "GET /ps?rt=core.ps.data");
	ck_assert_str_eq(links(), "</ps/data/attic>\n</ps/data/t>\n");
	bw_in(1, "GET /ps");
	(void)bw_said();
	bw_in(2, "DELETE /ps/t");
	bw_in(1, "GET /ps");
	ck_assert_str_eq(links(), "</ps/attic>\n</ps/hall>\n");
	bw_topic("new", NULL);
	bw_in(1, "GET /ps");
	ck_assert_str_eq(links(), "</ps/attic>\n</ps/hall>\n</ps/new>\n");
}

START_TEST(a_list_follows_the_format)
{
	const char *query = "GET /.well-known/core?href=/ps/data/hall";

	bw_in(1, "%s", query);
	ck_assert_str_eq(links(), "</ps/data/hall>;rt=\"core.ps.data\";obs;gp-obs\n");
	bw_in(2, "PUT /ps/data/hall ct=50 'x'");
	bw_in(1, "%s", query);
	ck_assert_str_eq(links(), "</ps/data/hall>;rt=\"core.ps.data\";obs;gp-obs;ct=50\n");
	bw_in(2, "PUT /ps/data/hall ct=0 'x'");
	bw_in(1, "%s", query);
	ck_assert_str_eq(links(), "</ps/data/hall>;rt=\"core.ps.data\";obs;gp-obs;ct=0\n");
}

/* Every property can be asked for, and a list is made anew once one has changed. */
START_TEST(a_list_follows_the_properties)
{
	/* {4: "temp"} */
	bw_in(1, "FETCH /ps ct=606 x=a1046474656d70");
	ck_assert_str_eq(links(), "");
	bw_in(2, "iPATCH /ps/attic ct=606 x=a1046474656d70");
	bw_in(2, "iPATCH /ps/t ct=606 x=a2046474656d700607");
	bw_in(1, "FETCH /ps ct=606 x=a1046474656d70");
	ck_assert_str_eq(links(), "</ps/attic>\n</ps/t>\n");
	bw_in(1, "FETCH /ps ct=606 x=a2046474656d700607");
	ck_assert_str_eq(links(), "</ps/t>\n");
	bw_in(1, "FETCH /ps ct=606 x=a10607");
	ck_assert_str_eq(links(), "</ps/t>\n");
	/* A topic with max-subscribers is not observed by multicast. */
	bw_in(1, "GET /ps?gp-obs&rt=core.ps.data");
	ck_assert_str_eq(links(), "</ps/data/hall>\n");
	bw_in(2, "iPATCH /ps/hall ct=606 x=a1060a");
	bw_in(1, "GET /ps?gp-obs&rt=core.ps.data");
	ck_assert_str_eq(links(), "");
	bw_in(2, "POST /ps/hall ct=606 x=a0");
	bw_in(1, "GET /ps?gp-obs&rt=core.ps.data");
	ck_assert_str_eq(links(), "</ps/data/hall>\n");
}

/* Who is not known sees all, and may publish to t. */
static bool
may_little(uint32_t who, unsigned verbs, struct bytes topic)
{
	unsigned allowed = BROKER_MAY_DISCOVER;

	if (bytes_is(topic, "t"))
		allowed |= BROKER_MAY_PUBLISH;
	return who != 0 || (verbs & ~allowed) == 0;
}

/* RFC 8613 9, oscore-groupcomm 11: osc where nobody gets at the data unprotected, gosc with it. */
START_TEST(groupcomm_11_links_say_what_only_oscore_gets_at)
{
	static const struct {
		unsigned protection;
		bool is_closed, rules;
		const char *hall, *t;
	} cases[] = {
		{0, true, true, "", ""},
		{LINK_OSC, false, false, "", ""},
		{LINK_OSC, true, false, ";osc", ";osc"},
		{LINK_OSC | LINK_GOSC, true, true, ";osc;gosc", ";osc;gosc"},
		{LINK_OSC | LINK_GOSC, false, true, ";osc;gosc", ""},
	};
	char wanted[256];

	bw_stop();
	begin(cases[_i].protection, cases[_i].is_closed);
	bw.may = cases[_i].rules ? may_little : NULL;
	(void)snprintf(wanted, sizeof(wanted),
		"</ps/data/hall>;rt=\"core.ps.data\";obs;gp-obs%s\n"
		"</ps/data/t>;rt=\"core.ps.data\";obs%s;ct=60\n",
		cases[_i].hall, cases[_i].t);
	bw_in(1, "GET /.well-known/core?rt=core.ps.data");
	ck_assert_str_eq(links(), wanted);
}

/* RFC 7959 2.4: many blocks of one list, which its ETag says. */
START_TEST(rfc7959_2_4_a_long_list)
{
	static char whole[16384];
	char name[32];
	struct msg m;
	struct block b = {.more = true};
	uint8_t first[8];
	size_t n = 0;
	unsigned n_links = 0;

	for (int i = 0; i < 96; i++) {
		(void)snprintf(name, sizeof(name), "long-name-of-topic-%d", i);
		bw_topic(name, NULL);
	}
	for (unsigned num = 0; b.more; num++) {
		bw_in(1, "GET /ps b2=%u/64", num);
		m = bw_last(1);
		ck_assert_int_eq(m.code, CODE_CONTENT);
		ck_assert_int_eq(block_decode(msg_find(&m, OPT_BLOCK2), &b), 0);
		memcpy(whole + n, m.payload.p, m.payload.n);
		n += m.payload.n;
		if (num == 0)
			memcpy(first, bw_etag(&m).p, 8);
		ck_assert(bytes_equal(bw_etag(&m), BYTES_OF(first)));
		/* Another's list in between. */
		bw_in(2, "GET /ps?href=/ps/h*");
	}
	whole[n] = '\0';
	for (const char *at = whole; (at = strchr(at, '<')) != NULL; at++)
		n_links++;
	ck_assert_uint_eq(n_links, 99);
	bw_in(1, "GET /ps b2=%zu/64", n / 64 + 1);
	ck_assert_int_eq(bw_last(1).code, CODE_BAD_REQUEST);
	/* RFC 7252 5.10.6.2 */
	bw_in(1, "GET /ps e=%02x%02x%02x%02x%02x%02x%02x%02x", first[0], first[1], first[2],
		first[3], first[4], first[5], first[6], first[7]);
	ck_assert_int_eq(bw_last(1).code, CODE_VALID);
	bw_topic("z", NULL);
	bw_in(1, "GET /ps b2=1/64");
	m = bw_last(1);
	ck_assert(!bytes_equal(bw_etag(&m), BYTES_OF(first)));
}

/* RFC 6690 4.1: an empty answer to a multicast request is no answer. */
/* The ETag of the list of all topics. */
static void
list_etag(uint8_t ret[8])
{
	struct msg m;
	const struct opt *o;

	bw_in(1, "GET /ps");
	m = bw_last(1);
	o = msg_find(&m, OPT_ETAG);
	ck_assert(o && o->value.n == 8);
	memcpy(ret, o->value.p, 8);
	(void)bw_said();
}

/* Creating and discovering in turn must not cost a walk over all topics each time. */
START_TEST(a_very_long_list_is_not_built_for_each_topic)
{
	uint8_t before[8], after[8];
	char name[300];

	bw_stop();
	bw_init();
	bw.conf.limits.topics = 5000;
	bw_start();
	for (unsigned i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "%0250u", i);
		bw_topic(name, NULL);
	}
	/* Up to 256 kB it is what it was: new at once. */
	list_etag(before);
	bw_topic("one", NULL);
	list_etag(after);
	ck_assert(memcmp(before, after, 8) != 0);
	for (unsigned i = 1000; i < 1200; i++) {
		(void)snprintf(name, sizeof(name), "%0250u", i);
		bw_topic(name, NULL);
	}
	list_etag(before);
	bw_topic("two", NULL);
	list_etag(after);
	ck_assert_mem_eq(before, after, 8);
	/* A millisecond for 2 kB. */
	bw_go(100);
	list_etag(after);
	ck_assert_mem_eq(before, after, 8);
	bw_go(100);
	list_etag(after);
	ck_assert(memcmp(before, after, 8) != 0);
}

START_TEST(rfc6690_4_1_multicast_discovery)
{
	bw.multicast = true;
	bw_in(1, "NON GET /.well-known/core?rt=core.ps");
	bw_go(LAYER_LEISURE_MS);
	ck_assert_str_eq(links(), "</>;rt=\"core.ps\"\n");
	bw_in(1, "NON GET /.well-known/core?rt=nothing");
	bw_in(1, "NON GET /ps?rt=nothing");
	bw_in(1, "NON GET /.well-known/core ac=0");
	bw_go(LAYER_LEISURE_MS);
	bw_expect("");
}

/* Queries that fill the key of the kept list: built each time. */
START_TEST(a_request_with_very_long_queries)
{
	char query[256];
	static char all[2048];
	struct buf text = buf_of(all, sizeof(all));

	memset(query, 'q', 255);
	query[255] = '\0';
	buf_printf(&text, "GET /ps?%s", query);
	for (int i = 0; i < 6; i++)
		buf_printf(&text, "&%s", query);
	bw_in(1, "%s", buf_str(&text));
	ck_assert_str_eq(links(), "");
	bw_in(1, "%s", buf_str(&text));
	ck_assert_str_eq(links(), "");
	bw_in(1, "GET /ps");
	ck_assert_str_eq(links(), "</ps/attic>\n</ps/hall>\n</ps/t>\n");
}

START_TEST(a_filter_in_blocks)
{
	struct msg m;

	bw_in(1, "FETCH /ps ct=606 b1=0+/16 x=a2026c636f72652e70732e64617461"
		 "00");
	bw_expect("1=2.31 ");
	bw_in(1, "FETCH /ps ct=606 b1=1/16 x=6468616c6c");
	ck_assert_str_eq(links(), "</ps/hall>\n");
	/* RFC 7959 2.3 */
	m = bw_last(1);
	ck_assert_int_eq(bw_option(&m, OPT_BLOCK1), 0x10);
}

static Suite *
suite(void)
{
	Suite *s = suite_create("discover");
	TCase *t = tcase_create("discover");

	tcase_add_checked_fixture(t, setup, bw_stop);
	tcase_add_loop_test(t, a_list, 0, N(lists));
	tcase_add_test(t, every_list_after_every_other);
	tcase_add_test(t, a_list_is_refused);
	tcase_add_test(t, a_list_follows_the_topics);
	tcase_add_test(t, a_list_follows_the_format);
	tcase_add_test(t, a_list_follows_the_properties);
	tcase_add_loop_test(t, groupcomm_11_links_say_what_only_oscore_gets_at, 0, 5);
	tcase_add_test(t, rfc7959_2_4_a_long_list);
	tcase_add_test(t, a_very_long_list_is_not_built_for_each_topic);
	tcase_add_test(t, rfc6690_4_1_multicast_discovery);
	tcase_add_test(t, a_request_with_very_long_queries);
	tcase_add_test(t, a_filter_in_blocks);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
