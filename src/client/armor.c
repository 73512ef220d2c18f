/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/armor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

#define TAIL_MAX 2048
#define DIAGNOSTIC_MAX 80

struct armor
armor_for(const struct armor *a, struct bytes kid)
{
	struct armor alone = *a;

	alone.peer = kid;
	if (a->context && context_has_pairwise_mode(a->context))
		alone.mode = OSCORE_PAIRWISE;
	return alone;
}

int
armor_seal(const struct armor *a, const struct msg *plain, struct armored *ret)
{
	uint8_t space[TAIL_MAX];
	struct buf tail = BUF_OF(space);
	struct oscore_binding b = {.context = NULL};
	uint8_t code;
	int rc;

	if (a->ready)
		a->ready(a->ctx);
	rc = protect_request(a->context, a->mode, a->peer, plain, &tail, &code, &b);
	if (rc < 0)
		return rc;
	armor_drop(ret);
	ret->binding = b;
	ret->tail = mem_dup(buf_bytes(&tail));
	ret->n_tail = (uint16_t)tail.n;
	ret->code = code;
	ret->opened = false;
	return 0;
}

void
armor_drop(struct armored *s)
{
	binding_fini(&s->binding);
	free(s->tail);
	s->tail = NULL;
	s->n_tail = 0;
}

enum unprotect_verdict
armor_open_bound(struct oscore_binding *b, const struct context_table *t, const struct msg *outer,
	struct buf *space, struct msg *ret)
{
	const struct opt *number = msg_find(outer, OPT_OBSERVE);
	enum unprotect_verdict v;
	struct unprotect_info info;

	v = unprotect_response(b, t, outer, space, ret, &info);
	if (v == UNPROTECT_OK && msg_has(ret, OPT_OBSERVE)) {
		/* There is room for it, one was taken out. */
		msg_remove(ret, OPT_OBSERVE);
		(void)msg_add(ret, OPT_OBSERVE, number ? number->value : bytes_of("", 0));
	}
	return v;
}

/* A number alone proves nothing: what came before, or was overtaken, verifies. */
static bool
is_stale(const struct armored *s, const struct msg *outer, struct buf *space)
{
	struct unprotect_info info;
	struct msg m;

	return unprotect_peek_response(&s->binding, NULL, outer, space, &m, &info) == UNPROTECT_OK;
}

enum armor_verdict
armor_open(struct armored *s, const struct msg *outer, struct buf *space, struct msg *ret)
{
	if (!msg_has(outer, OPT_OSCORE))
		return MSG_CLASS(outer->code) > 2 ? ARMOR_REFUSED : ARMOR_FAILED;
	switch (armor_open_bound(&s->binding, NULL, outer, space, ret)) {
	case UNPROTECT_OK:
		s->opened = true;
		return ARMOR_OPENED;
	case UNPROTECT_REPLAY:
		return is_stale(s, outer, space) ? ARMOR_STALE : ARMOR_FAILED;
	default:
		return ARMOR_FAILED;
	}
}

void
armor_explain(const struct armor *a, enum armor_verdict v, const struct msg *outer)
{
	char text[256], name[16];
	struct bytes p = bytes_head(outer->payload, DIAGNOSTIC_MAX);

	if (!a->note)
		return;
	if (v == ARMOR_REFUSED)
		(void)snprintf(text, sizeof(text),
			"the server did not take the protected request: %s%s%.*s",
			msg_code_name(outer->code, name), p.n ? " " : "", (int)p.n,
			p.n ? (const char *)p.p : "");
	else
		(void)snprintf(text, sizeof(text), "%s",
			msg_has(outer, OPT_OSCORE)
				? "an answer cannot be verified: the server has other keys, or "
				  "it is forged"
				: "an answer came without protection and was refused");
	a->note(a->ctx, true, text);
}

bool
armor_count_drop(struct armor_drops *d, uint64_t now_ms)
{
	d->n++;
	if (d->n > 1 && now_ms - d->told_ms < ARMOR_TELL_MS)
		return false;
	d->told_ms = now_ms;
	return true;
}
