/* SPDX-License-Identifier: BSD-2-Clause */
/* Which credentials protect what goes where; nothing goes out in clear when some were given. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/protection.h"
#include "unit.h"

#define PSK "psk: { identity: me, key: 'text:the key' }"
#define CERTIFICATE "certificate: { ca: ca.crt }"
#define OSCORE "oscore: { sender-id: 'hex:01', recipient-id: 'hex:03', master-secret: 'hex:0102' }"
#define GROUP                                                                  \
	"oscore-groups:\n  - { name: hall, managed: external, gid: 'hex:37', " \
	"master-secret: 'hex:0102', gm-credential: 'hex:0102' }\n"
#define LIST "identities:\n"
#define ONE(name, what) "  - { name: " name ", " what " }\n"

static char folder[64], path[96];

static void
setup(void)
{
	FILE *f;
	char ca[96];

	(void)snprintf(folder, sizeof(folder), "/tmp/protection.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/c.yaml", folder);
	(void)snprintf(ca, sizeof(ca), "%s/ca.crt", folder);
	f = fopen(ca, "we");
	ck_assert_ptr_nonnull(f);
	(void)fclose(f);
}

static void
teardown(void)
{
	char ca[96];

	(void)snprintf(ca, sizeof(ca), "%s/ca.crt", folder);
	(void)unlink(ca);
	(void)unlink(path);
	(void)rmdir(folder);
}

static struct credentials *
load(const char *text, const char *identity)
{
	struct credentials *c;
	struct error e;
	FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	(void)fclose(f);
	(void)chmod(path, 0600);
	ck_assert_msg(credentials_load(path, identity, &c, &e) == 0, "%s", e.text);
	return c;
}

enum { NONE = 0, OBJECT = PROTECTION_OBJECT, TRANSPORT = PROTECTION_TRANSPORT, BOTH = 3 };

/* What protects a URI of each scheme; NONE: nothing is sent, and the line says so. */
static const struct {
	const char *text, *identity;
	unsigned coap, coaps; /* as over UDP, so over TCP */
	const char *why[2];
} rows[] = {
	/* One identity, which need not be named. */
	{LIST ONE("a", OSCORE), NULL, OBJECT, NONE, {NULL, "a has neither psk nor"}},
	{LIST ONE("a", PSK), NULL, NONE, TRANSPORT, {"a has no OSCORE keys", NULL}},
	{LIST ONE("a", CERTIFICATE), NULL, NONE, TRANSPORT, {"a has no OSCORE keys", NULL}},
	{LIST ONE("a", PSK ", " OSCORE), NULL, OBJECT, BOTH, {NULL, NULL}},
	{LIST ONE("a", CERTIFICATE ", " OSCORE), NULL, OBJECT, BOTH, {NULL, NULL}},
	{LIST ONE("a", PSK), "a", NONE, TRANSPORT, {"a has no OSCORE keys", NULL}},
	{LIST ONE("a", OSCORE), "a", OBJECT, NONE, {NULL, "a has neither psk nor"}},
	/* Several: the one that is meant has to be named, whatever the others are good for. */
	{LIST ONE("a", OSCORE) ONE("b", OSCORE), NULL, NONE, NONE, {": a, b", ": a, b"}},
	{LIST ONE("a", PSK) ONE("b", OSCORE), NULL, NONE, NONE, {": a, b", ": a, b"}},
	{LIST ONE("a", OSCORE) ONE("b", OSCORE), "b", OBJECT, NONE, {NULL, "b has neither"}},
	{LIST ONE("a", PSK) ONE("b", OSCORE), "a", NONE, TRANSPORT, {"a has no OSCORE", NULL}},
	{LIST ONE("a", PSK) ONE("b", OSCORE), "b", OBJECT, NONE, {NULL, "b has neither"}},
	/* Groups protect what goes to all of a group, not to one server. */
	{GROUP, NULL, NONE, NONE, {"has no identity", "has no identity"}},
	{GROUP, "hall", NONE, NONE, {"hall is a group", "hall is a group"}},
	{LIST ONE("a", OSCORE) GROUP, NULL, OBJECT, NONE, {NULL, "a has neither psk nor"}},
	{LIST ONE("a", OSCORE) GROUP, "hall", NONE, NONE, {"hall is a group", "hall is a group"}},
	{LIST ONE("a", PSK) GROUP, NULL, NONE, TRANSPORT, {"a has no OSCORE keys", NULL}},
	{LIST ONE("a", PSK) ONE("b", PSK) GROUP, NULL, NONE, NONE, {": a, b", ": a, b"}},
};

START_TEST(nothing_goes_out_in_clear)
{
	static const enum uri_scheme schemes[] = {URI_COAP, URI_COAP_TCP, URI_COAPS, URI_COAPS_TCP};
	struct credentials *c = load(rows[_i].text, rows[_i].identity);

	for (size_t i = 0; i < 4; i++) {
		unsigned wanted = i < 2 ? rows[_i].coap : rows[_i].coaps, got = NONE;
		struct error e = {.text = ""};
		int rc = protection_choose(c, path, rows[_i].identity, schemes[i], &e, &got);

		ck_assert_int_eq(rc, wanted == NONE ? -EINVAL : 0);
		ck_assert_uint_eq(got, wanted);
		if (wanted == NONE) {
			ck_assert_msg(strstr(e.text, rows[_i].why[i / 2]), "%s", e.text);
			ck_assert_msg(strncmp(e.text, path, strlen(path)) == 0, "%s", e.text);
		}
	}
	credentials_free(c);
}

/* However many there are, the line has an end, and it is seen that there are more. */
START_TEST(names_to_choose_from_fit_the_line)
{
	char text[8192] = LIST, name[128];
	struct credentials *c;
	struct error e;
	unsigned got;

	for (int i = 0; i < 32; i++) {
		(void)snprintf(name, sizeof(name), "  - { name: identity-%02d, " PSK " }\n", i);
		strcat(text, name);
	}
	c = load(text, NULL);
	ck_assert_int_eq(protection_choose(c, path, NULL, URI_COAP, &e, &got), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.text, ": identity-00, identity-01, "));
	ck_assert_ptr_nonnull(strstr(e.text, " ..."));
	ck_assert_ptr_null(strstr(e.text, "identity-31"));
	credentials_free(c);
}

/* What makes no sense is told where it is. */
START_TEST(identities_that_cannot_be_used)
{
	static const struct {
		const char *text, *error;
	} wrong[] = {
		{LIST "  - name: a\n",
			":2:5: identities[0]: needs one of psk, certificate and oscore"},
		{LIST ONE("a", PSK ", " CERTIFICATE), ":2:73: identities[0].certificate: psk and "
						      "certificate exclude each other"},
		{LIST ONE("a", "certificate: { ca: ca.crt, file: ca.crt }"),
			":2:29: identities[0].certificate: file and key come together"},
		{LIST ONE("a", "oscore: { sender-id: 'hex:01',\n      recipient-id: 'hex:01', "
			       "master-secret: 'hex:01' }"),
			":3:21: identities[0].oscore.recipient-id: must not be the same as "
			"sender-id"},
		{LIST ONE("a", "oscore: { sender-id: 'hex:0102030405060708' }"),
			":2:37: identities[0].oscore.sender-id: "},
	};
	struct credentials *c;
	struct error e;
	FILE *f;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		f = fopen(path, "we");
		ck_assert_ptr_nonnull(f);
		ck_assert_int_ge(fputs(wrong[i].text, f), 0);
		(void)fclose(f);
		(void)chmod(path, 0600);
		ck_assert_int_eq(credentials_load(path, NULL, &c, &e), -EINVAL);
		ck_assert_msg(strncmp(e.text, path, strlen(path)) == 0 &&
				      strncmp(e.text + strlen(path), wrong[i].error,
					      strlen(wrong[i].error)) == 0,
			"%s, wanted %s", e.text, wrong[i].error);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("protection");
	TCase *t = tcase_create("choose");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, nothing_goes_out_in_clear, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(t, names_to_choose_from_fit_the_line);
	tcase_add_test(t, identities_that_cannot_be_used);
	suite_add_tcase(s, t);
	return unit_run(s);
}
