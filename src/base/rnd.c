/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/rnd.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/mem.h"

static uint8_t pool[256]; /* getrandom gives up to 256 bytes whole and uninterrupted */
static size_t left; /* bytes not handed out, at the end of the pool */

static void
draw(void *p, size_t n)
{
	if (getrandom(p, n, 0) == (ssize_t)n)
		return;
	fputs("<2>rnd: no random bytes\n", stderr);
	abort();
}

void
rnd_fill(void *p, size_t n)
{
	uint8_t *out = p, *from;

	for (; n > sizeof(pool); n -= sizeof(pool), out += sizeof(pool))
		draw(out, sizeof(pool));
	if (n > left) {
		draw(pool, sizeof(pool));
		left = sizeof(pool);
	}
	from = pool + sizeof(pool) - left;
	memcpy(out, from, n);
	mem_wipe(from, n);
	left -= n;
}
