/* SPDX-License-Identifier: BSD-2-Clause */
/* What the command line takes and prints: cli/uri.c, cli/args.c, cli/json.c. */
#include "cli/locate.h"
#include "cli/args.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "cli/text.h"
#include "cli/uri.h"
#include "unit.h"

#include <errno.h>
#include <string.h>
#include <time.h>

START_TEST(rfc7252_6_1_uris)
{
	static const struct {
		const char *text, *host;
		uint16_t port;
		const char *path, *query;
	} cases[] = {
		{"coap://127.0.0.1/demo", "127.0.0.1", 5683, "/demo", ""},
		{"coap://127.0.0.1", "127.0.0.1", 5683, "", ""},
		{"coap://127.0.0.1/", "127.0.0.1", 5683, "", ""},
		{"coap://127.0.0.1:", "127.0.0.1", 5683, "", ""},
		{"COAP://h:61616/a/b", "h", 61616, "/a/b", ""},
		{"coap://[::1]/demo", "::1", 5683, "/demo", ""},
		{"coap://[::1]:1/demo", "::1", 1, "/demo", ""},
		{"coap://[fe80::1%eth0]/t", "fe80::1%eth0", 5683, "/t", ""},
		{"coap://[fe80::1%25eth0]:7/t", "fe80::1%eth0", 7, "/t", ""},
		{"coap://[fe80::1%2]/t", "fe80::1%2", 5683, "/t", ""},
		{"coap://broker.example/t?a=1&b", "broker.example", 5683, "/t", "a=1&b"},
		{"coap://h?rt=x", "h", 5683, "", "rt=x"},
		{"coap://h/%C3%A4?%20", "h", 5683, "/%C3%A4", "%20"},
		{"coap://h:65535/t/", "h", 65535, "/t/", ""},
		{"coaps://h/t", "h", 5684, "/t", ""},
		{"coap+tcp://h/t", "h", 5683, "/t", ""},
		{"COAPS+TCP://h/t", "h", 5684, "/t", ""},
		{"coaps://h:5683/t", "h", 5683, "/t", ""},
		{"coap://h/a?b/c?d", "h", 5683, "/a", "b/c?d"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct uri u;
		struct error e = {""};

		ck_assert_msg(
			uri_parse(cases[i].text, &u, &e) == 0, "%s: %s", cases[i].text, e.text);
		ck_assert_str_eq(u.host, cases[i].host);
		ck_assert_uint_eq(u.port, cases[i].port);
		ck_assert_str_eq(u.path, cases[i].path);
		ck_assert_str_eq(u.query, cases[i].query);
	}
}
END_TEST

START_TEST(rfc7252_6_1_not_uris)
{
	static const struct {
		const char *text;
		int rc;
		const char *why; /* somewhere in the error */
	} cases[] = {
		{"", -EINVAL, "coap://"},
		{"demo", -EINVAL, "coap://"},
		{"http://h/demo", -EINVAL, "coap://"},
		{"coap:/h/demo", -EINVAL, "coap://"},
		{"coap+ws://h/demo", -EINVAL, "WebSockets are not spoken"},
		{"coaps+ws://h/demo", -EINVAL, "WebSockets are not spoken"},
		{"coap+udp://h/demo", -EINVAL, "coap://"},
		{"coap:///demo", -EINVAL, "no host"},
		{"coap://", -EINVAL, "no host"},
		{"coap://:5683/demo", -EINVAL, "no host"},
		{"coap://[]/demo", -EINVAL, "no host"},
		{"coap://[::1/demo", -EINVAL, "']'"},
		{"coap://[::1]5683/demo", -EINVAL, "colon"},
		{"coap://h:0/demo", -EINVAL, "port"},
		{"coap://h:65536/demo", -EINVAL, "port"},
		{"coap://h:99999999999999999999/demo", -EINVAL, "port"},
		{"coap://h:1x/demo", -EINVAL, "port"},
		{"coap://::1/demo", -EINVAL, "no host"},
		{"coap://user@h/demo", -EINVAL, "user"},
		{"coap://h/demo#top", -EINVAL, "fragment"},
		{"coap://h/%", -EINVAL, "path"},
		{"coap://h/%4g", -EINVAL, "path"},
		{"coap://h/a?%zz", -EINVAL, "query"},
		{"coap://h/a%00b", -EINVAL, "path of the URI is no UTF-8"},
		{"coap://h/%ff", -EINVAL, "path of the URI is no UTF-8"},
		{"coap://h/\xc3", -EINVAL, "path of the URI is no UTF-8"},
		{"coap://h/a?%C3", -EINVAL, "query of the URI is no UTF-8"},
		{"coap://h/a?%00", -EINVAL, "query of the URI is no UTF-8"},
	};
	static char huge[4000];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct uri u;
		struct error e = {""};

		ck_assert_msg(uri_parse(cases[i].text, &u, &e) == cases[i].rc, "%s", cases[i].text);
		ck_assert_msg(strstr(e.text, cases[i].why), "%s: %s", cases[i].text, e.text);
	}
	/* Each part too long. */
	for (int i = 0; i < 3; i++) {
		static const char *const heads[] = {"coap://", "coap://h/", "coap://h/?"};
		struct uri u;
		struct error e = {""};

		memset(huge, 'a', sizeof(huge) - 1);
		memcpy(huge, heads[i], strlen(heads[i]));
		ck_assert_int_eq(uri_parse(huge, &u, &e), -EINVAL);
		ck_assert_ptr_nonnull(strstr(e.text, "too long"));
	}
}
END_TEST

START_TEST(rfc8259_7_escapes)
{
	static const struct {
		const char *text;
		size_t n;
		const char *json;
	} cases[] = {
		{"", 0, "{\"p\":\"\"}\n"},
		{"hello", 5, "{\"p\":\"hello\"}\n"},
		{"a\"b\\c/", 6, "{\"p\":\"a\\\"b\\\\c/\"}\n"},
		{"\b\f\n\r\t", 5, "{\"p\":\"\\b\\f\\n\\r\\t\"}\n"},
		{"\0\x01\x1f\x7f", 4, "{\"p\":\"\\u0000\\u0001\\u001f\\u007f\"}\n"},
		{"\xc3\xa4\xe2\x82\xac", 5, "{\"p\":\"\xc3\xa4\xe2\x82\xac\"}\n"},
		{"\xf0\x9f\x98\x80", 4, "{\"p\":\"\xf0\x9f\x98\x80\"}\n"},
		/* Not UTF-8: base64 (RFC 4648 10). */
		{"\xff", 1, "{\"p\":\"/w==\",\"encoding\":\"base64\"}\n"},
		{"\xff\xff", 2, "{\"p\":\"//8=\",\"encoding\":\"base64\"}\n"},
		{"\xff\xff\xff", 3, "{\"p\":\"////\",\"encoding\":\"base64\"}\n"},
		{"\xc0\x80", 2, "{\"p\":\"wIA=\",\"encoding\":\"base64\"}\n"}, /* overlong */
		{"\xed\xa0\x80", 3, "{\"p\":\"7aCA\",\"encoding\":\"base64\"}\n"}, /* surrogate */
		{"\x00\x10\x83\x10\x51\x87\x20\x92\x8b\xff", 10,
			"{\"p\":\"ABCDEFGHIJKL/w==\",\"encoding\":\"base64\"}\n"},
	};
	struct json j = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_open(&j);
		json_put_payload(&j, "p", bytes_of(cases[i].text, cases[i].n));
		json_close(&j);
		ck_assert_uint_eq(j.n, strlen(cases[i].json));
		ck_assert_int_eq(memcmp(j.p, cases[i].json, j.n), 0);
	}
	json_fini(&j);
}
END_TEST

START_TEST(json_objects)
{
	static const char empty[] = "{}\n";
	static const char full[] =
		"{\"a\":\"x\",\"b\":18446744073709551615,\"c\":true,\"d\":false}\n";
	struct json j = {0};

	json_open(&j);
	json_close(&j);
	ck_assert_uint_eq(j.n, strlen(empty));
	ck_assert_int_eq(memcmp(j.p, empty, j.n), 0);
	json_open(&j);
	json_put_str(&j, "a", "x");
	json_put_uint(&j, "b", UINT64_MAX);
	json_put_bool(&j, "c", true);
	json_put_bool(&j, "d", false);
	json_close(&j);
	ck_assert_uint_eq(j.n, strlen(full));
	ck_assert_int_eq(memcmp(j.p, full, j.n), 0);
	json_put_line(&j, BYTES_LIT("ab"));
	ck_assert_uint_eq(j.n, 3);
	ck_assert_int_eq(memcmp(j.p, "ab\n", 3), 0);
	json_fini(&j);
}
END_TEST

/* Splits at blanks and parses; the words stay in `words`. */
static int
parse(enum args_command command, const char *line, struct args *ret, struct error *e)
{
	static char words[512];
	static char *argv[20]; /* a->uris borrows it */
	char *at;
	int argc = 0;

	ck_assert_uint_lt(strlen(line), sizeof(words));
	strcpy(words, line);
	for (at = strtok(words, " "); at; at = strtok(NULL, " "))
		argv[argc++] = at;
	return args_parse(argc, argv, command, ret, e);
}

START_TEST(arguments)
{
	struct args a;
	struct error e = {""};

	ck_assert_int_eq(
		parse(ARGS_SUB, "sub -C 3 -R -v -W 0.5 --json -i lo coap://h/t", &a, &e), 0);
	ck_assert_uint_eq(a.count, 3);
	ck_assert_uint_eq(a.timeout_ms, 500);
	ck_assert(a.skip_current && a.verbose && a.json);
	ck_assert_uint_eq(a.ifindex, 1);
	ck_assert_str_eq(a.uri, "coap://h/t");
	ck_assert_int_eq(parse(ARGS_SUB, "sub coap://h/t --exec cat -W 60", &a, &e), 0);
	ck_assert_str_eq(a.exec, "cat");
	ck_assert_uint_eq(a.timeout_ms, 60000);
	ck_assert_uint_eq(a.count, 0);
	ck_assert_int_eq(parse(ARGS_PUB, "pub -m hi --ct 0 coap://h/t", &a, &e), 0);
	ck_assert_str_eq(a.message, "hi");
	ck_assert_int_eq(a.content_format, 0);
	ck_assert_int_eq(parse(ARGS_PUB, "pub -l coap://h/t", &a, &e), 0);
	ck_assert(a.lines);
	ck_assert_int_eq(a.content_format, -1);
	ck_assert_int_eq(parse(ARGS_PUB, "pub -f file coap://h/t", &a, &e), 0);
	ck_assert_str_eq(a.file, "file");
	ck_assert_int_eq(parse(ARGS_CREATE,
				 "create --ct 60 --type temp --expires 2026-12-24T18:00:00Z "
				 "--max-subscribers 0 --observer-check 5 --initialize hex:80 "
				 "coap://h/t",
				 &a, &e),
		0);
	ck_assert_uint_eq(a.props.has, PROPS_ALL & ~(PROPS_BIT(PROPS_NAME) | PROPS_BIT(PROPS_DATA) |
							   PROPS_BIT(PROPS_RESOURCE_TYPE)));
	ck_assert_uint_eq(a.props.content_format, 60);
	ck_assert(bytes_is(a.props.type, "temp"));
	ck_assert_int_eq(a.props.expiration_s, 1798135200);
	ck_assert_uint_eq(a.props.max_subscribers, 0);
	ck_assert_uint_eq(a.props.observer_check_s, 5);
	ck_assert(bytes_is(a.props.initialize, "hex:80"));
	ck_assert_int_eq(parse(ARGS_SET, "set --expires 2026-12-24 coap://h/t", &a, &e), 0);
	ck_assert_int_eq(a.props.expiration_s, 1798070400);
	ck_assert_int_eq(parse(ARGS_SET, "set --expires 99 coap://h/t", &a, &e), 0);
	ck_assert_int_eq(a.props.expiration_s, 99);
	ck_assert_int_eq(parse(ARGS_SET, "set --expires +2d coap://h/t", &a, &e), 0);
	ck_assert_int_ge(a.props.expiration_s, time(NULL) + 2 * 86400 - 60);
	ck_assert_int_le(a.props.expiration_s, time(NULL) + 2 * 86400);
	ck_assert_int_eq(parse(ARGS_SET, "set --replace coap://h/t", &a, &e), 0);
	ck_assert(a.replace && a.props.has == 0);
	ck_assert_int_eq(parse(ARGS_RM, "rm coap://h/t", &a, &e), 0);
	ck_assert_int_eq(parse(ARGS_LS, "ls -h", &a, &e), 0);
	ck_assert(a.help);
	ck_assert_int_eq(parse(ARGS_GET, "get -- coap://h/t", &a, &e), 0);
	ck_assert_int_eq(parse(ARGS_GET, "get -C 3 coap://224.0.1.187/t", &a, &e), 0);
	ck_assert_uint_eq(a.count, 3);
	ck_assert_int_eq(parse(ARGS_DISCOVER, "discover -i lo -W 2.5 -C 2 --json -v", &a, &e), 0);
	ck_assert_ptr_null(a.uri);
	ck_assert_uint_eq(a.timeout_ms, 2500);
	ck_assert_uint_eq(a.count, 2);
	ck_assert(a.json);
}
END_TEST

static const struct {
	enum args_command command;
	const char *line;
	int rc;
	const char *why;
} wrong[] = {
	{ARGS_SUB, "sub", -EINVAL, "no URI"},
	{ARGS_DISCOVER, "discover u", -EINVAL, "no URI: name the interface"},
	{ARGS_DISCOVER, "discover -R", -EINVAL, "-R is no option"},
	{ARGS_DISCOVER, "discover -C 0", -EINVAL, "over 0"},
	{ARGS_PUB, "pub -m x a b", -EINVAL, "one URI"},
	{ARGS_SUB, "sub", -EINVAL, "no URI"},
	{ARGS_SUB, "sub -x u", -EINVAL, "no option -x"},
	{ARGS_SUB, "sub --nix u", -EINVAL, "no option --nix"},
	{ARGS_SUB, "sub u -C", -EINVAL, "-C wants a value"},
	{ARGS_SUB, "sub u --exec", -EINVAL, "--exec wants a value"},
	{ARGS_SUB, "sub -C 0 u", -EINVAL, "over 0"},
	{ARGS_SUB, "sub -C -1 u", -EINVAL, "over 0"},
	{ARGS_SUB, "sub -C 3x u", -EINVAL, "over 0"},
	{ARGS_SUB, "sub -C 4294967296 u", -EINVAL, "over 0"},
	{ARGS_SUB, "sub -W 0 u", -EINVAL, "seconds"},
	{ARGS_SUB, "sub -W nan u", -EINVAL, "seconds"},
	{ARGS_SUB, "sub -W inf u", -EINVAL, "seconds"},
	{ARGS_SUB, "sub -W 1e9 u", -EINVAL, "seconds"},
	{ARGS_SUB, "sub -W 5s u", -EINVAL, "seconds"},
	{ARGS_SUB, "sub -i nosuchif0 u", -EINVAL, "no interface"},
	{ARGS_SUB, "sub -m x u", -EINVAL, "-m is no option of this command"},
	{ARGS_SUB, "sub --ct 0 u", -EINVAL, "--ct is no option of this command"},
	{ARGS_SUB, "sub --exec x --json u", -EINVAL, "exclude"},
	{ARGS_PUB, "pub u", -EINVAL, "nothing to publish"},
	{ARGS_PUB, "pub -m x -l u", -EINVAL, "exclude"},
	{ARGS_PUB, "pub -m x --json u", -EINVAL, "--json is no option"},
	{ARGS_PUB, "pub -m x --ct 65536 u", -EINVAL, "--ct wants"},
	{ARGS_PUB, "pub -m x --ct text u", -EINVAL, "--ct wants"},
	{ARGS_GET, "get --identity me u", -EINVAL, "--credentials"},
	{ARGS_LS, "ls --exec x u", -EINVAL, "--exec is no option"},
	{ARGS_SET, "set u", -EINVAL, "nothing to set"},
	{ARGS_SET, "set --replace", -EINVAL, "no URI"},
	{ARGS_SET, "set --max-subscribers x u", -EINVAL, "--max-subscribers wants"},
	{ARGS_SET, "set --max-subscribers 4294967296 u", -EINVAL, "--max-subscribers wants"},
	{ARGS_SET, "set --observer-check 0 u", -EINVAL, "--observer-check wants"},
	{ARGS_SET, "set --expires soon u", -EINVAL, "--expires wants"},
	{ARGS_SET, "set --expires +soon u", -EINVAL, "--expires wants"},
	{ARGS_SET, "set --expires +1y u", -EINVAL, "--expires wants"},
	{ARGS_SET, "set --expires 2026-12-24T18:00:00 u", -EINVAL, "--expires wants"},
	{ARGS_SET, "set --expires 2026-13-24 u", -EINVAL, "--expires wants"},
	{ARGS_SET, "set --type \xff u", -EINVAL, "--type wants"},
	{ARGS_CREATE, "create --replace u", -EINVAL, "--replace is no option"},
	{ARGS_SHOW, "show --ct 0 u", -EINVAL, "--ct is no option"},
	{ARGS_SHOW, "show --type x u", -EINVAL, "--type is no option"},
	{ARGS_RM, "rm --json u", -EINVAL, "--json is no option"},
	{ARGS_GET, "get --expires 1 u", -EINVAL, "--expires is no option"},
	{ARGS_PUB, "pub -m x --initialize y u", -EINVAL, "--initialize is no option"},
	{ARGS_STATUS, "status", -EINVAL, "no URI given"},
	{ARGS_STATUS, "status -C 1 u", -EINVAL, "-C is no option"},
	{ARGS_DOCTOR, "doctor a b", -EINVAL, "one URI, please"},
	{ARGS_DOCTOR, "doctor -R", -EINVAL, "-R is no option"},
};

START_TEST(several_uris)
{
	struct args a;
	struct error e;

	ck_assert_int_eq(parse(ARGS_SUB, "sub a -C 3 b c", &a, &e), 0);
	ck_assert_uint_eq(a.n_uris, 3);
	ck_assert_str_eq(a.uri, "a");
	ck_assert_str_eq(a.uris[0], "a");
	ck_assert_str_eq(a.uris[2], "c");
	ck_assert_uint_eq(a.count, 3);
	ck_assert_int_eq(parse(ARGS_DOCTOR, "doctor -i lo --json", &a, &e), 0);
	ck_assert_ptr_null(a.uri);
	ck_assert_int_eq(parse(ARGS_DOCTOR, "doctor u -W 1", &a, &e), 0);
	ck_assert_str_eq(a.uri, "u");
}
END_TEST

START_TEST(wrong_arguments)
{
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct args a;
		struct error e = {""};

		ck_assert_msg(parse(wrong[i].command, wrong[i].line, &a, &e) == wrong[i].rc, "%s",
			wrong[i].line);
		ck_assert_msg(strstr(e.text, wrong[i].why), "%s: %s", wrong[i].line, e.text);
	}
}
END_TEST

/* RFC 7252 5.10.1: Uri-Path and Uri-Query have up to 255 bytes, escapes undone. */
START_TEST(rfc7252_5_10_1_length_of_a_segment)
{
	static const struct {
		const char *head, *unit;
		const char *why; /* with one more than 255 of the units */
	} cases[] = {
		{"coap://h/", "a", "a segment has more than 255 bytes"},
		{"coap://h/a/", "%20", "a segment has more than 255 bytes"},
		{"coap://h/t?", "a", "an argument of the query has more than 255 bytes"},
		{"coap://h/t?a=1&", "%20", "an argument of the query has more than 255 bytes"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[1200];
		struct error e = {""};
		struct uri u;
		int rc;

		strcpy(text, cases[i].head);
		for (int n = 0; n < 255; n++)
			strcat(text, cases[i].unit);
		ck_assert_msg(uri_parse(text, &u, &e) == 0, "%s", e.text);
		ck_assert_int_eq(uri_check_path(u.path, &e), 0);
		strcat(text, cases[i].unit);
		/* A path may be the name of a topic, which is not sent as one. */
		rc = uri_parse(text, &u, &e);
		ck_assert_int_eq(rc, strchr(text, '?') ? -EINVAL : 0);
		if (rc == 0)
			rc = uri_check_path(u.path, &e);
		ck_assert_int_eq(rc, -EINVAL);
		ck_assert_str_eq(e.text, cases[i].why);
	}
}
END_TEST

START_TEST(control_characters_are_escaped)
{
	static const struct {
		const char *text;
		size_t n;
		const char *escaped;
	} cases[] = {
		{"", 0, ""},
		{"hall/temperature", 16, "hall/temperature"},
		{"a\0b\n\x1b[2J\x7f", 9, "a\\x00b\\x0a\\x1b[2J\\x7f"},
		{"\xc3\xa4\xe2\x82\xac ~", 7, "\xc3\xa4\xe2\x82\xac ~"},
		{"\xc2\x80\xc2\x9f\xc2\xa0", 6, "\\xc2\\x80\\xc2\\x9f\xc2\xa0"}, /* C1 */
		{"\xc2", 1, "\xc2"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char out[TEXT_ESCAPED(16)];

		ck_assert_uint_eq(text_escape(bytes_of(cases[i].text, cases[i].n), out),
			strlen(cases[i].escaped));
		ck_assert_str_eq(out, cases[i].escaped);
	}
}
END_TEST

/* "implementations MUST NOT assume that the topic-data resource is co-located with the broker" */
START_TEST(pubsub_2_2_1_topic_data_may_be_at_another_server)
{
	static const struct {
		const char *reference, *path;
	} cases[] = {
		{"/ps/data/t", "/ps/data/t"},
		{"coap://broker.example/other/t", "/other/t"},
		{"coap://BROKER.example:5683/t", "/t"},
		{"coap://broker.example:5684/ps/data/t", NULL},
		{"coap://elsewhere.example/ps/data/t", NULL},
		{"coap://[2001:db8::1]/ps/data/t", NULL},
	};
	static struct connection c;
	char path[256];
	struct error e;

	ck_assert_int_eq(uri_parse("coap://broker.example/t", &c.uri, &e), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool here = locate_path(&c, bytes_str(cases[i].reference), path, sizeof(path));

		ck_assert_int_eq(here, cases[i].path != NULL);
		if (here)
			ck_assert_str_eq(path, cases[i].path);
	}
}
END_TEST

/* Few lines, whatever is told of the whole; a total that is too small is none. */
START_TEST(steps_of_progress)
{
	static const struct {
		size_t n, total;
		unsigned steps;
	} cases[] = {{PROGRESS_LONG - 1, PROGRESS_LONG - 1, 0}, {60000, 60000, 10},
		{PROGRESS_LONG - 1, 0, 0}, {1 << 20, 0, 16}, {1 << 20, 1000, 16},
		{40000, SIZE_MAX, 0}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned steps = 0;
		size_t at = 0;

		for (size_t n = 1; n <= cases[i].n; n++)
			steps += progress_step(n, cases[i].total, 10, &at);
		ck_assert_uint_eq(steps, cases[i].steps);
	}
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("cli");
	TCase *t = tcase_create("cli");

	tcase_add_test(t, rfc7252_6_1_uris);
	tcase_add_test(t, rfc7252_6_1_not_uris);
	tcase_add_test(t, pubsub_2_2_1_topic_data_may_be_at_another_server);
	tcase_add_test(t, rfc7252_5_10_1_length_of_a_segment);
	tcase_add_test(t, control_characters_are_escaped);
	tcase_add_test(t, rfc8259_7_escapes);
	tcase_add_test(t, json_objects);
	tcase_add_test(t, arguments);
	tcase_add_test(t, several_uris);
	tcase_add_test(t, steps_of_progress);
	tcase_add_test(t, wrong_arguments);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
