/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/subjects.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"

struct subject {
	struct map_node node;
	uint32_t id;
	char name[];
};

struct subjects {
	struct map by_name;
	struct subject **all; /* by number */
	uint32_t n, cap;
};

struct subjects *
subjects_new(void)
{
	struct subjects *s = mem_alloc(sizeof(*s));

	map_init(&s->by_name);
	(void)subjects_id(s, "anonymous");
	return s;
}

void
subjects_free(struct subjects *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < s->n; i++)
		free(s->all[i]);
	map_fini(&s->by_name);
	free(s->all);
	free(s);
}

uint32_t
subjects_id(struct subjects *s, const char *name)
{
	uint32_t hash = map_hash(bytes_str(name), 0);
	size_t n = strlen(name) + 1;
	struct subject *subject;

	for (struct map_node *at = map_first(&s->by_name, hash); at; at = map_next(at)) {
		subject = MAP_OBJECT(at, struct subject, node);
		if (strcmp(subject->name, name) == 0)
			return subject->id;
	}
	if (s->n == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 16;
		s->all = mem_realloc(s->all, s->cap * sizeof(struct subject *));
	}
	subject = mem_alloc(sizeof(*subject) + n);
	subject->id = s->n;
	memcpy(subject->name, name, n);
	s->all[s->n++] = subject;
	map_put(&s->by_name, &subject->node, hash);
	return subject->id;
}

const char *
subjects_name(const struct subjects *s, uint32_t id)
{
	return s->all[id]->name;
}

uint32_t
subjects_count(const struct subjects *s)
{
	return s->n;
}
