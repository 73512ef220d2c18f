/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/suggest.h"

#define MAX_WORD 48 /* our longest key has 32 letters */

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static uint8_t
letter(char c)
{
	return (uint8_t)(c >= 'A' && c <= 'Z' ? c + 32 : c == '_' ? '-' : c);
}

/* Row i of the table from the two above it: "optimal string alignment". */
static void
fill_row(size_t i, struct bytes text, const char *word, size_t n, const size_t *above,
	const size_t *above2, size_t *row)
{
	row[0] = i;
	for (size_t j = 1; j <= n; j++) {
		uint8_t a = letter((char)text.p[i - 1]), b = letter(word[j - 1]);

		row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (a != b));
		if (i > 1 && j > 1 && a == letter(word[j - 2]) && b == letter((char)text.p[i - 2]))
			row[j] = least(row[j], above2[j - 2] + 1);
	}
}

size_t
suggest_distance(struct bytes text, const char *word)
{
	size_t rows[3][MAX_WORD + 1];
	size_t n = strlen(word), allowed = n / 3 ? n / 3 : 1, d;

	if (n > MAX_WORD || text.n > n + allowed || text.n + allowed < n)
		return SUGGEST_NEVER;
	for (size_t j = 0; j <= n; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= text.n; i++)
		fill_row(i, text, word, n, rows[(i - 1) % 3], rows[(i + 1) % 3], rows[i % 3]);
	d = rows[text.n % 3][n];
	return d <= allowed ? d : SUGGEST_NEVER;
}
