/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is who, as numbers: the names of identities, interned for the process's life.
 * Who a peer is was found out by its security; what it may do is net/access.h's.
 */
#ifndef COAPCAST_NET_SUBJECTS_H
#define COAPCAST_NET_SUBJECTS_H

#include "base/bytes.h"

#define SUBJECTS_ANONYMOUS 0 /* "anonymous": nobody knows */

struct subjects;

struct subjects *subjects_new(void);
void subjects_free(struct subjects *s); /* NULL is fine */

/* The number of a name, which it gets with the first call. Names are the configuration's. */
uint32_t subjects_id(struct subjects *s, const char *name);
/* The name of a number that was given. */
const char *subjects_name(const struct subjects *s, uint32_t id);
/* Numbers given so far: those below. */
uint32_t subjects_count(const struct subjects *s);

#endif
