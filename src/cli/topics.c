/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/topics.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "cli/json.h"
#include "cli/locate.h"
#include "cli/text.h"
#include "wire/cborget.h"

#define FORMAT_TOPIC 606 /* application/core-pubsub+cbor; not assigned yet */
#define BODY_MAX (2 * URI_PART_MAX + 256) /* all properties but initialize and topic-type */

enum connection_written
topics_print_json(const char *path, const struct props *p, unsigned keys)
{
	struct json j = {0};

	json_open(&j);
	json_put_text(&j, "topic", p->name);
	json_put_payload(&j, "path", bytes_str(path));
	json_put_text(&j, "data", p->data);
	if (props_has(p, PROPS_CONTENT_FORMAT))
		json_put_uint(&j, "content_format", p->content_format);
	if (props_has(p, PROPS_TYPE))
		json_put_text(&j, "type", p->type);
	if (props_has(p, PROPS_EXPIRATION) && p->expiration_s >= 0)
		json_put_uint(&j, "expires", (uint64_t)p->expiration_s);
	if (props_has(p, PROPS_MAX_SUBSCRIBERS))
		json_put_uint(&j, "max_subscribers", p->max_subscribers);
	if (props_has(p, PROPS_OBSERVER_CHECK))
		json_put_uint(&j, "observer_check", p->observer_check_s);
	if (props_has(p, PROPS_INITIALIZE) && (keys & PROPS_BIT(PROPS_INITIALIZE)))
		json_put_payload(&j, "initialize", p->initialize);
	return connection_write_json(&j);
}

/* "name: text" in a line, whatever the text is. */
static void
put_text(struct buf *out, const char *name, struct bytes text)
{
	char *line = mem_alloc(TEXT_ESCAPED(text.n));

	(void)text_escape(text, line);
	buf_printf(out, "%s: %s\n", name, line);
	free(line);
}

static void
put_date(struct buf *out, int64_t at_s)
{
	time_t t = (time_t)at_s;
	char text[64];
	struct tm tm;

	if (gmtime_r(&t, &tm) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0)
		put_text(out, "expires", bytes_str(text));
	else
		buf_printf(out, "expires: %lld\n", (long long)at_s);
}

static void
put_value(struct buf *out, struct bytes v)
{
	char *line = mem_alloc(TEXT_ESCAPED(v.n));

	/* As --initialize takes it, to the byte: so, nothing that is escaped. */
	if (cborget_is_utf8(v) && text_escape(v, line) == v.n) {
		buf_printf(out, "initialize: text:%s\n", line);
	} else {
		buf_put_str(out, "initialize: hex:");
		buf_put_hex(out, v);
		buf_put_u8(out, '\n');
	}
	free(line);
}

static enum connection_written
print_plain(const char *path, const struct props *p)
{
	size_t n = p->name.n + strlen(path) + p->data.n + p->type.n + p->initialize.n;
	size_t cap = 256 + TEXT_ESCAPED(n);
	uint8_t *room = mem_alloc(cap);
	struct buf out = buf_of(room, cap);
	enum connection_written written;

	put_text(&out, "name", p->name);
	put_text(&out, "topic", bytes_str(path));
	put_text(&out, "data", p->data);
	if (props_has(p, PROPS_CONTENT_FORMAT))
		buf_printf(&out, "content-format: %u\n", p->content_format);
	if (props_has(p, PROPS_TYPE))
		put_text(&out, "type", p->type);
	if (props_has(p, PROPS_EXPIRATION))
		put_date(&out, p->expiration_s);
	if (props_has(p, PROPS_MAX_SUBSCRIBERS))
		buf_printf(&out, "max-subscribers: %u\n", (unsigned)p->max_subscribers);
	if (props_has(p, PROPS_OBSERVER_CHECK))
		buf_printf(&out, "observer-check: %u\n", (unsigned)p->observer_check_s);
	if (props_has(p, PROPS_INITIALIZE))
		put_value(&out, p->initialize);
	written = connection_write(buf_bytes(&out));
	free(room);
	return written;
}

static enum cli_exit
show(struct connection *c, const char *path)
{
	struct transfer_result r;
	enum cli_exit rc;
	struct props p;

	connection_get(c, path, "", &r);
	if ((rc = connection_judge(&r, path)) != CLI_OK)
		return rc;
	if (props_decode(r.body, &p) < 0 || !props_has(&p, PROPS_NAME)) {
		connection_complain("%s: not the properties of a topic", path);
		return CLI_OTHER;
	}
	return connection_wrote(
		c->args->json ? topics_print_json(path, &p, PROPS_ALL) : print_plain(path, &p));
}

/* The byte string that "hex:80", "text:x" or any other text means; *ret_copy is to be freed. */
static int
read_bytes(struct bytes text, struct bytes *ret, uint8_t **ret_copy)
{
	static const char digits[] = "0123456789abcdef";
	struct bytes hex = bytes_from(text, 4);

	*ret_copy = NULL;
	*ret = bytes_is(bytes_head(text, 5), "text:") ? bytes_from(text, 5) : text;
	if (!bytes_is(bytes_head(text, 4), "hex:"))
		return 0;
	if (hex.n % 2 != 0)
		return -EINVAL;
	*ret_copy = mem_alloc(hex.n / 2 + 1);
	for (size_t i = 0; i < hex.n; i++) {
		uint8_t lower = hex.p[i] >= 'A' && hex.p[i] <= 'F' ? hex.p[i] | 0x20 : hex.p[i];
		const char *d = lower ? strchr(digits, lower) : NULL;

		if (!d) {
			free(*ret_copy);
			*ret_copy = NULL;
			return -EINVAL;
		}
		(*ret_copy)[i / 2] = (uint8_t)((*ret_copy)[i / 2] << 4 | (d - digits));
	}
	*ret = bytes_of(*ret_copy, hex.n / 2);
	return 0;
}

/* Sends properties to a path; `p->initialize` is read here. */
static enum cli_exit
send_props(struct connection *c, enum msg_code code, const char *path, struct props *p,
	struct transfer_result *ret)
{
	struct transfer_request q = {
		.code = code,
		.target = {.path = bytes_str(path), .accept = TARGET_NO_FORMAT},
		.content_format = FORMAT_TOPIC,
	};
	size_t cap = BODY_MAX + p->type.n + p->initialize.n;
	uint8_t *room, *copy;
	struct buf body;

	if (read_bytes(p->initialize, &p->initialize, &copy) < 0) {
		connection_complain("--initialize wants an even number of hex digits after hex:");
		return CLI_USAGE;
	}
	room = mem_alloc(cap);
	body = buf_of(room, cap);
	(void)props_encode(p, PROPS_ALL, &body);
	q.payload = buf_bytes(&body);
	connection_ask(c, &q, ret);
	free(room);
	free(copy);
	return connection_judge(ret, c->text);
}

static enum cli_exit
create(struct connection *c)
{
	struct props p = c->args->props, made;
	struct transfer_result r;
	struct place place;
	enum cli_exit rc = locate_new(c, &place);

	if (rc != CLI_OK)
		return rc;
	p.has |= PROPS_BIT(PROPS_NAME) | PROPS_BIT(PROPS_RESOURCE_TYPE);
	p.name = bytes_str(place.name);
	p.resource_type = BYTES_LIT("core.ps.data");
	if ((rc = send_props(c, CODE_POST, place.topic, &p, &r)) != CLI_OK)
		return rc;
	if (props_decode(r.body, &made) == 0)
		connection_note(c, "created topic %s with its data at %.*s", place.name,
			(int)made.data.n, (const char *)made.data.p);
	if (!c->args->json)
		return CLI_OK;
	if ((rc = locate_properties(c, &place)) != CLI_OK)
		return rc;
	return show(c, place.topic);
}

static enum cli_exit
set(struct connection *c)
{
	struct props p = c->args->props;
	struct transfer_result r;
	struct place place;
	enum cli_exit rc;

	if ((rc = locate_properties(c, &place)) != CLI_OK)
		return rc;
	rc = send_props(c, c->args->replace ? CODE_POST : CODE_IPATCH, place.topic, &p, &r);
	if (rc != CLI_OK)
		return rc;
	connection_note(c, "changed topic %s at %s", place.name, place.topic);
	return c->args->json ? show(c, place.topic) : CLI_OK;
}

static enum cli_exit
show_named(struct connection *c)
{
	struct place place;
	enum cli_exit rc = locate_properties(c, &place);

	return rc == CLI_OK ? show(c, place.topic) : rc;
}

static enum cli_exit
remove_named(struct connection *c)
{
	struct transfer_request q = {
		.code = CODE_DELETE,
		.target = {.accept = TARGET_NO_FORMAT},
		.content_format = TARGET_NO_FORMAT,
	};
	struct transfer_result r;
	struct place place;
	enum cli_exit rc;

	if ((rc = locate_properties(c, &place)) != CLI_OK)
		return rc;
	q.target.path = bytes_str(place.topic);
	connection_ask(c, &q, &r);
	if ((rc = connection_judge(&r, c->text)) == CLI_OK)
		connection_note(c, "deleted topic %s", place.name);
	return rc;
}

static enum cli_exit
run(const struct args *a, enum cli_exit (*what)(struct connection *c))
{
	struct connection c;
	enum cli_exit rc = connection_open(&c, a);

	if (rc != CLI_OK)
		return rc;
	rc = what(&c);
	connection_close(&c);
	return rc;
}

enum cli_exit
topics_create(const struct args *a)
{
	return run(a, create);
}

enum cli_exit
topics_show(const struct args *a)
{
	return run(a, show_named);
}

enum cli_exit
topics_set(const struct args *a)
{
	return run(a, set);
}

enum cli_exit
topics_remove(const struct args *a)
{
	return run(a, remove_named);
}
