/* SPDX-License-Identifier: BSD-2-Clause */
#include "client/latest.h"

#include <stdlib.h>

#include "base/mem.h"
#include "wire/option.h"

void
latest_fini(struct latest *l)
{
	free(l->value);
	*l = (struct latest){0};
}

bool
latest_take(struct latest *l, uint32_t seq, uint64_t now_ms, uint32_t *ret_gap, bool *ret_anew)
{
	uint32_t step = 1;

	seq &= OBSERVE_MASK;
	if (l->has_seq) {
		if (!observe_newer(l->seq, l->seq_ms, seq, now_ms))
			return false;
		/* One that is newer by its time only steps as far, too. */
		step = (seq - l->seq) & OBSERVE_MASK;
	}
	l->has_seq = true;
	l->seq = seq;
	l->seq_ms = now_ms;
	*ret_anew = step >= LATEST_LIFE || step == 0;
	*ret_gap = *ret_anew ? 0 : step - 1;
	return true;
}

void
latest_reset(struct latest *l)
{
	l->has_seq = false;
}

bool
latest_equals(const struct latest *l, struct bytes etag, struct bytes value)
{
	if (!l->has_value)
		return false;
	if (etag.n > 0 && l->n_etag > 0)
		return bytes_equal(etag, bytes_of(l->etag, l->n_etag));
	return bytes_equal(value, bytes_of(l->value, l->n));
}

void
latest_keep(struct latest *l, struct bytes etag, struct bytes value)
{
	if (value.n > l->n)
		l->value = mem_realloc(l->value, value.n);
	if (value.n > 0)
		memcpy(l->value, value.p, value.n);
	l->n = value.n;
	l->n_etag = etag.n <= sizeof(l->etag) ? (uint8_t)etag.n : 0;
	if (l->n_etag > 0)
		memcpy(l->etag, etag.p, l->n_etag);
	l->has_value = true;
}
