/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/inform.h"

#include <errno.h>

#include "wire/cri.h"

/*
 * Two tables of fields, one per generation, in the order of encoding. A field
 * has a key, a place in struct inform, and a codec for what is there; so does
 * everything that reads or writes the map need no more than one loop.
 */
struct field;

struct codec {
	bool (*present)(const struct inform *in, const struct field *f);
	void (*put)(struct buf *out, const struct inform *in, const struct field *f);
	/* Takes the value; 0 or -EBADMSG. */
	int (*get)(struct cborget *c, struct inform *in, const struct field *f);
};

struct field {
	const char *name; /* text key; NULL: an integer key */
	const struct codec *codec;
	uint16_t key; /* integer key */
	uint16_t at; /* offset of the value in struct inform */
	uint16_t has; /* offset of its has_ flag, for the codecs that want one */
};

static const void *
value_of(const struct inform *in, const struct field *f)
{
	return (const uint8_t *)in + f->at;
}

static void *
place_of(struct inform *in, const struct field *f)
{
	return (uint8_t *)in + f->at;
}

static bool
bytes_present(const struct inform *in, const struct field *f)
{
	return ((const struct bytes *)value_of(in, f))->p != NULL;
}

static void
bstr_put(struct buf *out, const struct inform *in, const struct field *f)
{
	cborbuf_put_bstr(out, *(const struct bytes *)value_of(in, f));
}

static int
bstr_get(struct cborget *c, struct inform *in, const struct field *f)
{
	return cborget_bstr(c, place_of(in, f));
}

static const struct codec bstr = {bytes_present, bstr_put, bstr_get};

static void
tstr_put(struct buf *out, const struct inform *in, const struct field *f)
{
	cborbuf_put_tstr(out, *(const struct bytes *)value_of(in, f));
}

static int
tstr_get(struct cborget *c, struct inform *in, const struct field *f)
{
	return cborget_tstr(c, place_of(in, f));
}

static const struct codec tstr = {bytes_present, tstr_put, tstr_get};

/* Arrays and maps that others interpret are kept as they came. */
static void
raw_put(struct buf *out, const struct inform *in, const struct field *f)
{
	buf_put(out, *(const struct bytes *)value_of(in, f));
}

static int
raw_array_get(struct cborget *c, struct inform *in, const struct field *f)
{
	return cborget_peek(c) == ITEM_ARRAY ? cborget_raw(c, place_of(in, f)) : -EBADMSG;
}

static int
raw_map_get(struct cborget *c, struct inform *in, const struct field *f)
{
	return cborget_peek(c) == ITEM_MAP ? cborget_raw(c, place_of(in, f)) : -EBADMSG;
}

static const struct codec raw_array = {bytes_present, raw_put, raw_array_get};
static const struct codec raw_map = {bytes_present, raw_put, raw_map_get};

static bool
flag_present(const struct inform *in, const struct field *f)
{
	return *(const bool *)((const uint8_t *)in + f->has);
}

static void
set_flag(struct inform *in, const struct field *f)
{
	*(bool *)((uint8_t *)in + f->has) = true;
}

static void
uint_put(struct buf *out, const struct inform *in, const struct field *f)
{
	cborbuf_put_uint(out, *(const uint64_t *)value_of(in, f));
}

static int
uint_get(struct cborget *c, struct inform *in, const struct field *f)
{
	set_flag(in, f);
	return cborget_uint(c, place_of(in, f));
}

static const struct codec seconds = {flag_present, uint_put, uint_get};

static void
date_put(struct buf *out, const struct inform *in, const struct field *f)
{
	cborbuf_put_int(out, *(const int64_t *)value_of(in, f));
}

static int
date_get(struct cborget *c, struct inform *in, const struct field *f)
{
	set_flag(in, f);
	return cborget_number(c, place_of(in, f));
}

static const struct codec date = {flag_present, date_put, date_get};

static bool
value_present(const struct inform *in, const struct field *f)
{
	return ((const struct inform_value *)value_of(in, f))->present;
}

static void
value_put(struct buf *out, const struct inform *in, const struct field *f)
{
	const struct inform_value *v = value_of(in, f);

	if (v->text.p != NULL)
		cborbuf_put_tstr(out, v->text);
	else
		cborbuf_put_int(out, v->number);
}

static int
number_get(struct cborget *c, struct inform *in, const struct field *f)
{
	struct inform_value *v = place_of(in, f);

	v->present = true;
	return cborget_int(c, &v->number);
}

static int
value_get(struct cborget *c, struct inform *in, const struct field *f)
{
	struct inform_value *v = place_of(in, f);

	if (cborget_peek(c) != ITEM_TSTR)
		return number_get(c, in, f);
	v->present = true;
	return cborget_tstr(c, &v->text);
}

static const struct codec number = {value_present, value_put, number_get};
static const struct codec int_or_text = {value_present, value_put, value_get};

/* "Transport-Specific Message Information": the server's CRI and, for UDP, two details. */
static bool
tp_info_present(const struct inform *in, const struct field *f)
{
	(void)f;
	return in->client.family != AF_UNSPEC;
}

static void
tp_info_put(struct buf *out, const struct inform *in, const struct field *f)
{
	(void)f;
	cborbuf_put_array(out, 3);
	cri_put(out, &in->server);
	cri_put(out, &in->client);
	cborbuf_put_bstr(out, bytes_of(in->token.b, in->token.n));
}

static int
set_token(struct token *t, struct bytes b)
{
	if (b.n > sizeof(t->b))
		return -EBADMSG;
	memset(t, 0, sizeof(*t));
	memcpy(t->b, b.p, b.n);
	t->n = (uint8_t)b.n;
	return 0;
}

static int
tp_info_get(struct cborget *c, struct inform *in, const struct field *f)
{
	struct bytes token;
	uint64_t n;

	(void)f;
	if (cborget_array(c, &n) != 0 || (n != 1 && n != 3))
		return -EBADMSG;
	if (cri_get(c, &in->server) != 0)
		return -EBADMSG;
	if (n == 1) /* details MAY be omitted: the client knows them otherwise */
		return 0;
	if (cri_get(c, &in->client) != 0 || cborget_bstr(c, &token) != 0)
		return -EBADMSG;
	return set_token(&in->token, token);
}

static const struct codec tp_info = {tp_info_present, tp_info_put, tp_info_get};

/* The seed's section 2: address of 4 or 16 bytes; the port is our addition. */
static void
address_put(struct buf *out, const struct inform *in, const struct field *f)
{
	(void)f;
	cborbuf_put_bstr(out, addr_ip(&in->client));
}

static int
address_get(struct cborget *c, struct inform *in, const struct field *f)
{
	uint16_t port = in->client.port; /* when "port" came first */
	struct bytes ip;

	(void)f;
	if (cborget_bstr(c, &ip) != 0)
		return -EBADMSG;
	return cri_host(ip, port != 0 ? port : INFORM_DEFAULT_PORT, &in->client);
}

static const struct codec address = {tp_info_present, address_put, address_get};

static bool
port_present(const struct inform *in, const struct field *f)
{
	(void)f;
	return in->client.port != INFORM_DEFAULT_PORT;
}

static void
port_put(struct buf *out, const struct inform *in, const struct field *f)
{
	(void)f;
	cborbuf_put_uint(out, in->client.port);
}

static int
port_get(struct cborget *c, struct inform *in, const struct field *f)
{
	uint64_t port;

	(void)f;
	if (cborget_uint(c, &port) != 0 || port == 0 || port > UINT16_MAX)
		return -EBADMSG;
	in->client.port = (uint16_t)port;
	return 0;
}

static const struct codec port_codec = {port_present, port_put, port_get};

/*
 * The phantom's whole UDP serialization; its token is the group observation's.
 * Version 1, a token length of at most 8 (RFC 7252 section 3); what follows the
 * token is for msg_decode.
 */
static int
registr_get(struct cborget *c, struct inform *in, const struct field *f)
{
	const size_t header = 4;
	struct bytes b;
	size_t n_token;

	(void)f;
	if (cborget_bstr(c, &b) != 0 || b.n < header || b.p[0] >> 6 != 1)
		return -EBADMSG;
	n_token = b.p[0] & 15;
	if (b.n - header < n_token)
		return -EBADMSG;
	in->registr = b;
	return set_token(&in->token, bytes_of(b.p + header, n_token));
}

static const struct codec registr = {bytes_present, bstr_put, registr_get};

#define AT(member) .at = offsetof(struct inform, member)
#define HAS(member) .has = offsetof(struct inform, member)

/* draft-ietf-core-observe-multicast-notifications, "Informative Response Parameters". */
static const struct field current_fields[] = {
	{.key = 0, .codec = &tp_info},
	{.key = 1, .codec = &bstr, AT(ph_req)},
	{.key = 2, .codec = &bstr, AT(last_notif)},
	{.key = 3, .codec = &seconds, AT(next_not_before_s), HAS(has_next_not_before)},
	{.key = 4, .codec = &date, AT(ending_s), HAS(has_ending)},
	{.key = 5, .codec = &tstr, AT(join.join_uri)},
	{.key = 6, .codec = &tstr, AT(join.sec_gp)},
	{.key = 7, .codec = &tstr, AT(join.as_uri)},
	{.key = 8, .codec = &int_or_text, AT(join.hkdf)},
	{.key = 9, .codec = &number, AT(join.cred_fmt)},
	{.key = 10, .codec = &int_or_text, AT(join.gp_enc_alg)},
	{.key = 11, .codec = &int_or_text, AT(join.sign_alg)},
	{.key = 12, .codec = &raw_array, AT(join.sign_params)},
	{.key = 13, .codec = &raw_map, AT(keys.gp_material)},
	{.key = 14, .codec = &bstr, AT(keys.srv_cred)},
	{.key = 15, .codec = &bstr, AT(keys.srv_identifier)},
	{.key = 16, .codec = &seconds, AT(keys.exi_s), HAS(keys.has_exi)},
	{.key = 17, .codec = &date, AT(keys.exp_s), HAS(keys.has_exp)},
};

/* draft-tiloca-core-observe-multicast-notifications-01, sections 2 and 5.1. */
static const struct field seed_fields[] = {
	{.name = "address", .codec = &address},
	{.name = "registr", .codec = &registr, AT(registr)},
	{.name = "res", .codec = &bstr, AT(res)},
	{.name = "port", .codec = &port_codec},
	{.name = "join-uri", .codec = &tstr, AT(join.join_uri)},
	{.name = "sec-gp", .codec = &tstr, AT(join.sec_gp)},
	{.name = "as-uri", .codec = &tstr, AT(join.as_uri)},
	{.name = "cs-alg", .codec = &int_or_text, AT(join.sign_alg)},
	{.name = "cs-crv", .codec = &int_or_text, AT(join.cs_crv)},
	{.name = "cs-kty", .codec = &int_or_text, AT(join.cs_kty)},
	{.name = "cs-kenc", .codec = &number, AT(join.cs_kenc)},
	{.name = "alg", .codec = &int_or_text, AT(join.gp_enc_alg)},
	{.name = "hkdf", .codec = &int_or_text, AT(join.hkdf)},
};

#define N_CURRENT (sizeof(current_fields) / sizeof(current_fields[0]))
#define N_SEED (sizeof(seed_fields) / sizeof(seed_fields[0]))

static bool
join_complete(const struct inform_join *j)
{
	return j->join_uri.p != NULL && j->sec_gp.p != NULL;
}

static bool
join_empty(const struct inform_join *j)
{
	return j->join_uri.p == NULL && j->sec_gp.p == NULL && j->as_uri.p == NULL &&
	       !j->hkdf.present && !j->cred_fmt.present && !j->gp_enc_alg.present &&
	       !j->sign_alg.present && j->sign_params.p == NULL && !j->cs_crv.present &&
	       !j->cs_kty.present && !j->cs_kenc.present;
}

static bool
keys_empty(const struct inform_keys *k)
{
	return k->gp_material.p == NULL && k->srv_cred.p == NULL && k->srv_identifier.p == NULL &&
	       !k->has_exi && !k->has_exp;
}

static bool
is_endpoint(const struct addr *a)
{
	return a->family != AF_UNSPEC && a->port != 0;
}

static bool
may_encode(const struct inform *in)
{
	bool addressed = is_endpoint(&in->client);

	if (in->generations == 0 || (in->generations & ~(unsigned)INFORM_BOTH) != 0)
		return false;
	if ((in->generations & INFORM_SEED) && !addressed)
		return false;
	if ((in->generations & INFORM_CURRENT) && !(addressed && is_endpoint(&in->server)) &&
		!(in->client.family == AF_UNSPEC && in->keys.gp_material.p != NULL))
		return false;
	if (in->token.n > sizeof(in->token.b))
		return false;
	/* "MUST NOT be used together": a group to join and keys of a self-managed one. */
	if (!join_empty(&in->join))
		return join_complete(&in->join) && keys_empty(&in->keys);
	return true;
}

/* Writes the fields that are present, or with out == NULL only counts them. */
static uint64_t
put_fields(struct buf *out, const struct inform *in, const struct field *fields, size_t n)
{
	uint64_t n_present = 0;

	for (size_t i = 0; i < n; i++) {
		const struct field *f = &fields[i];

		if (!f->codec->present(in, f))
			continue;
		n_present++;
		if (out == NULL)
			continue;
		if (f->name != NULL)
			cborbuf_put_str(out, f->name);
		else
			cborbuf_put_uint(out, f->key);
		f->codec->put(out, in, f);
	}
	return n_present;
}

int
inform_encode(const struct inform *in, struct buf *out)
{
	size_t n_current = in->generations & INFORM_CURRENT ? N_CURRENT : 0;
	size_t n_seed = in->generations & INFORM_SEED ? N_SEED : 0;

	if (!may_encode(in))
		return -EINVAL;
	cborbuf_put_map(out, put_fields(NULL, in, current_fields, n_current) +
				     put_fields(NULL, in, seed_fields, n_seed));
	put_fields(out, in, current_fields, n_current);
	put_fields(out, in, seed_fields, n_seed);
	return out->full ? -ENOBUFS : 0;
}

/* What a map said so far, one part per generation, and which keys it had. */
struct reading {
	struct inform current;
	struct inform seed;
	uint32_t seen_current; /* bit per index of current_fields */
	uint32_t seen_seed; /* the same of seed_fields */
};

/* The index of the field whose key comes next, or n; the key is taken. */
static int
get_key(struct cborget *c, const struct field **ret, enum inform_generation *ret_generation)
{
	enum item_kind kind = cborget_peek(c);
	struct bytes name;
	uint64_t key;

	*ret = NULL;
	if (kind == ITEM_UINT) {
		if (cborget_uint(c, &key) != 0)
			return -EBADMSG;
		*ret_generation = INFORM_CURRENT;
		*ret = key < N_CURRENT ? &current_fields[key] : NULL;
		return 0;
	}
	if (kind != ITEM_TSTR)
		return cborget_skip(c);
	if (cborget_tstr(c, &name) != 0)
		return -EBADMSG;
	*ret_generation = INFORM_SEED;
	for (size_t i = 0; i < N_SEED; i++)
		if (bytes_is(name, seed_fields[i].name))
			*ret = &seed_fields[i];
	return 0;
}

static int
get_pair(struct cborget *c, struct reading *r)
{
	enum inform_generation generation = INFORM_CURRENT;
	const struct field *f;
	uint32_t *seen;
	uint32_t bit;

	if (get_key(c, &f, &generation) != 0)
		return -EBADMSG;
	if (f == NULL)
		return cborget_skip(c);
	if (generation == INFORM_CURRENT) {
		seen = &r->seen_current;
		bit = UINT32_C(1) << (f - current_fields);
	} else {
		seen = &r->seen_seed;
		bit = UINT32_C(1) << (f - seed_fields);
	}
	if (*seen & bit)
		return -EBADMSG;
	*seen |= bit;
	return f->codec->get(c, generation == INFORM_CURRENT ? &r->current : &r->seed, f);
}

/* "the client MUST ignore these fields" when join_uri or sec_gp is missing. */
static void
drop_partial_join(struct inform *in)
{
	if (join_empty(&in->join) || join_complete(&in->join))
		return;
	memset(&in->join, 0, sizeof(in->join));
	in->join_dropped = true;
}

/* Makes one of both: a client prefers integer keys. */
static struct inform
merged(struct reading *r)
{
	struct inform in;

	drop_partial_join(&r->current);
	drop_partial_join(&r->seed);
	if (r->seed.client.family == AF_UNSPEC) /* a "port" alone is no address */
		memset(&r->seed.client, 0, sizeof(r->seed.client));
	if (r->seen_current == 0) {
		in = r->seed;
	} else {
		in = r->current;
		in.registr = r->seed.registr;
		in.res = r->seed.res;
		if (in.client.family == AF_UNSPEC) {
			in.client = r->seed.client;
			in.token = r->seed.token;
		}
		if (join_empty(&in.join)) {
			in.join = r->seed.join;
		} else {
			in.join.cs_crv = r->seed.join.cs_crv;
			in.join.cs_kty = r->seed.join.cs_kty;
			in.join.cs_kenc = r->seed.join.cs_kenc;
		}
	}
	in.join_dropped = join_empty(&in.join) && (r->current.join_dropped || r->seed.join_dropped);
	in.generations = (r->seen_current ? INFORM_CURRENT : 0) | (r->seen_seed ? INFORM_SEED : 0);
	return in;
}

int
inform_decode(struct bytes payload, struct inform *ret)
{
	struct cborget c = cborget_of(payload);
	struct reading r;
	uint64_t n;

	memset(&r, 0, sizeof(r));
	if (cborget_map(&c, &n) != 0)
		return -EBADMSG;
	for (uint64_t i = 0; i < n; i++)
		if (get_pair(&c, &r) != 0)
			return -EBADMSG;
	if (!cborget_at_end(&c))
		return -EBADMSG;
	*ret = merged(&r);
	return 0;
}
