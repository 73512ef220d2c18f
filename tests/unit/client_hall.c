/* SPDX-License-Identifier: BSD-2-Clause */
#include "client_hall.h"

#include "oscore/cred.h"
#include "wire/cborbuf.h"

struct co_server hall_server;
struct groups hall_groups;
struct armor hall_armor;
struct hall hall;
static struct context *own;

void
hall_init(struct hall *h, const char *secret, const char *gid)
{
	struct crypto_key *key;
	struct buf cred = BUF_OF(h->cred), material = BUF_OF(h->material);
	struct context_group p = {.master_secret = bytes_str(secret),
		.gid = bytes_str(gid),
		.sender_id = KID,
		.group_encryption = SUITE_CCM_16_64_128,
		.signature = SUITE_EDDSA,
		.cred_format = CRED_KCCS,
		.ssn = co_ssn(1000, NULL)};
	struct error e;

	h->n_ph = h->n_latest = 0;
	h->bound = (struct oscore_binding){.context = NULL};
	ck_assert_int_eq(crypto_key_generate(SUITE_ED25519, co_random, &key), 0);
	ck_assert_int_eq(cred_make(BYTES_LIT("hall"), key, &cred), 0);
	h->n_cred = cred.n;
	p.cred = p.gm_cred = buf_bytes(&cred);
	p.private_key = crypto_key_secret(key);
	ck_assert_msg(context_new_group(&p, &e, &h->c) == 0, "%s", e.text);
	crypto_key_free(key);
	ssn_release(p.ssn);
	cborbuf_put_map(&material, 5);
	cborbuf_put_uint(&material, 2);
	cborbuf_put_bstr(&material, p.master_secret);
	cborbuf_put_uint(&material, 6);
	cborbuf_put_bstr(&material, p.gid);
	cborbuf_put_uint(&material, 8);
	cborbuf_put_uint(&material, CRED_KCCS);
	cborbuf_put_uint(&material, 9);
	cborbuf_put_uint(&material, SUITE_CCM_16_64_128);
	cborbuf_put_uint(&material, 11); /* nobody minds: the credential says it */
	cborbuf_put_map(&material, 0);
	h->n_material = material.n;
}

void
hall_fini(struct hall *h)
{
	binding_fini(&h->bound);
	context_release(h->c);
}

void
hall_make_phantom(struct hall *h, const char *path)
{
	struct buf out = buf_of(h->ph + 1, sizeof(h->ph) - 1);
	uint8_t space[64];
	struct buf scratch = BUF_OF(space);
	struct msg m;

	msg_init(&m, TYPE_CON, CODE_GET);
	ck_assert_int_eq(msg_add_uint(&m, OPT_OBSERVE, 0), 0);
	ck_assert_int_eq(msg_add_path(&m, OPT_URI_PATH, bytes_str(path), &scratch), 0);
	binding_fini(&h->bound);
	ck_assert_int_eq(protect_phantom(h->c, &m, &out, h->ph, &h->bound), 0);
	h->n_ph = out.n + 1;
}

/* What is sent to the group, protected: code, options, payload. */
size_t
hall_protect(struct hall *h, const struct msg *m, uint8_t *out, size_t cap)
{
	struct buf tail = buf_of(out + 1, cap - 1);

	ck_assert_int_eq(protect_response(&h->bound, m, 0, &tail, out), 0);
	return tail.n + 1;
}

void
hall_make_latest(struct hall *h, uint32_t observe, const char *value)
{
	struct msg m;

	co_plain_response(&m, CODE_CONTENT, value, (int)observe);
	h->n_latest = hall_protect(h, &m, h->latest, sizeof(h->latest));
}

/* To the group, from the server, under T. */
void
hall_send_raw(struct bytes inner)
{
	struct path way = watch_group_way();
	struct msg m;

	ck_assert_int_eq(msg_decode_inner(inner, &m), 0);
	m.type = TYPE_NON;
	m.mid = watch_bed.mid++;
	m.token = watch_token;
	bed_receive(&watch_bed, &way, &m);
}

void
hall_send(struct hall *h, enum msg_code code, struct bytes payload, int observe)
{
	uint8_t space[1500];
	struct msg m;
	size_t n;

	co_plain_response(&m, code, "", observe);
	m.payload = payload;
	n = hall_protect(h, &m, space, sizeof(space));
	hall_send_raw(bytes_of(space, n));
}

void
hall_notify(struct hall *h, uint32_t observe, const char *value)
{
	hall_send(h, CODE_CONTENT, bytes_str(value), (int)observe);
}

void
hall_setup(void)
{
	own = co_plain(true, "sixteen bytes ok", 100, NULL);
	co_init(&hall_server, co_plain(false, "sixteen bytes ok", 500, NULL));
	groups_init(&hall_groups, 9);
	hall_armor = (struct armor){.context = own, .groups = &hall_groups};
	watch_armor = &hall_armor;
	watch_setup();
	hall_init(&hall, "a secret of the hall", "hall1");
	hall_make_phantom(&hall, "/ps/data/t");
}

void
hall_teardown(void)
{
	watch_teardown();
	hall_fini(&hall);
	co_fini(&hall_server);
	groups_fini(&hall_groups);
	context_release(own);
	crypto_stop();
}

/* What the server says of the hall. */
struct inform
hall_describe(const struct hall *h, bool keys)
{
	struct inform in = {.generations = INFORM_CURRENT,
		.server = bed_addr(SERVER),
		.client = bed_addr(GROUP),
		.token = watch_token,
		.ph_req = bytes_of(h->ph, h->n_ph)};

	if (h->n_latest > 0)
		in.last_notif = bytes_of(h->latest, h->n_latest);
	if (keys)
		in.keys = (struct inform_keys){.gp_material = bytes_of(h->material, h->n_material),
			.srv_cred = bytes_of(h->cred, h->n_cred),
			.srv_identifier = KID};
	return in;
}

/* The next datagram is a registration: it is answered with this. */
void
hall_answer_with(const struct inform *in)
{
	uint8_t space[1500];
	struct buf out = BUF_OF(space);
	struct msg plain, m;

	ck_assert_int_eq(inform_encode(in, &out), 0);
	ck_assert_int_eq(co_read(&hall_server, &watch_bed), UNPROTECT_OK);
	ck_assert(msg_has(&hall_server.inner, OPT_OBSERVE));
	msg_init(&plain, TYPE_ACK, CODE_UNAVAILABLE);
	plain.payload = buf_bytes(&out);
	co_protect(&hall_server, &plain, &m);
	bed_receive(&watch_bed, &watch_bed.way, &m);
}

void
hall_move(void)
{
	struct inform in;

	hall_make_latest(&hall, 9, "now");
	in = hall_describe(&hall, true);
	hall_answer_with(&in);
	ck_assert_str_eq(watch_said(), "join " GROUP " from " SERVER "; i+9:now (initial); ");
}
