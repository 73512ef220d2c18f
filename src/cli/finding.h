/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `coapcast doctor` finds, one thing after the other: whether it is well, and how to
 * mend it. Counts what that means for the exit status; printing is the owner's.
 */
#ifndef COAPCAST_CLI_FINDING_H
#define COAPCAST_CLI_FINDING_H

#include "cli/cli.h"

#define FINDING_TEXT 400

enum finding_verdict { FINDING_OK, FINDING_WARN, FINDING_FAIL };

struct finding {
	enum finding_verdict verdict;
	const char *check; /* "interface" */
	const char *text; /* borrowed for the call, as the next */
	const char *hint; /* how to mend it; NULL: nothing to mend, or nobody knows */
};

struct findings {
	void (*tell)(void *ctx, const struct finding *f);
	void *ctx;
	enum cli_exit exit; /* the first failure's, but that of multicast before others */
};

void finding_ok(struct findings *all, const char *check, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void finding_warn(struct findings *all, const char *check, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* `how` is what becomes of the exit status: CLI_NO_MULTICAST, or another. */
void finding_fail(struct findings *all, enum cli_exit how, const char *check, const char *hint,
	const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#endif
