/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/access.h"

#include <stdlib.h>

#include "base/mem.h"
#include "broker/broker.h"

_Static_assert((unsigned)BROKER_MAY_DISCOVER == (unsigned)CONF_MAY_DISCOVER &&
		       (unsigned)BROKER_MAY_READ == (unsigned)CONF_MAY_READ &&
		       (unsigned)BROKER_MAY_SUBSCRIBE == (unsigned)CONF_MAY_SUBSCRIBE &&
		       (unsigned)BROKER_MAY_PUBLISH == (unsigned)CONF_MAY_PUBLISH &&
		       (unsigned)BROKER_MAY_CREATE == (unsigned)CONF_MAY_CREATE &&
		       (unsigned)BROKER_MAY_CONFIGURE == (unsigned)CONF_MAY_CONFIGURE &&
		       (unsigned)BROKER_MAY_DELETE == (unsigned)CONF_MAY_DELETE,
	"the broker's verbs are the configuration's");

struct rule {
	char *who;
	char **topics;
	size_t n_topics;
	unsigned may;
};

/* The rules for one subject, picked when it comes first. */
struct picked {
	const struct rule **rules; /* owned; NULL: none was picked yet */
	size_t n;
};

struct access {
	struct subjects *subjects;
	struct rule *rules;
	size_t n_rules;
	bool open; /* no rules: everything is allowed */
	struct picked *picked; /* by subject */
	uint32_t n_picked;
	bool (*is_gone)(void *ctx, uint32_t who); /* access_ban; NULL: nobody is */
	void *gone_ctx;
};

struct access *
access_new(const struct conf *conf, struct subjects *subjects)
{
	struct access *a = mem_alloc(sizeof(*a));

	a->subjects = subjects;
	a->open = !conf->access;
	a->n_rules = conf->n_access;
	a->rules = mem_alloc((a->n_rules + 1) * sizeof(*a->rules));
	for (size_t i = 0; i < a->n_rules; i++) {
		const struct conf_rule *from = &conf->access[i];
		struct rule *r = &a->rules[i];

		r->who = mem_strdup(from->who);
		r->may = from->may;
		r->n_topics = from->n_topics;
		r->topics = mem_alloc((r->n_topics + 1) * sizeof(*r->topics));
		for (size_t k = 0; k < r->n_topics; k++)
			r->topics[k] = mem_strdup(from->topics[k]);
	}
	return a;
}

void
access_free(struct access *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->n_rules; i++) {
		for (size_t k = 0; k < a->rules[i].n_topics; k++)
			free(a->rules[i].topics[k]);
		free(a->rules[i].topics);
		free(a->rules[i].who);
	}
	for (uint32_t i = 0; i < a->n_picked; i++)
		free(a->picked[i].rules);
	free(a->picked);
	free(a->rules);
	free(a);
}

/* product.md: a pattern is held against identified peers, the others are `anonymous`. */
static bool
is_for(const struct rule *r, const struct subjects *s, uint32_t who)
{
	const char *name = subjects_name(s, who);

	if (who == SUBJECTS_ANONYMOUS)
		return strcmp(r->who, name) == 0;
	return pattern_matches(r->who, bytes_str(name));
}

static const struct picked *
pick(struct access *a, uint32_t who)
{
	struct picked *p;

	if (who >= a->n_picked) {
		uint32_t n = subjects_count(a->subjects);

		a->picked = mem_realloc(a->picked, n * sizeof(*a->picked));
		memset(a->picked + a->n_picked, 0, (n - a->n_picked) * sizeof(*a->picked));
		a->n_picked = n;
	}
	p = &a->picked[who];
	if (p->rules)
		return p;
	p->rules = mem_alloc((a->n_rules + 1) * sizeof(const struct rule *));
	for (size_t i = 0; i < a->n_rules; i++) {
		if (is_for(&a->rules[i], a->subjects, who))
			p->rules[p->n++] = &a->rules[i];
	}
	return p;
}

static bool
is_about(const struct rule *r, struct bytes topic)
{
	for (size_t i = 0; i < r->n_topics; i++) {
		if (pattern_matches(r->topics[i], topic))
			return true;
	}
	return false;
}

bool
access_allows(struct access *a, uint32_t who, unsigned verbs, struct bytes topic)
{
	const struct picked *p;

	if (a->is_gone && a->is_gone(a->gone_ctx, who))
		return false;
	if (a->open)
		return true;
	p = pick(a, who);
	for (size_t i = 0; i < p->n && verbs; i++) {
		if (verbs & p->rules[i]->may && is_about(p->rules[i], topic))
			verbs &= ~p->rules[i]->may;
	}
	return verbs == 0;
}

void
access_ban(struct access *a, bool (*is_gone)(void *ctx, uint32_t who), void *ctx)
{
	a->is_gone = is_gone;
	a->gone_ctx = ctx;
}

static bool
rule_equal(const struct rule *a, const struct rule *b)
{
	if (a->may != b->may || a->n_topics != b->n_topics || strcmp(a->who, b->who) != 0)
		return false;
	for (size_t i = 0; i < a->n_topics; i++) {
		if (strcmp(a->topics[i], b->topics[i]) != 0)
			return false;
	}
	return true;
}

bool
access_equal(const struct access *a, const struct access *b)
{
	if (a->open != b->open || a->n_rules != b->n_rules)
		return false;
	for (size_t i = 0; i < a->n_rules; i++) {
		if (!rule_equal(&a->rules[i], &b->rules[i]))
			return false;
	}
	return true;
}

bool
access_takes_away(struct access *before, struct access *now, unsigned verbs, struct bytes topic)
{
	for (uint32_t who = 0; who < subjects_count(now->subjects); who++) {
		if (access_allows(before, who, verbs, topic) &&
			!access_allows(now, who, verbs, topic))
			return true;
	}
	return false;
}
