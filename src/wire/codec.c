/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/codec.h"

#include <errno.h>

#include <coap3/coap.h>

#define EXTENDED_16BIT 14 /* nibble: two more bytes follow, offset 269 */
#define EXTENDED_OFFSET 269

int
codec_get_option(struct bytes *rest, uint16_t *number, struct bytes *ret_value)
{
	coap_option_t option;
	size_t n;

	if (rest->n == 0)
		return -EBADMSG;
	n = coap_opt_parse(rest->p, rest->n, &option);
	if (n == 0 || n > rest->n)
		return -EBADMSG;
	/* libcoap lets the sum of a 16-bit delta wrap: seen as one too small. */
	if (rest->p[0] >> 4 == EXTENDED_16BIT && option.delta < EXTENDED_OFFSET)
		return -EBADMSG;
	if (option.delta > UINT16_MAX - *number)
		return -EBADMSG;
	*number = (uint16_t)(*number + option.delta);
	*ret_value = bytes_of(option.value, option.length);
	*rest = bytes_from(*rest, n);
	return 0;
}

void
codec_put_option(struct buf *out, uint16_t delta, struct bytes value)
{
	size_t need = coap_opt_encode_size(delta, value.n);
	uint8_t *at;

	/* libcoap encodes lengths of at most 16 bits above the offset. */
	if (value.n > UINT16_MAX) {
		out->full = true;
		return;
	}
	if ((at = buf_claim(out, need)) != NULL)
		(void)coap_opt_encode(at, need, delta, value.p, value.n);
}
