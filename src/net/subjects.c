/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/subjects.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/rnd.h"

struct subject {
	struct map_node node;
	char *name;
	uint32_t who;
};

struct subjects {
	struct map by_name;
	struct subject **all; /* by number; [0] is not used */
	uint32_t n;
	uint32_t seed;
};

struct subjects *
subjects_new(void)
{
	struct subjects *s = mem_alloc(sizeof(*s));

	map_init(&s->by_name);
	rnd_fill(&s->seed, sizeof(s->seed));
	s->n = SUBJECTS_ANONYMOUS + 1;
	return s;
}

void
subjects_free(struct subjects *s)
{
	if (!s)
		return;
	for (uint32_t i = SUBJECTS_ANONYMOUS + 1; i < s->n; i++) {
		free(s->all[i]->name);
		free(s->all[i]);
	}
	free(s->all);
	map_fini(&s->by_name);
	free(s);
}

uint32_t
subjects_intern(struct subjects *s, const char *name)
{
	uint32_t hash = map_hash(bytes_str(name), s->seed);
	struct subject *it;

	for (struct map_node *n = map_first(&s->by_name, hash); n; n = map_next(n)) {
		it = MAP_OBJECT(n, struct subject, node);
		if (strcmp(it->name, name) == 0)
			return it->who;
	}
	it = mem_alloc(sizeof(*it));
	it->name = mem_strdup(name);
	it->who = s->n;
	s->all = mem_realloc(s->all, (s->n + 1) * sizeof(struct subject *));
	s->all[s->n++] = it;
	map_put(&s->by_name, &it->node, hash);
	return it->who;
}

const char *
subjects_name(const struct subjects *s, uint32_t who)
{
	return who > SUBJECTS_ANONYMOUS && who < s->n ? s->all[who]->name : "anonymous";
}
