/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BRAKE_PER_MS 10000u
#define BRAKE_BURST 5u

static enum log_level threshold = LOG_LEVEL_NOTICE;

static const struct {
	const char *name;
	enum log_level level;
} levels[] = {
	{"error", LOG_LEVEL_ERROR},
	{"warning", LOG_LEVEL_WARNING},
	{"notice", LOG_LEVEL_NOTICE},
	{"info", LOG_LEVEL_INFO},
	{"debug", LOG_LEVEL_DEBUG},
};

void
log_set_level(enum log_level level)
{
	threshold = level;
}

bool
log_would(enum log_level level)
{
	return level <= threshold;
}

int
log_level_parse(const char *name, enum log_level *ret)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (strcmp(levels[i].name, name) == 0) {
			*ret = levels[i].level;
			return 0;
		}
	}
	return -EINVAL;
}

void
log_put(enum log_level level, const char *fmt, ...)
{
	char line[1024];
	int head = 0, n;
	va_list ap;

	if (!log_would(level))
		return;
	if (getenv("JOURNAL_STREAM"))
		head = snprintf(line, sizeof(line), "<%d>", (int)level);
	va_start(ap, fmt);
	n = vsnprintf(line + head, sizeof(line) - (size_t)head - 1, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	n += head;
	if ((size_t)n > sizeof(line) - 2)
		n = (int)sizeof(line) - 2;
	line[n++] = '\n';
	/* One write per line, so that lines of several processes do not mix. */
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		return;
}

bool
log_brake_pass(struct log_brake *b, uint64_t now_ms, uint32_t *ret_held)
{
	if (now_ms - b->since_ms >= BRAKE_PER_MS) {
		b->since_ms = now_ms;
		b->n_passed = 0;
	}
	if (b->n_passed >= BRAKE_BURST) {
		b->n_held++;
		return false;
	}
	b->n_passed++;
	*ret_held = b->n_held;
	b->n_held = 0;
	return true;
}
