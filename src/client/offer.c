/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/offer.h"

#include "wire/option.h"

/* What may differ between a registration and the phantom request, see offer.h. */
static bool
counts(uint16_t number)
{
	static const uint16_t not [] = {
		OPT_URI_HOST, OPT_ETAG, OPT_OBSERVE, OPT_URI_PORT, OPT_NO_RESPONSE};

	for (size_t i = 0; i < sizeof(not ) / sizeof(not [0]); i++)
		if (number == not [i])
			return false;
	return number != option_feedback_divider();
}

/* The next option from *at on that counts, or NULL. */
static const struct opt *
next_that_counts(const struct msg *m, uint8_t *at)
{
	while (*at < m->n_opts) {
		const struct opt *o = &m->opts[(*at)++];

		if (counts(o->number))
			return o;
	}
	return NULL;
}

static bool
registers(const struct msg *m)
{
	uint32_t observe;

	return msg_uint(m, OPT_OBSERVE, &observe) && observe == 0;
}

bool
offer_same_request(const struct msg *phantom, const struct msg *request)
{
	const struct opt *a, *b;
	uint8_t i = 0, j = 0;

	if (phantom->code != request->code || !registers(phantom) || !registers(request) ||
		!bytes_equal(phantom->payload, request->payload))
		return false;
	do {
		a = next_that_counts(phantom, &i);
		b = next_that_counts(request, &j);
		if (a && b && (a->number != b->number || !bytes_equal(a->value, b->value)))
			return false;
	} while (a && b);
	return !a && !b;
}

/*
 * The number of its Content-Format is not assigned, and the seed has none: what has the
 * shape of an informative response is one.
 */
static bool
is_informative(const struct msg *response, struct inform *ret)
{
	return response->code == CODE_UNAVAILABLE && response->payload.n > 0 &&
	       inform_decode(response->payload, ret) == 0 && ret->generations != 0;
}

static bool
claims_to_be(const struct msg *response)
{
	uint32_t format;

	return response->code == CODE_UNAVAILABLE &&
	       msg_uint(response, OPT_CONTENT_FORMAT, &format) && format == OFFER_FORMAT;
}

/* Where the notifications come from and go to. */
static bool
check_endpoints(const struct inform *in, const struct addr *server, struct error *e)
{
	char a[ADDR_STRLEN], b[ADDR_STRLEN];

	if (in->client.family == AF_UNSPEC) {
		error_set(e, "the informative response names no group address");
		return false;
	}
	if (!addr_is_multicast(&in->client) || in->client.family != server->family) {
		error_set(e, "%s is no group a server at %s can send to",
			addr_format(&in->client, a), addr_format(server, b));
		return false;
	}
	/* "with no link-local source or destination": such addresses mean nothing elsewhere. */
	if (addr_is_link_local(&in->client) || addr_is_link_local(server)) {
		error_set(e, "group %s of server %s: link-local addresses are not allowed",
			addr_format(&in->client, a), addr_format(server, b));
		return false;
	}
	/* "redirection MUST NOT be used": the server is the one we asked. The seed names none. */
	if (in->server.family != AF_UNSPEC && !addr_equal(&in->server, server)) {
		error_set(e, "notifications would come from %s, but the server is %s",
			addr_format(&in->server, a), addr_format(server, b));
		return false;
	}
	return true;
}

static bool
needs_keys(const struct inform *in)
{
	return in->join.join_uri.p != NULL || in->keys.gp_material.p != NULL;
}

/* The phantom request: in either generation's form, or left out because it is ours. */
static enum offer_verdict
check_phantom(const struct inform *in, const struct msg *request, struct error *e)
{
	struct msg phantom;
	bool sound;

	if (in->ph_req.p == NULL && in->registr.p == NULL)
		return OFFER_GOOD;
	if (in->ph_req.p != NULL)
		sound = msg_decode_inner(in->ph_req, &phantom) == 0;
	else
		sound = msg_decode(in->registr, &phantom) == MSG_OK;
	if (!sound) {
		error_set(e, "the phantom request is malformed");
		return OFFER_BAD;
	}
	if (msg_has(&phantom, OPT_OSCORE)) {
		error_set(e, "the group observation is protected");
		return OFFER_PROTECTED;
	}
	if (!offer_same_request(&phantom, request)) {
		error_set(e, "the phantom request asks for something else");
		return OFFER_OTHER;
	}
	return OFFER_GOOD;
}

enum offer_verdict
offer_read(const struct msg *response, const struct msg *request, const struct addr *server,
	struct error *e, struct offer *ret)
{
	struct inform in;
	enum offer_verdict v;
	uint16_t critical;

	if (!is_informative(response, &in)) {
		error_set(e, "the informative response is malformed");
		return claims_to_be(response) ? OFFER_BAD : OFFER_NONE;
	}
	if (!check_endpoints(&in, server, e))
		return OFFER_BAD;
	if (needs_keys(&in)) {
		error_set(e, "the group observation is protected");
		return OFFER_PROTECTED;
	}
	if ((v = check_phantom(&in, request, e)) != OFFER_GOOD)
		return v;
	ret->has_notification = false;
	if (in.last_notif.p != NULL) {
		if (msg_decode_inner(in.last_notif, &ret->notification) < 0) {
			error_set(e, "the latest notification is malformed");
			return OFFER_BAD;
		}
		/* Options count as those of any response do: RFC 7252 5.4. */
		ret->has_notification = option_sift(&ret->notification, &critical) == OPTION_FINE;
	}
	ret->res = ret->has_notification ? BYTES_NONE : in.res;
	ret->group = in.client;
	ret->token = in.token;
	ret->notification.token = in.token;
	ret->has_next_not_before = in.has_next_not_before;
	ret->next_not_before_s = in.next_not_before_s;
	ret->has_ending = in.has_ending;
	ret->ending_s = in.ending_s;
	return OFFER_GOOD;
}
