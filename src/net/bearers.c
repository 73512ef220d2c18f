/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/bearers.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/rnd.h"
#include "oscore/mac.h"

#define SALT 16
#define MARK 8
/* Beside the secrets of groups, whose names are text. */
#define PREFIX BYTES_LIT("\0bearers ")
#define NAME_MAX_LEN 512

/* Of one group. */
struct kept {
	struct kept *next;
	size_t n_name, n;
	uint8_t bytes[]; /* the record's name; salt, and marks */
};

struct bearers {
	struct kept *first;
};

static struct bytes
name_of(const struct kept *k)
{
	return bytes_of(k->bytes, k->n_name);
}

static struct bytes
marks_of(const struct kept *k)
{
	return bytes_from(bytes_of(k->bytes + k->n_name, k->n), SALT);
}

static int
look(void *ctx, const union store_record *record)
{
	const struct store_secret *s = &record->secret;
	struct bearers *b = ctx;
	struct kept *k;

	if (!bytes_equal(bytes_head(s->name, PREFIX.n), PREFIX) || s->secret.n < SALT ||
		(s->secret.n - SALT) % MARK != 0)
		return 0;
	k = mem_alloc(sizeof(*k) + s->name.n + s->secret.n);
	k->n_name = s->name.n;
	k->n = s->secret.n;
	memcpy(k->bytes, s->name.p, s->name.n);
	memcpy(k->bytes + k->n_name, s->secret.p, s->secret.n);
	k->next = b->first;
	b->first = k;
	return 0;
}

struct bearers *
bearers_load(struct store *store)
{
	struct bearers *b = mem_alloc(sizeof(*b));
	struct error e;

	if (store)
		(void)store_load(store, STORE_SECRET, look, b, &e);
	return b;
}

void
bearers_free(struct bearers *b)
{
	struct kept *k;

	while (b && (k = b->first) != NULL) {
		b->first = k->next;
		free(k);
	}
	free(b);
}

static void
put_name(const struct broker_security *s, struct buf *out)
{
	buf_put(out, PREFIX);
	buf_put_str(out, groupkeys_name(s));
}

/* --- marks ----------------------------------------------------------------------------- */

#define PARTS 9

static void
take_parts(const struct conf_identity *id, struct bytes parts[PARTS])
{
	static const struct conf_oscore no_oscore = {.sender_id = {0}};
	const struct conf_oscore *o = id->oscore ? id->oscore : &no_oscore;

	parts[0] = bytes_str(id->name);
	parts[1] = id->psk ? bytes_str(id->psk->identity) : BYTES_NONE;
	parts[2] = id->psk ? id->psk->key : BYTES_NONE;
	parts[3] = id->certificate ? bytes_str(id->certificate->cn) : BYTES_NONE;
	parts[4] = o->sender_id;
	parts[5] = o->recipient_id;
	parts[6] = o->master_secret;
	parts[7] = o->master_salt;
	parts[8] = o->id_context;
}

/* Of an identity with the keys it has; of random bytes, which are nobody's, without libcrypto. */
static void
make_mark(struct bytes salt, const struct conf_identity *id, uint8_t ret[MARK])
{
	struct bytes parts[PARTS];
	uint8_t digest[MAC_LEN], *p;
	size_t n = salt.n;
	struct buf out;

	take_parts(id, parts);
	for (size_t i = 0; i < PARTS; i++)
		n += 4 + parts[i].n;
	p = mem_alloc(n);
	out = buf_of(p, n);
	buf_put(&out, salt);
	for (size_t i = 0; i < PARTS; i++) {
		buf_put_u16(&out, (uint16_t)(parts[i].n >> 16));
		buf_put_u16(&out, (uint16_t)parts[i].n);
		buf_put(&out, parts[i]);
	}
	if (mac_digest(buf_bytes(&out), digest) < 0)
		rnd_fill(digest, sizeof(digest));
	memcpy(ret, digest, MARK);
	mem_wipe(p, n);
	free(p);
}

/* The marks of those who may have the keys of that group, in memory to be freed. */
static uint8_t *
make_marks(
	const struct revoke *r, const struct broker_security *s, struct bytes salt, size_t *ret_n)
{
	const struct conf *conf = revoke_conf(r);
	uint8_t *marks = mem_alloc((conf->n_identities + 1) * MARK);
	size_t n = 0;

	for (size_t i = 0; i < conf->n_identities; i++) {
		if (revoke_found(r, s, i))
			make_mark(salt, &conf->identities[i], marks + MARK * n++);
	}
	*ret_n = n * MARK;
	return marks;
}

static bool
is_among(const uint8_t *mark, struct bytes marks)
{
	for (size_t i = 0; i < marks.n; i += MARK) {
		if (memcmp(marks.p + i, mark, MARK) == 0)
			return true;
	}
	return false;
}

/* --- at a start, and later ---------------------------------------------------------------- */

static const struct kept *
find(const struct bearers *b, const struct broker_security *s)
{
	uint8_t bytes[NAME_MAX_LEN];
	struct buf name = BUF_OF(bytes);
	const struct kept *k = b->first;

	put_name(s, &name);
	while (k && !bytes_equal(name_of(k), buf_bytes(&name)))
		k = k->next;
	return k;
}

static bool
is_one_gone(const struct kept *k, const struct revoke *r, const struct broker_security *s)
{
	struct bytes before = marks_of(k);
	bool gone = false;
	uint8_t *now;
	size_t n;

	now = make_marks(r, s, bytes_of(k->bytes + k->n_name, SALT), &n);
	for (size_t i = 0; i < before.n && !gone; i += MARK)
		gone = !is_among(before.p + i, bytes_of(now, n));
	free(now);
	return gone;
}

unsigned
bearers_review(const struct bearers *b, const struct revoke *r)
{
	const struct broker_security *s;
	unsigned n = 0;

	for (size_t i = 0; (s = groupkeys_at(revoke_keys(r), i)) != NULL; i++) {
		const struct kept *k = groupkeys_is_self(s) ? find(b, s) : NULL;

		if (k && is_one_gone(k, r, s)) {
			groupkeys_revoke(revoke_keys(r), s);
			n++;
		}
	}
	return n;
}

void
bearers_save_of(const struct revoke *r, const struct broker_security *s, struct store *store)
{
	uint8_t name_bytes[NAME_MAX_LEN], salt[SALT], *marks, *all;
	struct buf name = BUF_OF(name_bytes);
	union store_record record;
	size_t n;

	put_name(s, &name);
	rnd_fill(salt, sizeof(salt));
	marks = make_marks(r, s, BYTES_OF(salt), &n);
	all = mem_alloc(SALT + n);
	memcpy(all, salt, SALT);
	memcpy(all + SALT, marks, n);
	record = (union store_record){
		.secret = {.name = buf_bytes(&name), .secret = bytes_of(all, SALT + n)}};
	(void)store_put(store, STORE_SECRET, &record, STORE_NOW, NULL);
	free(marks);
	free(all);
}

void
bearers_save(const struct revoke *r, struct store *store)
{
	const struct broker_security *s;

	for (size_t i = 0; store && (s = groupkeys_at(revoke_keys(r), i)) != NULL; i++) {
		if (groupkeys_is_self(s))
			bearers_save_of(r, s, store);
	}
}
