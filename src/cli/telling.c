/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/telling.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "cli/describe.h"

#define INDENT "    "

void
telling_free(struct telling *t)
{
	if (!t)
		return;
	if (t->body)
		mem_wipe(t->body, t->n_body);
	free(t->body);
	/* There may have been keys in it. */
	mem_wipe(t, sizeof(*t));
	free(t);
}

const char *
telling_closed(const struct telling_part *p)
{
	static const char *const words[] = {
		[UNPROTECT_MALFORMED] = "malformed",
		[UNPROTECT_NO_CONTEXT] = "no key for it",
		[UNPROTECT_FAILED] = "NOT VERIFIED: signature or decryption failed",
		[UNPROTECT_UNKNOWN_CREDENTIAL] = "NOT VERIFIED: no credential of the sender",
	};
	enum unprotect_verdict v = p->verdict;
	const char *what = v < sizeof(words) / sizeof(words[0]) ? words[v] : NULL;

	if (p->state == TELLING_UNASKED)
		return "its request is not in the capture, or could not be read";
	return what ? what : unprotect_error(v)->name;
}

static void
put_when(int64_t when_us, struct buf *out)
{
	time_t s = (time_t)(when_us / 1000000);
	char text[16];
	struct tm tm;

	if (gmtime_r(&s, &tm) && strftime(text, sizeof(text), "%H:%M:%S", &tm) > 0)
		buf_printf(out, "%s.%06d", text, (int)(when_us % 1000000));
	else
		buf_put_str(out, "?");
}

static void
put_head(const struct telling *t, struct buf *out)
{
	char from[ADDR_STRLEN], to[ADDR_STRLEN];

	put_when(t->when_us, out);
	if (t->kind == TELLING_FRAGMENT)
		buf_printf(out, " %s > %s ", addr_format_host(&t->from, from),
			addr_format_host(&t->to, to));
	else
		buf_printf(out, " %s > %s ", addr_format(&t->from, from), addr_format(&t->to, to));
}

/* "OSCORE panel-1: verified", "Group OSCORE hall, lamp-25: signature verified". */
static void
put_opened(const struct telling_part *p, struct buf *out)
{
	buf_printf(out, " {%s %s", p->is_group ? "Group OSCORE" : "OSCORE", p->keys);
	if (p->sender) {
		buf_printf(out, ", from %s", p->sender);
	} else if (p->is_group) {
		buf_put_str(out, ", from ");
		buf_put_hex(out, p->kid);
	}
	buf_printf(out, ": %s}",
		p->mode == OSCORE_GROUP      ? "signature verified"
		: p->mode == OSCORE_PAIRWISE ? "verified, pairwise"
					     : "verified");
}

/* A message that was inside: of the same exchange, so without type, id and token. */
static void
put_inner(const struct telling *t, const struct msg *m, struct buf *out)
{
	char code[16];

	buf_printf(out, " %s", msg_code_name(m->code, code));
	describe_content(m, t->inform_format, out);
}

/* What was protected in a part, and whether. */
static void
put_protection(const struct telling *t, const struct telling_part *p, struct buf *out)
{
	if (p->state == TELLING_OPENED) {
		put_opened(p, out);
		put_inner(t, &p->inner, out);
	} else if (p->state != TELLING_PLAIN) {
		buf_printf(out, " {%s}", telling_closed(p));
	}
}

static void
put_part(const struct telling *t, const char *what, const struct telling_part *p, struct buf *out)
{
	if (!p->is_there)
		return;
	buf_printf(out, INDENT "%s:", what);
	if (p->is_sound) {
		put_inner(t, &p->m, out);
		put_protection(t, p, out);
	} else {
		buf_put_str(out, " malformed");
	}
	buf_put_str(out, "\n");
}

static void
put_inform(const struct telling *t, struct buf *out)
{
	static const char *const states[] = {
		[TELLING_BLOCK] = "a block of it",
		[TELLING_LOST_BLOCK] = "a block of it, which does not follow those before",
		[TELLING_MALFORMED] = "malformed",
	};

	if (t->inform_state != TELLING_INFORM) {
		buf_printf(out, INDENT "informative response: %s", states[t->inform_state]);
		if (t->inform_state == TELLING_BLOCK)
			buf_printf(out, ", %zu bytes so far", t->n_body);
		buf_put_str(out, "\n");
		return;
	}
	if (t->n_body > 0)
		buf_printf(out, INDENT "put together of its blocks, %zu bytes\n", t->n_body);
	describe_inform(&t->inform, INDENT, out);
	if (t->keys == -ENOSPC)
		buf_put_str(out, INDENT "too many groups: these keys are not used\n");
	else if (t->keys < 0)
		buf_put_str(out, INDENT "these keys cannot be used\n");
	put_part(t, t->inform.ph_req.p ? "ph_req" : "registr", &t->phantom, out);
	put_part(t, "last_notif", &t->last, out);
}

static void
put_message(const struct telling *t, struct buf *out)
{
	const struct msg *m = &t->part.m;

	describe_type(m, out);
	describe_ids(m, out);
	if (t->kind == TELLING_CUT) {
		buf_put_str(out, " the rest was not captured\n");
		return;
	}
	describe_content(m, t->inform_format, out);
	put_protection(t, &t->part, out);
	if (t->asked[0] != '\0')
		buf_printf(out, " [%s%s]",
			addr_is_multicast(&t->to) ? "group observation of " : "to ", t->asked);
	buf_put_str(out, "\n");
	if (t->inform_state != TELLING_NO_INFORM)
		put_inform(t, out);
}

void
telling_put_text(const struct telling *t, struct buf *out)
{
	put_head(t, out);
	switch (t->kind) {
	case TELLING_MESSAGE:
	case TELLING_CUT:
		put_message(t, out);
		break;
	case TELLING_FRAGMENT:
		buf_put_str(out, "fragment, not put together\n");
		break;
	case TELLING_DTLS:
		buf_printf(out, "DTLS, %zu bytes\n", t->n_datagram);
		break;
	case TELLING_OTHER:
		buf_printf(out, "no CoAP message, %zu bytes\n", t->n_datagram);
		break;
	}
}
