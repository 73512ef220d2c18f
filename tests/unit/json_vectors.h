/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A reader of test vectors in JSON: the whole file as an array of nodes, looked up by
 * name. Only for files of our own: what is not as expected ends the test.
 */
#ifndef COAPCAST_UNIT_JSON_VECTORS_H
#define COAPCAST_UNIT_JSON_VECTORS_H

#include "base/bytes.h"

enum node_kind { NODE_NULL, NODE_BOOL, NODE_NUMBER, NODE_STRING, NODE_ARRAY, NODE_OBJECT };

struct node {
	enum node_kind kind;
	struct bytes key; /* in an object: the name; without escapes */
	struct bytes text; /* of a string or number */
	size_t after; /* index of the node behind this one and all in it */
};

struct vectors {
	char *file; /* the content of the file; owned */
	struct node *nodes; /* [0] is the whole; owned */
	size_t n;
};

/* Reads $srcdir/tests/data/NAME. */
struct vectors vectors_open(const char *name);
void vectors_close(struct vectors *v);

/* Members of an array or object: `for (m = vectors_first(v, at); m != 0; m = vectors_next(..))`. */
size_t vectors_first(const struct vectors *v, size_t at);
size_t vectors_next(const struct vectors *v, size_t at, size_t member);
/* A member of an object; 0 when it has none of that name, or null. */
size_t vectors_find(const struct vectors *v, size_t at, const char *name);
bool vectors_has(const struct vectors *v, size_t at, const char *name);
/* The text of a member, which must be there; a number of a member, or `absent`. */
struct bytes vectors_text(const struct vectors *v, size_t at, const char *name);
long vectors_number(const struct vectors *v, size_t at, const char *name, long absent);
/* A member's hex as bytes, kept until vectors_forget; BYTES_NONE when it is not there. */
struct bytes vectors_hex(const struct vectors *v, size_t at, const char *name);
struct bytes vectors_unhex(struct bytes text);
void vectors_forget(void);

#endif
