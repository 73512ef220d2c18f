/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The database's tables, as the steps that lead from each version of them to the
 * next: a step that was released is never changed, what is new gets a new one.
 */
#ifndef COAPCAST_STORE_SCHEMA_H
#define COAPCAST_STORE_SCHEMA_H

/* SQL that leads from version n to n + 1; NULL: n is the newest. */
extern const char *const schema_steps[];

/*
 * Of each version, in the file's header beside it: one without the other is a header
 * that was damaged.
 */
#define SCHEMA_APPLICATION_ID(version) (0x63635354 + (version))

#endif
