/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/unit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

const struct unit unit_none[] = {{"", 1}, {.suffix = NULL}};

const struct unit unit_size[] = {
	{"", 1},
	{"K", 1ULL << 10},
	{"M", 1ULL << 20},
	{"G", 1ULL << 30},
	{"T", 1ULL << 40},
	{.suffix = NULL},
};

const struct unit unit_duration[] = {
	{"ms", 1},
	{"s", 1000},
	{"m", 60 * 1000},
	{"h", 60 * 60 * 1000},
	{"d", 24 * 60 * 60 * 1000},
	{.suffix = NULL},
};

int
unit_parse(struct bytes text, const struct unit *units, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < text.n && text.p[i] >= '0' && text.p[i] <= '9'; i++)
		if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
			__builtin_add_overflow(v, (uint64_t)(text.p[i] - '0'), &v))
			return -EINVAL;
	if (i == 0)
		return -EINVAL;
	text = bytes_from(text, i);
	/* Nothing of any unit is nothing. */
	if (v == 0 && text.n == 0) {
		*ret = 0;
		return 0;
	}
	for (; units->suffix; units++) {
		if (!bytes_is(text, units->suffix))
			continue;
		if (__builtin_mul_overflow(v, units->factor, &v))
			return -EINVAL;
		*ret = v;
		return 0;
	}
	return -EINVAL;
}

const char *
unit_format(uint64_t v, const struct unit *units, char out[UNIT_STRLEN])
{
	const struct unit *best = units;

	if (v == 0 && units == unit_duration)
		best++; /* "0s" reads better than "0ms" and "0d" */
	for (const struct unit *u = units; u->suffix && v != 0; u++)
		if (v % u->factor == 0)
			best = u;
	snprintf(out, UNIT_STRLEN, "%" PRIu64 "%s", v / best->factor, best->suffix);
	return out;
}

const char *
unit_name(const struct unit *units)
{
	if (units == unit_size)
		return "a size (K, M, G)";
	return units == unit_duration ? "a duration (ms, s, m, h, d)" : "a whole number";
}
