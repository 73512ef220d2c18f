/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A failure that a human must read: filled once, at the lowest level that
 * knows the place. Everything else is 0 or a negative errno.
 */
#ifndef COAPCAST_BASE_ERROR_H
#define COAPCAST_BASE_ERROR_H

struct error {
	char text[256]; /* one line, no newline; cut when longer */
};

void error_set(struct error *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
