/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/offer.h"

#include <errno.h>

#include "client/armor.h"
#include "oscore/option.h"
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
check_endpoints(const struct inform *in, const struct addr *server, bool any_port, struct error *e)
{
	struct addr from = in->server;

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
	if (any_port)
		from.port = server->port;
	if (in->server.family != AF_UNSPEC && !addr_equal(&from, server)) {
		error_set(e, "notifications would come from %s, but the server is %s",
			addr_format(&in->server, a), addr_format(server, b));
		return false;
	}
	return true;
}

/* --- protected groups ---------------------------------------------------------------- */

/* The phantom request, in either generation's form. 0, -ENOENT: it is left out, -EBADMSG. */
static int
decode_phantom(const struct inform *in, struct msg *ret)
{
	if (in->ph_req.p != NULL)
		return msg_decode_inner(in->ph_req, ret);
	if (in->registr.p != NULL)
		return msg_decode(in->registr, ret) == MSG_OK ? 0 : -EBADMSG;
	return -ENOENT;
}

static bool
needs_keys(const struct inform *in)
{
	return in->join.join_uri.p != NULL || in->keys.gp_material.p != NULL;
}

/* By what the Group Manager calls it, else by its Gid. */
static struct context *
find_group(const struct inform *in, const struct msg *phantom, const struct groups *g)
{
	const struct opt *o = msg_find(phantom, OPT_OSCORE);
	struct context *c = NULL;
	struct oscore_option option;

	if (g && in->join.sec_gp.p != NULL)
		c = groups_find(g, in->join.sec_gp);
	if (g && !c && o && oscore_option_decode(o->value, &option) == 0 &&
		option.kid_context.p != NULL)
		c = context_table_find_group(&g->table, option.kid_context);
	return c ? context_hold(c) : NULL;
}

static bool
is_same_request(const struct oscore_binding *a, const struct oscore_binding *b)
{
	return bytes_equal(binding_kid(a), binding_kid(b)) &&
	       bytes_equal(binding_piv(a), binding_piv(b)) &&
	       bytes_equal(binding_kid_context(a), binding_kid_context(b)) &&
	       bytes_equal(context_gid(a->context), context_gid(b->context));
}

/* Verified as a group request, and compared with ours ("Client Side Processing"). */
static enum offer_verdict
open_phantom(struct context *c, const struct msg *phantom, const struct msg *request,
	const struct offer_trust *t, struct error *e, struct oscore_binding *ret)
{
	uint8_t space[PROTECT_MAX_PLAIN];
	struct buf plain = BUF_OF(space);
	struct unprotect_info info;
	enum unprotect_verdict v;
	struct msg inner;

	v = unprotect_phantom(c, phantom, &plain, &inner, &info, ret);
	if (v != UNPROTECT_OK) {
		error_set(
			e, "the phantom request cannot be verified: %s", unprotect_error(v)->name);
		return OFFER_UNSAFE;
	}
	if (!offer_same_request(&inner, request)) {
		binding_fini(ret);
		error_set(e, "the phantom request asks for something else");
		return OFFER_OTHER;
	}
	/* Of the same observation nothing is taken twice. */
	if (t->current && t->current->context && is_same_request(ret, t->current)) {
		ret->next = t->current->next;
		ret->answered = t->current->answered;
	}
	return OFFER_GOOD;
}

/*
 * "If a client has a reliable way to synchronize its internal clock with UTC and the 'exp'
 * parameter is present", it counts, else 'exi' does. By a clock that has the keys expired before
 * they came it is not reliable, as long as the server says that they are good for a while.
 */
static enum offer_verdict
take_expiry(const struct inform_keys *k, const struct offer_trust *t, struct error *e,
	struct offer *ret)
{
	bool dated = k->has_exp && t->now_s >= 0;

	ret->keys_expire = true;
	if (dated && k->exp_s > t->now_s) {
		ret->keys_until_s = k->exp_s;
		ret->keys_left_s = (uint64_t)(k->exp_s - t->now_s);
	} else if (k->has_exi) {
		ret->keys_left_s = k->exi_s;
	} else if (dated) {
		error_set(e, "the keys of the group expired before they came");
		binding_fini(&ret->binding);
		return OFFER_DECLINED;
	} else {
		ret->keys_expire = false;
	}
	return OFFER_GOOD;
}

/* "The client verifies ph_req ...": with keys that came along, or that we have. */
static enum offer_verdict
check_protected(const struct inform *in, const struct msg *request, const struct offer_trust *t,
	struct error *e, struct offer *ret)
{
	struct context *c = NULL;
	struct msg phantom;
	enum offer_verdict v;
	struct error why;

	if (decode_phantom(in, &phantom) < 0 || !msg_has(&phantom, OPT_OSCORE)) {
		error_set(e, "the group is protected, and its phantom request is not");
		return OFFER_BAD;
	}
	if (in->keys.gp_material.p == NULL) {
		if ((c = find_group(in, &phantom, t->groups)) == NULL) {
			error_set(e, "there are no keys here of the group %.*s",
				(int)(in->join.sec_gp.n < 80 ? in->join.sec_gp.n : 80),
				in->join.sec_gp.n ? (const char *)in->join.sec_gp.p : "");
			return OFFER_DECLINED;
		}
	} else if (groups_make_offered(&in->keys, &why, &c) < 0) {
		error_set(e, "%s", why.text);
		return OFFER_BAD;
	}
	v = open_phantom(c, &phantom, request, t, e, &ret->binding);
	context_release(c);
	return v == OFFER_GOOD && in->keys.gp_material.p ? take_expiry(&in->keys, t, e, ret) : v;
}

/* The phantom request of an unprotected group: it may be left out because it is ours. */
static enum offer_verdict
check_plain(const struct inform *in, const struct msg *request, struct error *e)
{
	struct msg phantom;
	int rc = decode_phantom(in, &phantom);

	if (rc == -ENOENT)
		return OFFER_GOOD;
	if (rc < 0) {
		error_set(e, "the phantom request is malformed");
		return OFFER_BAD;
	}
	if (!offer_same_request(&phantom, request)) {
		error_set(e, "the phantom request asks for something else");
		return OFFER_OTHER;
	}
	return OFFER_GOOD;
}

/* Whether we may go there, as things are; then whether it is what we want. */
static enum offer_verdict
check_phantom(const struct inform *in, const struct msg *request, const struct offer_trust *t,
	struct error *e, struct offer *ret)
{
	struct msg phantom;
	bool sealed = decode_phantom(in, &phantom) == 0 && msg_has(&phantom, OPT_OSCORE);

	if (in->keys.gp_material.p != NULL && !t->is_protected) {
		error_set(e, "the keys of the group came without protection");
		return OFFER_UNSAFE;
	}
	if (in->join_dropped) {
		error_set(e, "it is not said where the keys of the group are");
		return OFFER_DECLINED;
	}
	if (needs_keys(in) || sealed) {
		if (t->is_protected)
			return check_protected(in, request, t, e, ret);
		error_set(e, "the group is protected, and the registration is not");
		return OFFER_DECLINED;
	}
	if (t->is_protected) {
		error_set(e, "the registration is protected, and the group is not");
		return OFFER_DECLINED;
	}
	return check_plain(in, request, e);
}

/*
 * last_notif: one that is malformed is a fault, one that does not verify is none ("failure
 * there is not fatal").
 */
static enum offer_verdict
take_latest(const struct inform *in, struct error *e, struct offer *ret)
{
	struct buf plain = BUF_OF(ret->plain);
	enum unprotect_verdict v;
	struct msg latest;
	uint16_t critical;

	ret->has_notification = ret->is_known = false;
	if (in->last_notif.p == NULL)
		return OFFER_GOOD;
	if (msg_decode_inner(in->last_notif, &latest) < 0) {
		error_set(e, "the latest notification is malformed");
		return OFFER_BAD;
	}
	if (!ret->binding.context) {
		ret->notification = latest;
	} else {
		if (!msg_has(&latest, OPT_OSCORE))
			return OFFER_GOOD;
		v = armor_open_bound(&ret->binding, NULL, &latest, &plain, &ret->notification);
		ret->is_known = v == UNPROTECT_REPLAY;
		if (v != UNPROTECT_OK)
			return OFFER_GOOD;
	}
	/* Options count as those of any response do: RFC 7252 5.4. */
	ret->has_notification = option_sift(&ret->notification, &critical) == OPTION_FINE;
	return OFFER_GOOD;
}

/* Everything but where the group is. */
static enum offer_verdict
read_content(const struct inform *in, const struct msg *request, const struct offer_trust *t,
	struct error *e, struct offer *ret)
{
	enum offer_verdict v;

	ret->binding = (struct oscore_binding){.context = NULL};
	ret->keys_expire = false;
	ret->keys_until_s = 0;
	if ((v = check_phantom(in, request, t, e, ret)) != OFFER_GOOD)
		return v;
	if ((v = take_latest(in, e, ret)) != OFFER_GOOD)
		offer_fini(ret);
	return v;
}

enum offer_verdict
offer_read(const struct msg *response, const struct msg *request, const struct addr *server,
	const struct offer_trust *t, struct error *e, struct offer *ret)
{
	struct inform in;
	enum offer_verdict v;

	if (!is_informative(response, &in)) {
		error_set(e, "the informative response is malformed");
		return claims_to_be(response) ? OFFER_BAD : OFFER_NONE;
	}
	if (!check_endpoints(&in, server, t->any_port, e))
		return OFFER_BAD;
	if ((v = read_content(&in, request, t, e, ret)) != OFFER_GOOD)
		return v;
	/* Of a protected group it is what the registration was answered with, so as good. */
	ret->res = ret->has_notification || (ret->binding.context && in.last_notif.p != NULL)
			   ? BYTES_NONE
			   : in.res;
	ret->group = in.client;
	ret->server = in.server.family == AF_UNSPEC ? *server : in.server;
	ret->token = in.token;
	ret->notification.token = in.token;
	ret->has_next_not_before = in.has_next_not_before;
	ret->next_not_before_s = in.next_not_before_s;
	ret->has_ending = in.has_ending;
	ret->ending_s = in.ending_s;
	return OFFER_GOOD;
}

enum offer_verdict
offer_read_rekeying(const struct msg *announced, const struct msg *request,
	const struct offer_trust *t, struct error *e, struct offer *ret)
{
	struct inform in;

	if (!is_informative(announced, &in) || in.keys.gp_material.p == NULL)
		return OFFER_NONE;
	ret->res = BYTES_NONE;
	return read_content(&in, request, t, e, ret);
}

void
offer_fini(struct offer *f)
{
	binding_fini(&f->binding);
}
