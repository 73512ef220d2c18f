/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The informative response. What can be decoded and encoded again says the same
 * as before, field by field, in a buffer that is just large enough and in none
 * that is shorter; and a client may be offered anything. The first byte chooses
 * the generation and how the 5.03 declares itself.
 */
#include <stdlib.h>

#include "client/offer.h"
#include "wire/inform.h"

#define OUT_MAX (1U << 16)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool holds)
{
	if (!holds)
		abort();
}

static bool
same(struct bytes a, struct bytes b)
{
	return (a.p != NULL) == (b.p != NULL) && bytes_equal(a, b);
}

static bool
same_value(const struct inform_value *a, const struct inform_value *b)
{
	if (a->present != b->present)
		return false;
	return !a->present || (a->text.p != NULL ? same(a->text, b->text)
						 : b->text.p == NULL && a->number == b->number);
}

static void
require_same_join(const struct inform_join *a, const struct inform_join *b)
{
	require(same(a->join_uri, b->join_uri) && same(a->sec_gp, b->sec_gp));
	require(same(a->as_uri, b->as_uri));
	require(same_value(&a->hkdf, &b->hkdf) && same_value(&a->gp_enc_alg, &b->gp_enc_alg));
	require(same_value(&a->sign_alg, &b->sign_alg));
}

static void
require_same_keys(const struct inform_keys *a, const struct inform_keys *b)
{
	require(same(a->gp_material, b->gp_material) && same(a->srv_cred, b->srv_cred));
	require(same(a->srv_identifier, b->srv_identifier));
	require(a->has_exi == b->has_exi && a->has_exp == b->has_exp);
	require(!a->has_exi || a->exi_s == b->exi_s);
	require(!a->has_exp || a->exp_s == b->exp_s);
}

/* What both generations say, and then what the one that was written says. */
static void
require_same(const struct inform *a, const struct inform *b, unsigned generations)
{
	require(b->generations == generations);
	require(a->client.family == AF_UNSPEC || addr_equal(&a->client, &b->client));
	require_same_join(&a->join, &b->join);
	if (generations & INFORM_CURRENT) {
		/* tp_info is written with its details or not at all. */
		require(a->client.family == AF_UNSPEC ||
			(addr_equal(&a->server, &b->server) && token_equal(&a->token, &b->token)));
		require(same(a->ph_req, b->ph_req) && same(a->last_notif, b->last_notif));
		require(a->has_next_not_before == b->has_next_not_before);
		require(a->next_not_before_s == b->next_not_before_s || !a->has_next_not_before);
		require(a->has_ending == b->has_ending);
		require(!a->has_ending || a->ending_s == b->ending_s);
		require_same_keys(&a->keys, &b->keys);
	}
	if (generations & INFORM_SEED)
		require(same(a->registr, b->registr) && same(a->res, b->res));
}

static void
there_and_back(const struct inform *decoded, unsigned generations)
{
	static uint8_t room[OUT_MAX];
	static uint8_t less[OUT_MAX];
	struct buf out = BUF_OF(room);
	struct inform in = *decoded;
	struct inform again;
	uint8_t *exact;

	in.generations = generations;
	/* Not everything that is understood may be said: -EINVAL. */
	if (inform_encode(&in, &out) != 0)
		return;
	exact = malloc(out.n);
	require(exact != NULL);
	memcpy(exact, out.p, out.n);
	require(inform_decode(bytes_of(exact, out.n), &again) == 0);
	if (generations != INFORM_BOTH || again.generations == INFORM_BOTH)
		require_same(&in, &again, generations);
	for (size_t n = out.n < 64 ? 0 : out.n - 64; n < out.n; n++) {
		struct buf shorter = buf_of(less, n);

		require(inform_encode(&in, &shorter) != 0);
	}
	for (size_t n = 0; n < out.n; n += 1 + out.n / 64)
		require(inform_decode(bytes_of(exact, n), &again) != 0);
	free(exact);
}

static void
offer(struct bytes payload, uint8_t how)
{
	static const uint32_t formats[] = {OFFER_FORMAT, 60, 0, 50};
	struct addr server = {.family = AF_INET, .port = 5683, .ip = {10, 0, 0, 1}};
	static struct msg request, response;
	struct offer_trust trust = {.is_protected = how & 16};
	static struct offer ret;
	struct error e;

	msg_init(&request, TYPE_CON, CODE_GET);
	(void)msg_add_uint(&request, OPT_OBSERVE, 0);
	(void)msg_add(&request, OPT_URI_PATH, BYTES_LIT("ps"));
	msg_init(&response, TYPE_CON, how & 4 ? CODE_CONTENT : CODE_UNAVAILABLE);
	if (!(how & 8))
		(void)msg_add_uint(&response, OPT_CONTENT_FORMAT, formats[how & 3]);
	response.payload = payload;
	if (offer_read(&response, &request, &server, &trust, &e, &ret) != OFFER_GOOD)
		return;
	require(response.code == CODE_UNAVAILABLE);
	require(addr_is_multicast(&ret.group) && ret.group.port != 0);
	require(ret.token.n <= sizeof(ret.token.b));
	/* What is protected goes to where it is, too. */
	require(trust.is_protected == (ret.binding.context != NULL));
	offer_fini(&ret);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_from(bytes_of(data, size), 1);
	struct inform decoded;

	if (size == 0)
		return 0;
	offer(in, data[0]);
	if (inform_decode(in, &decoded) != 0)
		return 0;
	there_and_back(&decoded, INFORM_CURRENT);
	there_and_back(&decoded, INFORM_SEED);
	there_and_back(&decoded, INFORM_BOTH);
	return 0;
}
