/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes JSON objects (RFC 8259), one per line, into memory that grows. Not a reader.
 */
#ifndef COAPCAST_CLI_JSON_H
#define COAPCAST_CLI_JSON_H

#include "base/bytes.h"

/* Zeroed: empty. The text is not NUL-terminated. */
struct json {
	char *p; /* owned */
	size_t n, cap;
};

void json_fini(struct json *j);

void json_open(struct json *j); /* empties it, and opens an object */
void json_close(struct json *j); /* closes the object and the line */

/* An object or a list inside; `key` is NULL for one of a list. */
void json_open_object(struct json *j, const char *key);
void json_close_object(struct json *j);
void json_open_list(struct json *j, const char *key);
void json_close_list(struct json *j);

void json_put_text(struct json *j, const char *key, struct bytes text); /* must be UTF-8 */
void json_put_str(struct json *j, const char *key, const char *text);
void json_put_uint(struct json *j, const char *key, uint64_t v);
void json_put_bool(struct json *j, const char *key, bool v);
/* As text when it is UTF-8, else base64 (RFC 4648 4) and "encoding":"base64" after it. */
void json_put_payload(struct json *j, const char *key, struct bytes payload);

/* Makes it a line of these very bytes instead. */
void json_put_line(struct json *j, struct bytes line);

#endif
