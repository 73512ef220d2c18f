/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/json.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "wire/cborget.h"

void
json_fini(struct json *j)
{
	free(j->p);
	*j = (struct json){0};
}

static void
put(struct json *j, const char *text, size_t n)
{
	if (j->n + n > j->cap) {
		j->cap = (j->n + n) * 2;
		j->p = mem_realloc(j->p, j->cap);
	}
	if (n > 0)
		memcpy(j->p + j->n, text, n);
	j->n += n;
}

static void
put_str(struct json *j, const char *text)
{
	put(j, text, strlen(text));
}

/* RFC 8259 7: what must be escaped; '\x7f' too, for the sake of terminals. */
static void
put_escaped(struct json *j, uint8_t c)
{
	static const char shorts[] = "\bb\ff\nn\rr\tt\"\"\\\\";
	char text[8];

	for (const char *s = shorts; *s; s += 2) {
		if (c == (uint8_t)*s) {
			put(j, "\\", 1);
			put(j, s + 1, 1);
			return;
		}
	}
	if (c >= 0x20 && c != 0x7f) {
		text[0] = (char)c;
		put(j, text, 1);
		return;
	}
	(void)snprintf(text, sizeof(text), "\\u%04x", c);
	put_str(j, text);
}

static void
put_string(struct json *j, struct bytes s)
{
	put(j, "\"", 1);
	for (size_t i = 0; i < s.n; i++)
		put_escaped(j, s.p[i]);
	put(j, "\"", 1);
}

static void
put_key(struct json *j, const char *key)
{
	if (j->p[j->n - 1] != '{' && j->p[j->n - 1] != '[')
		put(j, ",", 1);
	if (!key)
		return;
	put_string(j, bytes_str(key));
	put(j, ":", 1);
}

void
json_open(struct json *j)
{
	j->n = 0;
	put(j, "{", 1);
}

void
json_close(struct json *j)
{
	put(j, "}\n", 2);
}

void
json_open_object(struct json *j, const char *key)
{
	put_key(j, key);
	put(j, "{", 1);
}

void
json_close_object(struct json *j)
{
	put(j, "}", 1);
}

void
json_open_list(struct json *j, const char *key)
{
	put_key(j, key);
	put(j, "[", 1);
}

void
json_close_list(struct json *j)
{
	put(j, "]", 1);
}

void
json_put_text(struct json *j, const char *key, struct bytes text)
{
	put_key(j, key);
	put_string(j, text);
}

void
json_put_str(struct json *j, const char *key, const char *text)
{
	json_put_text(j, key, bytes_str(text));
}

void
json_put_uint(struct json *j, const char *key, uint64_t v)
{
	char text[24];

	put_key(j, key);
	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
	put_str(j, text);
}

void
json_put_bool(struct json *j, const char *key, bool v)
{
	put_key(j, key);
	put_str(j, v ? "true" : "false");
}

static void
put_base64(struct json *j, struct bytes s)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	put(j, "\"", 1);
	for (size_t i = 0; i < s.n; i += 3) {
		uint32_t v = (uint32_t)s.p[i] << 16;
		char out[4];

		if (i + 1 < s.n)
			v |= (uint32_t)s.p[i + 1] << 8;
		if (i + 2 < s.n)
			v |= s.p[i + 2];
		out[0] = digits[v >> 18];
		out[1] = digits[(v >> 12) & 63];
		out[2] = i + 1 < s.n ? digits[(v >> 6) & 63] : '=';
		out[3] = i + 2 < s.n ? digits[v & 63] : '=';
		put(j, out, sizeof(out));
	}
	put(j, "\"", 1);
}

void
json_put_payload(struct json *j, const char *key, struct bytes payload)
{
	if (cborget_is_utf8(payload)) {
		json_put_text(j, key, payload);
		return;
	}
	put_key(j, key);
	put_base64(j, payload);
	json_put_str(j, "encoding", "base64");
}

void
json_put_line(struct json *j, struct bytes line)
{
	j->n = 0;
	put(j, (const char *)line.p, line.n);
	put(j, "\n", 1);
}
