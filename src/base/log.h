/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Log lines to stderr: `module: constant message key=value`. Under the journal
 * (JOURNAL_STREAM set) each starts with its `<N>` priority (sd-daemon(3)).
 * Only `net`, `cli` and the main files log; core layers return errors.
 */
#ifndef COAPCAST_BASE_LOG_H
#define COAPCAST_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { /* the numbers of syslog(3) */
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

void log_set_level(enum log_level level);
bool log_would(enum log_level level);

/* "error", "warning", "notice", "info", "debug"; 0 or -EINVAL. */
int log_level_parse(const char *name, enum log_level *ret);

void log_put(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_put(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_put(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...) log_put(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...) log_put(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_put(LOG_LEVEL_DEBUG, __VA_ARGS__)

/*
 * A brake for lines that a remote peer can trigger: at most `burst` of them in
 * `per_ms`; the first that passes after that carries how many were held back.
 * Zero-initialise; one per call site.
 */
struct log_brake {
	uint64_t since_ms; /* start of the running interval */
	uint32_t n_passed; /* lines let through in it */
	uint32_t n_held; /* lines held back since the last one let through */
};

/* Whether a line may be written now; *ret_held is how many were suppressed. */
bool log_brake_pass(struct log_brake *b, uint64_t now_ms, uint32_t *ret_held);

#endif
