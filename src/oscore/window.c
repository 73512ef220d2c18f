/* SPDX-License-Identifier: BSD-2-Clause */
#include "oscore/window.h"

#include "oscore/mac.h"

void
window_init(struct window *w, bool valid)
{
	*w = (struct window){.valid = valid};
}

void
window_restore(struct window *w, uint64_t next, uint32_t seen)
{
	*w = (struct window){.next = next, .seen = seen, .valid = true};
}

enum window_verdict
window_check(const struct window *w, uint64_t piv)
{
	uint64_t age;

	if (!w->valid)
		return WINDOW_UNCERTAIN;
	if (piv >= w->next)
		return WINDOW_NEW;
	age = w->next - 1 - piv;
	/* RFC 8613 7.4: what is left of the window cannot be told from a replay. */
	if (age >= WINDOW_SIZE || (w->seen >> age & 1) != 0)
		return WINDOW_REPLAY;
	return WINDOW_NEW;
}

void
window_update(struct window *w, uint64_t piv)
{
	uint64_t shift;

	if (piv < w->next) {
		uint64_t age = w->next - 1 - piv;

		if (age < WINDOW_SIZE)
			w->seen |= (uint32_t)1 << age;
		return;
	}
	shift = piv + 1 - w->next;
	w->seen = shift < WINDOW_SIZE ? w->seen << shift : 0;
	w->seen |= 1;
	w->next = piv + 1;
}

struct bytes
window_challenge(struct window *w, void (*random)(void *p, size_t n))
{
	if (!w->has_echo) {
		random(w->echo, sizeof(w->echo));
		w->has_echo = true;
	}
	return BYTES_OF(w->echo);
}

bool
window_answer(struct window *w, uint64_t piv, struct bytes echo)
{
	/* RFC 8613 B.1.2: a value that was drawn in this process's time proves that the
	 * request is not a replay of what an earlier one has seen. */
	if (w->valid || !w->has_echo || !mac_equal(echo, BYTES_OF(w->echo)))
		return false;
	window_restore(w, piv + 1, UINT32_MAX);
	return true;
}
