/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rules between keys: what each key says is right by itself, and here is
 * looked at whether it goes together. Also fills in what follows from several
 * keys (a group's port in its address, references by name).
 */
#ifndef COAPCAST_CONF_CONFCHECK_H
#define COAPCAST_CONF_CONFCHECK_H

#include "conf/conf.h"
#include "conf/schema.h"

/* 0, or -EINVAL with the place and what is wrong in *e; notes go into c->notes. */
int confcheck_all(struct conf *c, struct error *e);

/* The part of it that is about confsec.h. */
int confcheck_security(struct conf *c, struct error *e);

/* -EINVAL, with `list[i].key` (key and list may be NULL), its place and why in *e. */
int confcheck_fail(const struct conf *c, struct error *e, const char *list, size_t i,
	const char *key, const char *why);

void confcheck_note(struct conf *c, enum log_level level, const char *list, size_t i,
	const char *key, const char *why);

struct confcheck_unique {
	struct bytes key; /* what must not be there twice; none when p is NULL */
	size_t i;
};

/* Refuses keys that are there twice, in the name of list[i].name. Sorts u. */
int confcheck_twice(const struct conf *c, struct error *e, struct confcheck_unique *u, size_t n,
	const char *list, const char *name);

#endif
