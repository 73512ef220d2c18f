/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Byte strings written as hex, for tests. Blanks in the text are ignored; a
 * text that is not hex is a mistake in the test and ends it.
 */
#ifndef COAPCAST_UNIT_HEX_H
#define COAPCAST_UNIT_HEX_H

#include <check.h>
#include <string.h>

#include "base/buf.h"

#define HEX_MAX 2048 /* bytes */

/* Into out, of at least HEX_MAX bytes; returns what was written there. */
static inline struct bytes
hex_bytes(const char *text, uint8_t *out)
{
	static const char digits[] = "0123456789abcdef";
	size_t n = 0;

	for (; *text != '\0'; text++) {
		const char *d = strchr(digits, *text);

		if (*text == ' ')
			continue;
		ck_assert_msg(d != NULL && n / 2 < HEX_MAX, "bad hex at \"%s\"", text);
		if (n % 2 == 0)
			out[n / 2] = (uint8_t)((d - digits) << 4);
		else
			out[n / 2] |= (uint8_t)(d - digits);
		n++;
	}
	ck_assert_msg(n % 2 == 0, "odd number of hex digits");
	return bytes_of(out, n / 2);
}

/* Fails, showing both as hex, unless what was written is what the hex text says. */
static inline void
hex_expect(struct bytes got, const char *expected)
{
	uint8_t raw[HEX_MAX];
	char a[2 * HEX_MAX + 1];
	char b[2 * HEX_MAX + 1];
	struct buf ha = buf_of(a, sizeof(a));
	struct buf hb = buf_of(b, sizeof(b));

	buf_put_hex(&ha, got);
	buf_put_hex(&hb, hex_bytes(expected, raw));
	ck_assert_str_eq(buf_str(&ha), buf_str(&hb));
}

#endif
