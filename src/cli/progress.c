/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

#define STEPS_TERMINAL 100
#define STEPS_LINES 10
#define STEP_UNKNOWN 65536 /* bytes, when nobody knows of how many */

static struct {
	bool open; /* the cursor is behind a line of ours */
	size_t step; /* that was told last */
	size_t n; /* bytes then */
} shown;

bool
progress_step(size_t n, size_t total, unsigned per_total, size_t *at)
{
	size_t step;

	if ((total > n ? total : n) < PROGRESS_LONG)
		return false;
	/* A total that is not true is none. */
	step = total >= n ? (size_t)((unsigned long long)n * per_total / total) : n / STEP_UNKNOWN;
	if (step == *at)
		return false;
	*at = step;
	return true;
}

void
progress_tell(bool lines, size_t n, size_t total)
{
	bool terminal = isatty(STDERR_FILENO);

	if (!terminal && !lines)
		return;
	/* Another transfer. */
	if (n < shown.n)
		shown.step = 0;
	shown.n = n;
	if (!progress_step(n, total, terminal ? STEPS_TERMINAL : STEPS_LINES, &shown.step))
		return;
	(void)fprintf(stderr, "%scoapcast: %zu", terminal ? "\r" : "", n);
	if (total >= n)
		(void)fprintf(stderr, " of %zu", total);
	/* To the end of the line it is blank. */
	(void)fputs(terminal ? " bytes\033[K" : " bytes\n", stderr);
	shown.open = terminal;
	(void)fflush(stderr);
}

void
progress_clear(void)
{
	if (shown.open)
		(void)fputs("\r\033[K", stderr);
	shown.open = false;
}
