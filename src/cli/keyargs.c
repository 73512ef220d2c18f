/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/keyargs.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <string.h>

#include "conf/scalar.h"
#include "oscore/suite.h"

enum take {
	TAKE_FLAG,
	TAKE_TEXT,
	TAKE_URI, /* as the configuration takes it */
	TAKE_STRING, /* the same */
	TAKE_ID,
	TAKE_ALGORITHM,
	TAKE_MEMBERS,
	TAKE_MANAGED,
};

/* An option, whose it is and where it goes. */
struct rule {
	const char *name;
	int has_arg; /* as getopt_long has it */
	unsigned commands; /* enum keyargs_what */
	enum take take;
	size_t at;
	int (*number)(struct bytes name, int *ret); /* TAKE_ALGORITHM */
};

#define BOTH (KEYARGS_IDENTITY | KEYARGS_GROUP)
#define AT(member) offsetof(struct keyargs, member)

static const struct rule rules[] = {
	{"output", required_argument, BOTH, TAKE_TEXT, AT(folder), NULL},
	{"help", no_argument, BOTH, TAKE_FLAG, AT(help), NULL},
	{"psk", no_argument, KEYARGS_IDENTITY, TAKE_FLAG, AT(psk), NULL},
	{"broker-id", required_argument, KEYARGS_IDENTITY, TAKE_ID, AT(broker_id), NULL},
	{"client-id", required_argument, KEYARGS_IDENTITY, TAKE_ID, AT(client_id), NULL},
	{"id-context", required_argument, KEYARGS_IDENTITY, TAKE_ID, AT(id_context), NULL},
	{"managed", required_argument, KEYARGS_GROUP, TAKE_MANAGED, AT(self), NULL},
	{"members", required_argument, KEYARGS_GROUP, TAKE_MEMBERS, 0, NULL},
	{"gid", required_argument, KEYARGS_GROUP, TAKE_ID, AT(gid), NULL},
	{"group-encryption-algorithm", required_argument, KEYARGS_GROUP, TAKE_ALGORITHM,
		AT(group_encryption), suite_cipher_number},
	{"signature-algorithm", required_argument, KEYARGS_GROUP, TAKE_ALGORITHM, AT(signature),
		suite_signature_number},
	{"hkdf", required_argument, KEYARGS_GROUP, TAKE_ALGORITHM, AT(hkdf), suite_hkdf_number},
	{"aead-algorithm", required_argument, KEYARGS_GROUP, TAKE_ALGORITHM, AT(aead),
		suite_cipher_number},
	{"pairwise-key-agreement-algorithm", required_argument, KEYARGS_GROUP, TAKE_ALGORITHM,
		AT(pairwise), suite_pairwise_number},
	{"gm-credential", required_argument, KEYARGS_GROUP, TAKE_TEXT, AT(gm_credential), NULL},
	{"join-uri", required_argument, KEYARGS_GROUP, TAKE_URI, AT(join_uri), NULL},
	{"as-uri", required_argument, KEYARGS_GROUP, TAKE_URI, AT(as_uri), NULL},
	{"group-name", required_argument, KEYARGS_GROUP, TAKE_STRING, AT(group_name), NULL},
};

#define N_RULES (sizeof(rules) / sizeof(rules[0]))
#define OPTION(i) (256 + (int)(i))

/* What is fit for a file, and for YAML without quotes. */
static bool
is_name(struct bytes name)
{
	if (name.n == 0 || name.n > KEYARGS_MAX_NAME || name.p[0] == '.' || name.p[0] == '-')
		return false;
	for (size_t i = 0; i < name.n; i++) {
		uint8_t c = name.p[i];

		if (!(c >= '0' && c <= '9') && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') &&
			c != '.' && c != '-' && c != '_')
			return false;
	}
	/* The folders of the two others, and nobody's name. */
	return !bytes_is(name, "broker") && !bytes_is(name, "gm") && !bytes_is(name, "anonymous");
}

static int
take_name(struct bytes name, const char *what, struct error *e)
{
	if (is_name(name))
		return 0;
	error_set(e,
		"%s wants a name of letters, digits, dots, dashes and _ that is not broker, gm or "
		"anonymous, not \"%.*s\"",
		what, (int)(name.n > 80 ? 80 : name.n), (const char *)name.p);
	return -EINVAL;
}

static int
take_id(struct keyargs_id *ret, const char *text, const char *option, struct error *e)
{
	struct bytes hex = bytes_str(text);
	struct keyargs_id id = {.given = true};

	if (strncmp(text, "hex:", 4) == 0)
		hex = bytes_from(hex, 4);
	if (hex.n % 2 != 0 || hex.n / 2 > sizeof(id.b))
		goto fail;
	for (size_t i = 0; i < hex.n; i += 2) {
		int high = bytes_hex_digit(hex.p[i]), low = bytes_hex_digit(hex.p[i + 1]);

		if (high < 0 || low < 0)
			goto fail;
		id.b[id.n++] = (uint8_t)(high << 4 | low);
	}
	*ret = id;
	return 0;
fail:
	error_set(e, "--%s wants bytes in hexadecimal, not \"%.40s\"", option, text);
	return -EINVAL;
}

static int
take_members(struct keyargs *a, const char *text, struct error *e)
{
	for (const char *end; *text; text = *end ? end + 1 : end) {
		struct bytes name;

		end = strchrnul(text, ',');
		name = bytes_of(text, (size_t)(end - text));
		if (take_name(name, "--members", e) < 0)
			return -EINVAL;
		for (size_t i = 0; i < a->n_members; i++) {
			if (bytes_is(name, a->members[i])) {
				error_set(e, "--members has %s twice", a->members[i]);
				return -EINVAL;
			}
		}
		if (a->n_members == KEYARGS_MAX_MEMBERS) {
			error_set(e, "--members: more than %d", KEYARGS_MAX_MEMBERS);
			return -EINVAL;
		}
		memcpy(a->members[a->n_members++], name.p, name.n);
	}
	return 0;
}

/* It goes between quotes in YAML. */
static int
take_text(const char **ret, const char *text, const char *option, struct error *e)
{
	for (const char *p = text; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f || *p == '"' || *p == '\\') {
			error_set(e, "--%s wants no quotes, backslashes or control characters",
				option);
			return -EINVAL;
		}
	}
	if (*text == '\0') {
		error_set(e, "--%s wants a value", option);
		return -EINVAL;
	}
	*ret = text;
	return 0;
}

/* What the daemon would refuse is not written. */
static int
take_value(const char **ret, const char *text, const struct rule *r, struct error *e)
{
	const struct schema_key key = {
		.name = r->name, .type = r->take == TAKE_URI ? SCHEMA_URI : SCHEMA_STRING};
	struct arena arena = {0};
	struct scalar s = {.key = &key, .text = bytes_str(text), .arena = &arena};
	const char *copy;
	struct error why;
	int rc = take_text(ret, text, r->name, e);

	if (rc == 0 && (rc = scalar_parse(&s, &copy, &why)) < 0)
		error_set(e, "--%s %.200s", r->name, why.text);
	arena_fini(&arena);
	return rc;
}

static int
take_managed(struct keyargs *a, const char *text, struct error *e)
{
	a->self = strcmp(text, "self") == 0;
	if (a->self || strcmp(text, "external") == 0)
		return 0;
	error_set(e, "--managed wants self or external, not \"%.40s\"", text);
	return -EINVAL;
}

static int
take_option(struct keyargs *a, const struct rule *r, const char *text, struct error *e)
{
	void *at = (char *)a + r->at;

	if (!(r->commands & a->what)) {
		error_set(e, "--%s is no option of this command", r->name);
		return -EINVAL;
	}
	switch (r->take) {
	case TAKE_FLAG:
		*(bool *)at = true;
		return 0;
	case TAKE_TEXT:
		return take_text(at, text, r->name, e);
	case TAKE_URI:
	case TAKE_STRING:
		return take_value(at, text, r, e);
	case TAKE_ID:
		return take_id(at, text, r->name, e);
	case TAKE_MEMBERS:
		return take_members(a, text, e);
	case TAKE_MANAGED:
		return take_managed(a, text, e);
	case TAKE_ALGORITHM:
		break;
	}
	if (r->number(bytes_str(text), at) == 0)
		return 0;
	error_set(e, "--%s: there is no algorithm \"%.40s\"", r->name, text);
	return -EINVAL;
}

/* Rules between options, or NULL. What the keys themselves rule out is found later. */
static const char *
wrong_identity(const struct keyargs *a)
{
	if (a->psk && (a->broker_id.given || a->client_id.given || a->id_context.given))
		return "a pre-shared key has no Sender IDs and no ID Context";
	return NULL;
}

static const char *
wrong_algorithms(const struct keyargs *a)
{
	const struct suite_cipher *aead = suite_cipher(a->aead);

	if (a->group_encryption == SUITE_NONE || a->signature == SUITE_NONE ||
		a->hkdf == SUITE_NONE)
		return "a group needs a cipher, a signature and an HKDF";
	return aead && aead->tag == 0 ? "--aead-algorithm wants one that authenticates" : NULL;
}

static const char *
wrong_group(const struct keyargs *a)
{
	if (a->self && (a->gid.given || a->gm_credential || a->join_uri || a->as_uri))
		return "a group with --managed self draws its Gid itself and has no Group Manager";
	if (a->gid.given && a->gid.n == 0)
		return "--gid must not be empty";
	if (!a->join_uri && (a->as_uri || a->group_name))
		return "--as-uri and --group-name come with --join-uri";
	return wrong_algorithms(a);
}

static int
check(const struct keyargs *a, struct error *e)
{
	const char *wrong = a->what == KEYARGS_IDENTITY ? wrong_identity(a) : wrong_group(a);

	if (!wrong)
		return 0;
	error_set(e, "%s", wrong);
	return -EINVAL;
}

/* Pairwise mode is both or none. */
static void
complete(struct keyargs *a)
{
	if (a->aead != SUITE_NONE && a->pairwise == SUITE_NONE)
		a->pairwise = SUITE_ECDH_SS_HKDF256;
	if (a->pairwise != SUITE_NONE && a->aead == SUITE_NONE)
		a->aead = SUITE_CCM_16_64_128;
}

static void
fill_options(struct option *options)
{
	for (size_t i = 0; i < N_RULES; i++) {
		options[i] = (struct option){
			.name = rules[i].name, .has_arg = rules[i].has_arg, .val = OPTION(i)};
	}
	options[N_RULES] = (struct option){.name = NULL};
}

/* The rule of what getopt_long returned; NULL: it refused. */
static const struct rule *
rule_of(int c)
{
	if (c == 'o')
		return &rules[0];
	if (c == 'h')
		return &rules[1];
	return c >= OPTION(0) && c < OPTION(N_RULES) ? &rules[c - OPTION(0)] : NULL;
}

int
keyargs_parse(int argc, char **argv, enum keyargs_what what, struct keyargs *ret, struct error *e)
{
	struct keyargs a = {.what = what,
		.folder = ".",
		.group_encryption = SUITE_CCM_16_64_128,
		.signature = SUITE_EDDSA,
		.hkdf = SUITE_HKDF_SHA256};
	struct option options[N_RULES + 1];
	int c;

	fill_options(options);
	optind = 0; /* glibc: start anew */
	while ((c = getopt_long(argc, argv, ":ho:", options, NULL)) != -1) {
		const struct rule *r = rule_of(c);

		if (!r) {
			error_set(e, c == ':' ? "%s wants a value" : "there is no option %s",
				argv[optind - 1]);
			return -EINVAL;
		}
		if (take_option(&a, r, optarg, e) < 0)
			return -EINVAL;
	}
	if (!a.help) {
		if (argc - optind != 1) {
			error_set(e, argc == optind ? "no name given" : "one name, please");
			return -EINVAL;
		}
		a.name = argv[optind];
		if (take_name(bytes_str(a.name), "keygen", e) < 0 || check(&a, e) < 0)
			return -EINVAL;
		complete(&a);
	}
	*ret = a;
	return 0;
}
