/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/shields.h"

#include <stdlib.h>

#include "base/mem.h"
#include "oscore/protect.h"

struct shield *
shields_new(size_t *n_alive)
{
	struct shield *s = mem_alloc(sizeof(*s));

	s->n_refs = 1;
	s->n_alive = n_alive;
	++*n_alive;
	return s;
}

void
shields_release(struct shield *s)
{
	if (!s || --s->n_refs > 0)
		return;
	--*s->n_alive;
	binding_fini(&s->binding);
	free(s);
}

static void
on_hold(void *ctx, struct shield *s)
{
	(void)ctx;
	s->n_refs++;
}

static void
on_release(void *ctx, struct shield *s)
{
	(void)ctx;
	shields_release(s);
}

static int
on_protect(
	void *ctx, struct shield *s, const struct msg *plain, struct buf *tail, uint8_t *ret_code)
{
	/*
	 * RFC 8613 8.3: only the first answer may go without a Partial IV of its own. One
	 * without, after notifications, could not be told from a replay by who gets it.
	 */
	unsigned flags = s->answered ? PROTECT_OWN_PIV : 0;

	(void)ctx;
	s->answered = true;
	return protect_response(&s->binding, plain, flags, tail, ret_code);
}

const struct shield_ops shields_ops = {
	.protect = on_protect, .hold = on_hold, .release = on_release};
