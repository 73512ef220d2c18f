/* SPDX-License-Identifier: BSD-2-Clause */
#include "oscore/option.h"

#include <errno.h>

#define FLAG_GROUP 0x20
#define FLAG_KID_CONTEXT 0x10
#define FLAG_KID 0x08
#define FLAG_RESERVED 0xc0
#define MASK_PIV 0x07

/* Takes n bytes off the front of *rest; false when there are fewer. */
static bool
take(struct bytes *rest, size_t n, struct bytes *ret)
{
	if (rest->n < n)
		return false;
	*ret = bytes_head(*rest, n);
	*rest = bytes_of(rest->p + n, rest->n - n);
	return true;
}

int
oscore_option_decode(struct bytes value, struct oscore_option *ret)
{
	struct oscore_option o = {.group = false};
	struct bytes rest = value;
	struct bytes s;
	uint8_t flags;

	if (value.n == 0) {
		*ret = o;
		return 0;
	}
	/* RFC 8613 6.1: all flags zero is written as an empty value. */
	if (value.n > OSCORE_OPTION_MAX || value.p[0] == 0)
		return -EBADMSG;
	flags = value.p[0];
	rest = bytes_of(value.p + 1, value.n - 1);
	if ((flags & FLAG_RESERVED) != 0 || (flags & MASK_PIV) > OSCORE_MAX_PIV)
		return -EBADMSG;
	if (!take(&rest, flags & MASK_PIV, &o.piv))
		return -EBADMSG;
	/* RFC 8613 6.1: no leading zeros, so that a number has one form. */
	if (o.piv.n > 1 && o.piv.p[0] == 0)
		return -EBADMSG;
	if ((flags & FLAG_KID_CONTEXT) != 0 &&
		(!take(&rest, 1, &s) || !take(&rest, s.p[0], &o.kid_context)))
		return -EBADMSG;
	if ((flags & FLAG_KID) != 0)
		o.kid = rest;
	else if (rest.n > 0)
		return -EBADMSG;
	o.group = (flags & FLAG_GROUP) != 0;
	*ret = o;
	return 0;
}

int
oscore_option_encode(const struct oscore_option *o, struct buf *out)
{
	size_t before = out->n;
	uint8_t flags = (uint8_t)o->piv.n;

	if (o->piv.n > OSCORE_MAX_PIV || o->kid_context.n > UINT8_MAX)
		return -EINVAL;
	if (o->group)
		flags |= FLAG_GROUP;
	if (o->kid_context.p != NULL)
		flags |= FLAG_KID_CONTEXT;
	if (o->kid.p != NULL)
		flags |= FLAG_KID;
	if (flags == 0)
		return 0;
	buf_put_u8(out, flags);
	buf_put(out, o->piv);
	if (o->kid_context.p != NULL) {
		buf_put_u8(out, (uint8_t)o->kid_context.n);
		buf_put(out, o->kid_context);
	}
	if (o->kid.p != NULL)
		buf_put(out, o->kid);
	if (out->full)
		return -ENOBUFS;
	return out->n - before <= OSCORE_OPTION_MAX ? 0 : -EINVAL;
}

size_t
oscore_option_put_piv(uint64_t number, uint8_t ret[OSCORE_MAX_PIV])
{
	size_t n = 1;

	while (n < OSCORE_MAX_PIV && number >> (8 * n) != 0)
		n++;
	for (size_t i = 0; i < n; i++)
		ret[i] = (uint8_t)(number >> (8 * (n - 1 - i)));
	return n;
}

uint64_t
oscore_option_number(struct bytes piv)
{
	uint64_t number = 0;

	for (size_t i = 0; i < piv.n; i++)
		number = number << 8 | piv.p[i];
	return number;
}
