/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How far a mistyped word is from a known one, for "did you mean".
 */
#ifndef COAPCAST_CONF_SUGGEST_H
#define COAPCAST_CONF_SUGGEST_H

#include "base/bytes.h"

#define SUGGEST_NEVER SIZE_MAX

/*
 * Letters to insert, delete, replace or swap with their neighbour to make
 * `word` of `text`; SUGGEST_NEVER when that is more than a third of the word,
 * and at least one: nobody mistypes that much.
 */
size_t suggest_distance(struct bytes text, const char *word);

#endif
