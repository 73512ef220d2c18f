/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whole numbers with a unit behind them: 256M, 500ms, 30d.
 */
#ifndef COAPCAST_CONF_UNIT_H
#define COAPCAST_CONF_UNIT_H

#include "base/bytes.h"

struct unit {
	const char *suffix; /* ends with .suffix NULL */
	uint64_t factor;
};

extern const struct unit unit_none[]; /* a plain number */
extern const struct unit unit_size[]; /* of bytes: none, K, M, G, T; powers of 1024 */
extern const struct unit unit_duration[]; /* of milliseconds; only 0 may go without */

#define UNIT_STRLEN 24

/* The product; 0, or -EINVAL for anything else, overflow too. */
int unit_parse(struct bytes text, const struct unit *units, uint64_t *ret);

/* With the largest unit that leaves a whole number. */
const char *unit_format(uint64_t v, const struct unit *units, char out[UNIT_STRLEN]);

/* "a whole number", "a size", "a duration (ms, s, m, h, d)" */
const char *unit_name(const struct unit *units);

#endif
