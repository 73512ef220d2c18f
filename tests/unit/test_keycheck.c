/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keys and credentials of a configuration that are what they are to be, and those that are
 * not, each with the exact line that says why.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hex.h"
#include "net/keycheck.h"
#include "oscore/cred.h"
#include "unit.h"

#define ONE "1111111111111111111111111111111111111111111111111111111111111111"
#define TWO "2222222222222222222222222222222222222222222222222222222222222222"
#define ORDER "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551" /* of P-256 */
#define GROUP "oscore-groups:\n- { name: k, private-key: hex:"
#define EXTERNAL(own)                                                                       \
	GROUP own ", managed: external,\n  gid: hex:01, sender-id: hex:05, master-secret: " \
		  "hex:00112233,\n  gm-credential: @gm,\n  credential: @"
#define MEMBER(cred) \
	",\n  members: [ { name: m, sender-id: hex:25,\n    credential: " cred " } ] }\n"

/* The credentials that a text may name with an @. */
static const struct {
	const char *name;
	enum suite_curve curve;
	const char *key;
} credentials[] = {
	{"@one", SUITE_ED25519, ONE},
	{"@two", SUITE_ED25519, TWO},
	{"@gm", SUITE_P256, TWO}, /* nothing it signs is verified here */
	{"@p256", SUITE_P256, ONE},
};

static const struct row {
	const char *text;
	const char *error; /* what comes after "f:"; NULL: it is good */
} rows[] = {
	{GROUP ONE " }\n", NULL},
	{GROUP ONE ", signature-algorithm: ES256 }\n", NULL},
	{GROUP ONE ", credential: @one }\n", NULL},
	{GROUP ONE ", credential: @p256, signature-algorithm: ES256 }\n", NULL},
	{EXTERNAL(ONE) "one" MEMBER("@two"), NULL},
	/* Of no use to a self-managed group, so nobody looks at them. */
	{GROUP ONE MEMBER("hex:00"), NULL},
	{GROUP ONE ", gm-credential: hex:00 }\n", NULL},
	/* Masked, as --print-config writes it. */
	{"oscore-groups:\n- { name: k, private-key: \"masked:\" }\n", NULL},

	{GROUP ONE "11 }\n", "2:27: oscore-groups[0].private-key: a private key is 32 bytes or "
			     "PEM; this has 33 bytes"},
	{"oscore-groups:\n- { name: k, private-key: \"text:-----BEGIN PRIVATE KEY-----\\nMC4=\\n"
	 "-----END PRIVATE KEY-----\" }\n",
		"2:27: oscore-groups[0].private-key: this PEM has no private key that can be read "
		"without a passphrase"},
	{GROUP ORDER ", signature-algorithm: ES256 }\n",
		"2:27: oscore-groups[0].private-key: these 32 bytes are no private key of the "
		"curve"},
	{GROUP ONE ", credential: @two }\n",
		"2:27: oscore-groups[0].private-key: does not belong to the credential"},
	{GROUP ONE ", credential: @p256 }\n",
		"2:109: oscore-groups[0].credential: its key is not of the curve that "
		"signature-algorithm EdDSA takes"},
	{GROUP ONE ", credential: @one, signature-algorithm: ES256 }\n",
		"2:109: oscore-groups[0].credential: its key is not of the curve that "
		"signature-algorithm ES256 takes"},
	{GROUP ONE ", credential: hex:a0 }\n",
		"2:109: oscore-groups[0].credential: the credential has no key (claim cnf with a "
		"COSE_Key)"},
	{GROUP ONE ", credential: hex:a2 }\n",
		"2:109: oscore-groups[0].credential: the credential is not well-formed CBOR of its "
		"format"},
	{GROUP ONE ", credential: @one, credential-format: x5chain }\n",
		"2:109: oscore-groups[0].credential: the credential is not an X.509 certificate in "
		"DER"},
	{GROUP ONE ", credential-format: CWT }\n",
		"2:3: oscore-groups[0].credential: is required with this credential-format: only a "
		"CCS can be made of the private key"},
	{"oscore-groups:\n- { name: k, private-key: hex:" ONE
	 " }\n- { name: l, private-key: hex:" ONE ", credential: @two }\n",
		"3:27: oscore-groups[1].private-key: does not belong to the credential"},

	{EXTERNAL(TWO) "one }\n",
		"2:27: oscore-groups[0].private-key: does not belong to the credential"},
	{EXTERNAL(ONE) "one" MEMBER("@p256"),
		"7:17: oscore-groups[0].members[0].credential: its key is not of the curve that "
		"signature-algorithm EdDSA takes"},
	{EXTERNAL(ONE) "one" MEMBER("hex:00"), "7:17: oscore-groups[0].members[0].credential: the "
					       "credential has no key (claim cnf "
					       "with a COSE_Key)"},
	{EXTERNAL(ONE) "one" MEMBER("@one"), "7:17: oscore-groups[0].members[0].credential: has "
					     "the key that private-key is of"},
	{EXTERNAL(ONE) "one,\n  members: [ { name: m, sender-id: hex:25, credential: @two },\n"
		       "    { name: n, sender-id: hex:26, credential: @two } ] }\n",
		"7:47: oscore-groups[0].members[1].credential: has the same key as that of "
		"members[0]"},
	{GROUP ONE ", managed: external, gid: hex:01, sender-id: hex:05,\n master-secret: hex:00,\n"
		   " gm-credential: text:nobody }\n",
		"4:17: oscore-groups[0].gm-credential: the credential is not well-formed CBOR of "
		"its "
		"format"},
};

static void
put_credential(struct buf *out, size_t i)
{
	uint8_t raw[HEX_MAX], ccs[256];
	struct buf cred = BUF_OF(ccs);
	struct crypto_key *k;
	struct error e;

	ck_assert_int_eq(crypto_key_private(
				 credentials[i].curve, hex_bytes(credentials[i].key, raw), &e, &k),
		0);
	ck_assert_int_eq(cred_make(BYTES_NONE, k, &cred), 0);
	crypto_key_free(k);
	buf_put_str(out, "hex:");
	buf_put_hex(out, buf_bytes(&cred));
}

/* The text with the credentials it names. */
static void
expand(const char *text, struct buf *out)
{
	const size_t n = sizeof(credentials) / sizeof(credentials[0]);

	while (*text != '\0') {
		size_t i = n;

		if (*text == '@') {
			for (i = 0; i < n; i++)
				if (strncmp(text, credentials[i].name,
					    strlen(credentials[i].name)) == 0)
					break;
			ck_assert_msg(i < n, "no credential at %s", text);
		}
		if (i < n) {
			put_credential(out, i);
			text += strlen(credentials[i].name);
		} else {
			buf_put_u8(out, (uint8_t)*text++);
		}
	}
	ck_assert(!out->full);
}

START_TEST(keys_are_looked_at)
{
	const struct row *r = &rows[_i];
	char text[8192];
	struct buf out = buf_of(text, sizeof(text));
	struct error e = {0};
	struct conf *c;
	int rc;

	expand(r->text, &out);
	ck_assert_msg(conf_parse(buf_bytes(&out), "f", &c, &e) == 0, "%s", e.text);
	rc = keycheck_all(c, &e);
	conf_free(c);
	if (!r->error) {
		ck_assert_msg(rc == 0, "%s", e.text);
		return;
	}
	ck_assert_int_eq(rc, -EINVAL);
	ck_assert_msg(strncmp(e.text, "f:", 2) == 0 && strcmp(e.text + 2, r->error) == 0,
		"got  %s\nwant f:%s", e.text, r->error);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("keycheck");
	TCase *t = tcase_create("keycheck");

	tcase_add_loop_test(t, keys_are_looked_at, 0, (int)(sizeof(rows) / sizeof(rows[0])));
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
