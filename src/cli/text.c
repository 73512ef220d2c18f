/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/text.h"

#include <stdio.h>

/* How many bytes from here on are a control character: 0, 1, or 2 (U+0080 to U+009F). */
static size_t
control_at(const uint8_t *p, size_t n)
{
	if (p[0] < 0x20 || p[0] == 0x7f)
		return 1;
	return n > 1 && p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f ? 2 : 0;
}

size_t
text_escape(struct bytes text, char *out)
{
	size_t n = 0, n_control;

	for (size_t i = 0; i < text.n; i += n_control ? n_control : 1) {
		n_control = control_at(text.p + i, text.n - i);
		if (n_control == 0)
			out[n++] = (char)text.p[i];
		for (size_t j = 0; j < n_control; j++)
			n += (size_t)snprintf(out + n, 5, "\\x%02x", text.p[i + j]);
	}
	out[n] = '\0';
	return n;
}
