/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The schema engine: fills a struct from YAML as tables of keys say. It walks
 * libyaml's events, never its document tree, so that aliases are not expanded
 * and nothing is read that the tables do not expect: the nesting of the tables
 * bounds the depth. It knows nothing of what the keys mean; rules between keys
 * are for its caller, who can ask where each key was written.
 */
#ifndef COAPCAST_CONF_SCHEMA_H
#define COAPCAST_CONF_SCHEMA_H

#include <stdio.h>

#include "base/error.h"
#include "conf/arena.h"

enum schema_type { /* what the field is, and its form in the file */
	SCHEMA_BOOL, /* bool: true false yes no on off */
	SCHEMA_UINT, /* uint32_t, UINT32_MAX when it has no default and is absent */
	SCHEMA_SIZE, /* uint64_t: 512 64K 256M 1G, powers of 1024 */
	SCHEMA_DURATION, /* uint64_t of milliseconds: 500ms 10s 5m 2h 30d, or 0 */
	SCHEMA_STRING, /* const char *: no control characters, min 1 */
	SCHEMA_TEXT, /* struct bytes: anything */
	SCHEMA_BYTES, /* struct bytes: hex:... text:... file:... */
	SCHEMA_ENUM, /* int, or an enum of its size: one of names */
	SCHEMA_FLAGS, /* unsigned int: a list of names, their values or-ed */
	SCHEMA_ADDRESS, /* struct addr without a port */
	SCHEMA_ENDPOINT, /* struct addr with a port */
	SCHEMA_PREFIX, /* struct prefix */
	SCHEMA_URI, /* const char *: SCHEME://HOST... */
	SCHEMA_PATH, /* const char *: relative ones resolved */
	SCHEMA_CUSTOM, /* as .custom says */
	SCHEMA_MAP, /* a struct, or with SCHEMA_OPTIONAL a pointer to one */
};

enum schema_flags {
	SCHEMA_REQUIRED = 1 << 0,
	SCHEMA_SECRET = 1 << 1, /* never printed; files with it must be private */
	SCHEMA_OPTIONAL = 1 << 2, /* a map that is absent as a whole: the field is a pointer */
	SCHEMA_OR_ONE = 1 << 3, /* a list of one may be written without brackets */
	SCHEMA_FILE = 1 << 4, /* a path that must be a readable file */
};

struct schema_name { /* of an enum; ends with .name NULL */
	const char *name;
	int value;
};

struct schema_custom {
	const char *type; /* what documents call it */
	/* 0, or -EINVAL with what is wrong in *why. */
	int (*parse)(const char *text, void *field, struct error *why);
	void (*format)(const void *field, FILE *out);
};

struct schema_key { /* a table of them ends with .name NULL */
	const char *name;
	enum schema_type type;
	size_t at; /* offset of the field */
	size_t at_n; /* offset of a list's count (size_t) */
	size_t size; /* of the field, of an element, of a map's struct */
	uint64_t min, max; /* of the number, of the length, see scalar.c; max 0: the type's */
	const char *dflt; /* as written in a file; of a list: its only element */
	unsigned int flags;
	bool list;
	const struct schema_name *names;
	const struct schema_custom *custom;
	bool (*is_valid)(const char *text, struct error *why); /* of a string, further rules */
	const struct schema_key *keys; /* of a map */
	uint64_t list_min; /* least entries of a list that is written down */
	const char *help;
};

struct schema_source {
	const char *name; /* how errors call it */
	const char *folder; /* where relative paths start; NULL: no file may be read */
	bool shared; /* group or others may read it: no secrets in it, please */
};

struct schema_place { /* a key that was written */
	const char *file;
	const char *masked; /* its path, "identities[0].psk.key": a secret that is not there */
	uint64_t hash; /* of the path; two that are alike are not reckoned with */
	uint32_t line, column; /* from 1; of the value */
	uint32_t older; /* place with the same lower bits of it, + 1; 0: none */
};

#define SCHEMA_CHAINS 1024

struct schema_doc {
	struct arena arena;
	struct arena places_arena;
	struct schema_place *places; /* in the order of reading */
	size_t n_places;
	uint32_t newest[SCHEMA_CHAINS]; /* where each chain of `older` starts, + 1; 0: nowhere */
};

/* Sets the defaults of the scalars and lists of a struct that is all zero. */
void schema_defaults(struct schema_doc *d, const struct schema_key *keys, void *base);

/*
 * Reads one document into base. May be called again for more files: scalars
 * replace, maps merge, lists append. 0 or -EINVAL; after a failure the struct
 * is only good for being dropped. An empty document sets nothing.
 */
int schema_parse(struct schema_doc *d, const struct schema_key *keys, void *base, struct bytes text,
	const struct schema_source *src, struct error *e);

/* After the last file: lists that were not written get their default. */
void schema_finish(struct schema_doc *d, const struct schema_key *keys, void *base);

/* Where a path was written last, or NULL. */
const struct schema_place *schema_place(const struct schema_doc *d, const char *path);
/* The same for the path or what it is part of; a place without a file at worst. */
struct schema_place schema_near(const struct schema_doc *d, const char *path);

/*
 * Where what was written is not known any more: as much memory as all the rest, or more. For
 * when there is nothing left to say about it.
 */
void schema_forget_places(struct schema_doc *d);

/* Overwrites and frees everything below it. */
void schema_fini(struct schema_doc *d);

/* The place, path and reason as one line. */
void schema_error(
	struct error *e, const struct schema_place *at, const char *path, const char *why);

#endif
