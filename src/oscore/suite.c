/* SPDX-License-Identifier: BSD-2-Clause */
#include "oscore/suite.h"

#include <errno.h>

static const struct suite_cipher ciphers[] = {
	{.name = "AES-CCM-16-64-128", .number = 10, .key = 16, .nonce = 13, .tag = 8},
	{.name = "AES-CCM-16-64-256", .number = 11, .key = 32, .nonce = 13, .tag = 8},
	{.name = "AES-CCM-64-64-128", .number = 12, .key = 16, .nonce = 7, .tag = 8},
	{.name = "AES-CCM-64-64-256", .number = 13, .key = 32, .nonce = 7, .tag = 8},
	{.name = "AES-CCM-16-128-128", .number = 30, .key = 16, .nonce = 13, .tag = 16},
	{.name = "AES-CCM-16-128-256", .number = 31, .key = 32, .nonce = 13, .tag = 16},
	{.name = "AES-CCM-64-128-128", .number = 32, .key = 16, .nonce = 7, .tag = 16},
	{.name = "AES-CCM-64-128-256", .number = 33, .key = 32, .nonce = 7, .tag = 16},
	{.name = "A128GCM", .number = 1, .key = 16, .nonce = 12, .tag = 16},
	{.name = "A192GCM", .number = 2, .key = 24, .nonce = 12, .tag = 16},
	{.name = "A256GCM", .number = 3, .key = 32, .nonce = 12, .tag = 16},
	{.name = "ChaCha20/Poly1305", .number = 24, .key = 32, .nonce = 12, .tag = 16},
	{.name = "A128CTR", .number = -65534, .key = 16, .nonce = 12, .tag = 0},
	{.name = "A192CTR", .number = -65533, .key = 24, .nonce = 12, .tag = 0},
	{.name = "A256CTR", .number = -65532, .key = 32, .nonce = 12, .tag = 0},
	{.name = NULL},
};

static const struct suite_signature signatures[] = {
	{.name = "EdDSA", .number = SUITE_EDDSA, .curve = SUITE_ED25519},
	{.name = "ES256", .number = SUITE_ES256, .curve = SUITE_P256},
	{.name = NULL},
};

struct name {
	const char *name; /* the first of a number is what it is called */
	int number;
};

static const struct name cipher_names[] = {
	{.name = "none", .number = SUITE_NONE},
	{.name = "AES-GCM-128", .number = 1},
	{.name = "AES-GCM-192", .number = 2},
	{.name = "AES-GCM-256", .number = 3},
	{.name = "AES-CTR-128", .number = -65534},
	{.name = "AES-CTR-192", .number = -65533},
	{.name = "AES-CTR-256", .number = -65532},
	{.name = NULL},
};

static const struct name signature_names[] = {
	{.name = "none", .number = SUITE_NONE},
	{.name = "Ed25519", .number = SUITE_EDDSA},
	{.name = NULL},
};

static const struct name hkdf_names[] = {
	{.name = "none", .number = SUITE_NONE},
	{.name = "SHA-256", .number = SUITE_HKDF_SHA256},
	{.name = "HMAC 256/256", .number = SUITE_HKDF_SHA256},
	{.name = "HKDF SHA-256", .number = SUITE_HKDF_SHA256},
	{.name = "SHA-512", .number = SUITE_HKDF_SHA512},
	{.name = "HMAC 512/512", .number = SUITE_HKDF_SHA512},
	{.name = "HKDF SHA-512", .number = SUITE_HKDF_SHA512},
	{.name = NULL},
};

static const struct name pairwise_names[] = {
	{.name = "none", .number = SUITE_NONE},
	{.name = "ECDH-SS + HKDF-256", .number = SUITE_ECDH_SS_HKDF256},
	{.name = "ECDH-SS + HKDF-512", .number = SUITE_ECDH_SS_HKDF512},
	{.name = NULL},
};

const struct suite_cipher *
suite_cipher(int number)
{
	for (const struct suite_cipher *c = ciphers; c->name != NULL; c++)
		if (c->number == number)
			return c;
	return NULL;
}

const struct suite_signature *
suite_signature(int number)
{
	for (const struct suite_signature *s = signatures; s->name != NULL; s++)
		if (s->number == number)
			return s;
	return NULL;
}

/* The next letter or digit, in lower case; 0 at the end. */
static char
next_char(struct bytes *b)
{
	while (b->n > 0) {
		uint8_t c = b->p[0];

		*b = bytes_from(*b, 1);
		if (c >= 'A' && c <= 'Z')
			return (char)(c | 0x20);
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			return (char)c;
		if (c != ' ' && c != '-' && c != '/' && c != '+' && c != '_')
			return '?'; /* no name has it */
	}
	return '\0';
}

static bool
same_name(struct bytes a, const char *name)
{
	struct bytes b = bytes_str(name);
	char c;

	do {
		c = next_char(&a);
		if (c != next_char(&b))
			return false;
	} while (c != '\0');
	return true;
}

static int
find_number(const struct name *names, struct bytes name, int *ret)
{
	for (; names->name != NULL; names++) {
		if (!same_name(name, names->name))
			continue;
		*ret = names->number;
		return 0;
	}
	return -ENOENT;
}

static const char *
find_name(const struct name *names, int number)
{
	for (; names->name != NULL; names++)
		if (names->number == number)
			return names->name;
	return "?";
}

int
suite_cipher_number(struct bytes name, int *ret)
{
	for (const struct suite_cipher *c = ciphers; c->name != NULL; c++) {
		if (!same_name(name, c->name))
			continue;
		*ret = c->number;
		return 0;
	}
	return find_number(cipher_names, name, ret);
}

int
suite_signature_number(struct bytes name, int *ret)
{
	for (const struct suite_signature *s = signatures; s->name != NULL; s++) {
		if (!same_name(name, s->name))
			continue;
		*ret = s->number;
		return 0;
	}
	return find_number(signature_names, name, ret);
}

int
suite_hkdf_number(struct bytes name, int *ret)
{
	return find_number(hkdf_names, name, ret);
}

int
suite_pairwise_number(struct bytes name, int *ret)
{
	return find_number(pairwise_names, name, ret);
}

const char *
suite_cipher_name(int number)
{
	const struct suite_cipher *c = suite_cipher(number);

	return c != NULL ? c->name : find_name(cipher_names, number);
}

const char *
suite_signature_name(int number)
{
	const struct suite_signature *s = suite_signature(number);

	return s != NULL ? s->name : find_name(signature_names, number);
}

const char *
suite_hkdf_name(int number)
{
	return find_name(hkdf_names, number);
}
