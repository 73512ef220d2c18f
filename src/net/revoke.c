/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/revoke.h"

#include <stdlib.h>

#include "base/mem.h"
#include "broker/broker.h"

struct revoke {
	struct revoke_view view;
	uint32_t *who; /* the subjects; owned */
	size_t n_who, n_groups;
	/* By group and then subject; owned. */
	bool *had, *has;
	bool *now; /* the one of them that is being filled */
};

static bool *
row_of(const struct revoke *r, bool *rows, const struct broker_security *security)
{
	for (size_t i = 0; i < r->n_groups; i++) {
		if (groupkeys_at(r->view.keys, i) == security)
			return rows + i * r->n_who;
	}
	return NULL;
}

static void
visit(void *ctx, const struct broker_security *security, struct bytes topic)
{
	struct revoke *r = ctx;
	bool *row = groupkeys_is_self(security) ? row_of(r, r->now, security) : NULL;

	for (size_t i = 0; row && i < r->n_who; i++)
		row[i] = row[i] ||
			 access_allows(r->view.access, r->who[i], CONF_MAY_SUBSCRIBE, topic);
}

bool
revoke_add(struct revoke *r, const struct broker_security *s, struct bytes topic)
{
	bool *row = groupkeys_is_self(s) ? row_of(r, r->had, s) : NULL, more = false;

	for (size_t i = 0; row && i < r->n_who; i++) {
		if (row[i] || !access_allows(r->view.access, r->who[i], CONF_MAY_SUBSCRIBE, topic))
			continue;
		row[i] = true;
		more = true;
	}
	return more;
}

static void
look(struct revoke *r, bool *into)
{
	r->now = into;
	broker_each_secured(r->view.broker, visit, r);
}

struct revoke *
revoke_new(const struct revoke_view *view)
{
	struct revoke *r = mem_alloc(sizeof(*r));
	size_t n;

	r->view = *view;
	r->n_who = view->conf->n_identities;
	r->who = mem_alloc((r->n_who + 1) * sizeof(*r->who));
	for (size_t i = 0; i < r->n_who; i++)
		r->who[i] = subjects_id(view->subjects, view->conf->identities[i].name);
	while (groupkeys_at(view->keys, r->n_groups))
		r->n_groups++;
	n = r->n_groups * r->n_who + 1;
	r->had = mem_alloc(n * sizeof(*r->had));
	r->has = mem_alloc(n * sizeof(*r->has));
	look(r, r->had);
	return r;
}

void
revoke_free(struct revoke *r)
{
	if (!r)
		return;
	free(r->who);
	free(r->had);
	free(r->has);
	free(r);
}

const struct conf *
revoke_conf(const struct revoke *r)
{
	return r->view.conf;
}

struct groupkeys *
revoke_keys(const struct revoke *r)
{
	return r->view.keys;
}

bool
revoke_found(const struct revoke *r, const struct broker_security *s, size_t identity)
{
	const bool *row = row_of(r, r->had, s);

	return row && row[identity];
}

static bool
lost(const struct revoke *r, size_t group, bool (*is_gone)(void *ctx, uint32_t who), void *ctx)
{
	const bool *had = r->had + group * r->n_who, *has = r->has + group * r->n_who;

	for (size_t i = 0; i < r->n_who; i++) {
		if (had[i] && (!has[i] || is_gone(ctx, r->who[i])))
			return true;
	}
	return false;
}

unsigned
revoke_apply(struct revoke *r, struct access *access, bool (*is_gone)(void *ctx, uint32_t who),
	void *ctx)
{
	unsigned n = 0;

	r->view.access = access;
	look(r, r->has);
	for (size_t i = 0; i < r->n_groups; i++) {
		if (lost(r, i, is_gone, ctx)) {
			groupkeys_revoke(r->view.keys, groupkeys_at(r->view.keys, i));
			n++;
		}
	}
	return n;
}
