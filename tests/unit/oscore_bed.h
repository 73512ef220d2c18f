/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Object security for tests: sequence numbers that are durable at once, contexts of the
 * vectors' groups, bindings made by hand, comparison of bytes.
 */
#ifndef COAPCAST_UNIT_OSCORE_BED_H
#define COAPCAST_UNIT_OSCORE_BED_H

#include <check.h>
#include <string.h>

#include "base/mem.h"
#include "json_vectors.h"
#include "oscore/context_impl.h"
#include "oscore/protect.h"
#include "oscore/unprotect.h"

static inline void
bed_reserve(void *ctx, struct ssn *s, uint64_t upto)
{
	(void)ctx;
	ssn_reserved(s, upto);
}

static const struct ssn_ops bed_ssn_ops = {.reserve = bed_reserve};

/* Numbers that begin at `at`. */
static inline struct ssn *
bed_ssn(uint64_t at)
{
	static const uint8_t fingerprint[SSN_FINGERPRINT];
	struct ssn *s = ssn_new(fingerprint, &bed_ssn_ops, NULL);
	struct error e;

	ck_assert_msg(ssn_start_stored(s, at, &e) == 0, "%s", e.text);
	return s;
}

/* Not random: what tests draw is to be the same every time. */
static inline void
bed_random(void *p, size_t n)
{
	static uint8_t next = 0xa5;
	uint8_t *b = p;

	for (size_t i = 0; i < n; i++)
		b[i] = next = (uint8_t)(next * 5 + 17);
}

/* Fails, showing both as hex, unless they are equal. */
#define BED_EQUAL(got, want, what) bed_equal(got, want, what, __LINE__)

static inline void
bed_equal(struct bytes got, struct bytes want, const char *what, int line)
{
	static char a[16384], b[16384];
	struct buf ha = buf_of(a, sizeof(a));
	struct buf hb = buf_of(b, sizeof(b));

	if (bytes_equal(got, want))
		return;
	buf_put_hex(&ha, got);
	buf_put_hex(&hb, want);
	ck_abort_msg(
		"line %d: %s is\n%s\nand should be\n%s", line, what, buf_str(&ha), buf_str(&hb));
}

/* The group of the vectors as member `name` sees it (NULL: silent), numbers from `at`. */
static inline struct context *
bed_group(const struct vectors *v, size_t group, const char *name, uint64_t at)
{
	size_t members = vectors_find(v, group, "members");
	size_t me = name != NULL ? vectors_find(v, members, name) : 0;
	struct context_group p = {
		.master_secret = vectors_hex(v, group, "master_secret"),
		.master_salt = vectors_hex(v, group, "master_salt"),
		.gid = vectors_hex(v, group, "gid"),
		.hkdf = (int)vectors_number(v, group, "hkdf", 0),
		.aead = (int)vectors_number(v, group, "alg_aead", 0),
		.group_encryption = (int)vectors_number(v, group, "alg_group_enc", 0),
		.signature = (int)vectors_number(v, group, "alg_signature", 0),
		.pairwise = (int)vectors_number(v, group, "alg_pairwise_key_agreement", 0),
		.cred_format = CRED_KCCS,
		.gm_cred = vectors_hex(v, group, "gm_cred"),
	};
	struct context *c;
	struct error e;

	if (me != 0) {
		p.sender_id = vectors_hex(v, me, "sender_id");
		p.cred = vectors_hex(v, me, "cred");
		p.private_key = vectors_hex(v, me, "private_key");
		p.ssn = bed_ssn(at);
	}
	ck_assert_msg(context_new_group(&p, &e, &c) == 0, "%s", e.text);
	ssn_release(p.ssn);
	for (size_t m = vectors_first(v, members); m != 0; m = vectors_next(v, members, m))
		if (m != me)
			ck_assert_msg(context_add_recipient(c, vectors_hex(v, m, "sender_id"),
					      vectors_hex(v, m, "cred"), true, (uint32_t)m, &e,
					      NULL) == 0,
				"%s", e.text);
	return c;
}

/* One direction of a plain context of the vectors; `turned`: as the recipient sees it. */
static inline struct context *
bed_plain(const struct vectors *v, size_t at, bool turned, uint64_t number, bool valid)
{
	struct context_plain p = {
		.master_secret = vectors_hex(v, at, "master_secret"),
		.master_salt = vectors_hex(v, at, "master_salt"),
		.id_context = vectors_hex(v, at, "id_context"),
		.sender_id = vectors_hex(v, at, turned ? "recipient_id" : "sender_id"),
		.recipient_id = vectors_hex(v, at, turned ? "sender_id" : "recipient_id"),
		.aead = (int)vectors_number(v, at, "alg", 0),
		.hkdf = (int)vectors_number(v, at, "hkdf", 0),
		.who = 7,
		.window_valid = valid,
		.ssn = bed_ssn(number),
	};
	struct context *c;
	struct error e;

	ck_assert_msg(context_new_plain(&p, &e, &c) == 0, "%s", e.text);
	ssn_release(p.ssn);
	return c;
}

/* A binding to a request that is not there: its values alone. */
static inline struct oscore_binding
bed_binding(struct context *c, enum oscore_mode mode, struct bytes kid, struct bytes piv,
	struct bytes kid_context)
{
	struct oscore_binding b = {.context = context_hold(c), .mode = (uint8_t)mode};

	b.n_kid = (uint8_t)kid.n;
	memcpy(b.kid, kid.p, kid.n);
	b.n_piv = (uint8_t)piv.n;
	memcpy(b.piv, piv.p, piv.n);
	if (kid_context.p != NULL) {
		b.origin = mem_alloc(sizeof(*b.origin) + kid_context.n);
		b.origin->refs = 1;
		b.origin->n = (uint8_t)kid_context.n;
		memcpy(b.origin->b, kid_context.p, kid_context.n);
	}
	return b;
}

#endif
