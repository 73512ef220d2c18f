/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of those who are told apart, as small numbers: what requests and observers
 * carry instead of a name. A number stands for the same name as long as the process
 * lives, whatever a reload makes of it. Not here: who may what.
 */
#ifndef COAPCAST_NET_SUBJECTS_H
#define COAPCAST_NET_SUBJECTS_H

#include <stdint.h>

#define SUBJECTS_ANONYMOUS 0u /* whoever did not say, or prove, who it is */

struct subjects;

struct subjects *subjects_new(void);
void subjects_free(struct subjects *s); /* NULL is fine */

/* The number of a name, a new one when it has none. */
uint32_t subjects_intern(struct subjects *s, const char *name);
/* The name of a number: "anonymous" for 0 and for those that were never given out. */
const char *subjects_name(const struct subjects *s, uint32_t who);

#endif
