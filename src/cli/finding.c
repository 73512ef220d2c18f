/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/finding.h"

#include <stdarg.h>
#include <stdio.h>

static void tell(struct findings *all, struct finding *f, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

static void
tell(struct findings *all, struct finding *f, const char *fmt, va_list ap)
{
	char text[FINDING_TEXT];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	f->text = text;
	all->tell(all->ctx, f);
}

void
finding_ok(struct findings *all, const char *check, const char *fmt, ...)
{
	struct finding f = {.verdict = FINDING_OK, .check = check};
	va_list ap;

	va_start(ap, fmt);
	tell(all, &f, fmt, ap);
	va_end(ap);
}

void
finding_warn(struct findings *all, const char *check, const char *hint, const char *fmt, ...)
{
	struct finding f = {.verdict = FINDING_WARN, .check = check, .hint = hint};
	va_list ap;

	va_start(ap, fmt);
	tell(all, &f, fmt, ap);
	va_end(ap);
}

void
finding_fail(struct findings *all, enum cli_exit how, const char *check, const char *hint,
	const char *fmt, ...)
{
	struct finding f = {.verdict = FINDING_FAIL, .check = check, .hint = hint};
	va_list ap;

	if (all->exit == CLI_OK || how == CLI_NO_MULTICAST)
		all->exit = how;
	va_start(ap, fmt);
	tell(all, &f, fmt, ap);
	va_end(ap);
}
