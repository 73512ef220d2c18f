/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/args.h"

#include <errno.h>
#include <getopt.h>
#include <net/if.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "conf/unit.h"
#include "wire/cborget.h"

#define TIMEOUT_MAX_S 10000000.0

enum {
	OPTION_JSON = 256,
	OPTION_EXEC,
	OPTION_CT,
	OPTION_IDENTITY,
	OPTION_CREDENTIALS,
	OPTION_EXPIRES,
	OPTION_INITIALIZE,
	OPTION_MAX_SUBSCRIBERS,
	OPTION_OBSERVER_CHECK,
	OPTION_REPLACE,
	OPTION_TYPE,
};

static const char short_options[] = ":C:RW:f:hi:lm:sv";

static const struct option long_options[] = {
	{"credentials", required_argument, NULL, OPTION_CREDENTIALS},
	{"ct", required_argument, NULL, OPTION_CT},
	{"exec", required_argument, NULL, OPTION_EXEC},
	{"expires", required_argument, NULL, OPTION_EXPIRES},
	{"help", no_argument, NULL, 'h'},
	{"identity", required_argument, NULL, OPTION_IDENTITY},
	{"initialize", required_argument, NULL, OPTION_INITIALIZE},
	{"json", no_argument, NULL, OPTION_JSON},
	{"max-subscribers", required_argument, NULL, OPTION_MAX_SUBSCRIBERS},
	{"observer-check", required_argument, NULL, OPTION_OBSERVER_CHECK},
	{"replace", no_argument, NULL, OPTION_REPLACE},
	{"type", required_argument, NULL, OPTION_TYPE},
	{.name = NULL},
};

static int
take_number(const char *text, unsigned long min, unsigned long max, unsigned long *ret)
{
	char *end;
	unsigned long v;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	v = strtoul(text, &end, 10);
	if (errno || *end || v < min || v > max)
		return -EINVAL;
	*ret = v;
	return 0;
}

static int
take_count(struct args *a, const char *text, struct error *e)
{
	unsigned long v;

	if (take_number(text, 1, UINT32_MAX, &v) < 0) {
		error_set(e, "-C wants a number over 0, not \"%s\"", text);
		return -EINVAL;
	}
	a->count = (uint32_t)v;
	return 0;
}

static int
take_timeout(struct args *a, const char *text, struct error *e)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || *end || !(v >= 0.001 && v <= TIMEOUT_MAX_S / 1000 * 429)) {
		error_set(e, "-W wants seconds, not \"%s\"", text);
		return -EINVAL;
	}
	a->timeout_ms = (uint32_t)(v * 1000);
	return 0;
}

static int
take_interface(struct args *a, const char *text, struct error *e)
{
	if ((a->ifindex = if_nametoindex(text)) != 0)
		return 0;
	error_set(e, "there is no interface \"%s\"", text);
	return -EINVAL;
}

static int
take_format(struct args *a, const char *text, struct error *e)
{
	unsigned long v;

	if (take_number(text, 0, UINT16_MAX, &v) < 0) {
		error_set(e, "--ct wants the number of a Content-Format, not \"%s\"", text);
		return -EINVAL;
	}
	a->content_format = (int)v;
	a->props.content_format = (uint16_t)v;
	a->props.has |= PROPS_BIT(PROPS_CONTENT_FORMAT);
	return 0;
}

static int
take_message(struct args *a, const char *text, struct error *e)
{
	(void)e;
	a->message = text;
	return 0;
}

static int
take_file(struct args *a, const char *text, struct error *e)
{
	(void)e;
	a->file = text;
	return 0;
}

static int
take_exec(struct args *a, const char *text, struct error *e)
{
	(void)e;
	a->exec = text;
	return 0;
}

static int
take_identity(struct args *a, const char *text, struct error *e)
{
	(void)e;
	a->identity = text;
	return 0;
}

static int
take_credentials(struct args *a, const char *text, struct error *e)
{
	(void)e;
	a->credentials = text;
	return 0;
}

static int
take_max_subscribers(struct args *a, const char *text, struct error *e)
{
	unsigned long v;

	if (take_number(text, 0, UINT32_MAX, &v) < 0) {
		error_set(e, "--max-subscribers wants a number, not \"%s\"", text);
		return -EINVAL;
	}
	a->props.max_subscribers = (uint32_t)v;
	a->props.has |= PROPS_BIT(PROPS_MAX_SUBSCRIBERS);
	return 0;
}

static int
take_observer_check(struct args *a, const char *text, struct error *e)
{
	unsigned long v;

	if (take_number(text, 1, UINT32_MAX, &v) < 0) {
		error_set(e, "--observer-check wants seconds, over 0, not \"%s\"", text);
		return -EINVAL;
	}
	a->props.observer_check_s = (uint32_t)v;
	a->props.has |= PROPS_BIT(PROPS_OBSERVER_CHECK);
	return 0;
}

/* "2026-12-24", or "2026-12-24T18:00:00Z": RFC 3339, but only UTC. */
static bool
take_date(const char *text, int64_t *ret)
{
	struct tm tm = {.tm_isdst = 0};
	const char *end = strptime(text, "%Y-%m-%d", &tm);
	int day;

	if (end && *end == 'T') {
		end = strptime(end, "T%H:%M:%SZ", &tm);
	}
	if (!end || *end)
		return false;
	/* A day that its month does not have would become one of the next. */
	day = tm.tm_mday;
	*ret = timegm(&tm);
	return tm.tm_mday == day;
}

/* A date, or "+30d" from now on. */
static int
take_expires(struct args *a, const char *text, struct error *e)
{
	uint64_t left_ms;
	unsigned long v;

	if (*text == '+' && unit_parse(bytes_str(text + 1), unit_duration, &left_ms) == 0) {
		a->props.expiration_s = (int64_t)time(NULL) + (int64_t)(left_ms / 1000);
	} else if (take_number(text, 0, INT64_MAX, &v) == 0) {
		a->props.expiration_s = (int64_t)v;
	} else if (!take_date(text, &a->props.expiration_s)) {
		error_set(e,
			"--expires wants +30d, 2026-12-24T18:00:00Z or seconds since 1970, not "
			"\"%s\"",
			text);
		return -EINVAL;
	}
	a->props.has |= PROPS_BIT(PROPS_EXPIRATION);
	return 0;
}

static int
take_type(struct args *a, const char *text, struct error *e)
{
	a->props.type = bytes_str(text);
	a->props.has |= PROPS_BIT(PROPS_TYPE);
	if (cborget_is_utf8(a->props.type))
		return 0;
	error_set(e, "--type wants UTF-8");
	return -EINVAL;
}

static int
take_initialize(struct args *a, const char *text, struct error *e)
{
	(void)e;
	a->props.initialize = bytes_str(text);
	a->props.has |= PROPS_BIT(PROPS_INITIALIZE);
	return 0;
}

#define FLAG(member) .flag = offsetof(struct args, member)

/* One option: whose it is, and where it goes. */
struct rule {
	const char *name;
	int option;
	unsigned commands; /* enum args_command */
	int (*take)(struct args *a, const char *text, struct error *e); /* NULL: a flag */
	size_t flag; /* offset of the bool */
};

static const struct rule rules[] = {
	{"-C", 'C', ARGS_SUB | ARGS_GET | ARGS_DISCOVER, .take = take_count},
	{"-R", 'R', ARGS_SUB, FLAG(skip_current)},
	{"-W", 'W', ARGS_ALL, .take = take_timeout},
	{"-f", 'f', ARGS_PUB, .take = take_file},
	{"-h", 'h', ARGS_ALL, FLAG(help)},
	{"-i", 'i', ARGS_ALL, .take = take_interface},
	{"-l", 'l', ARGS_PUB, FLAG(lines)},
	{"-m", 'm', ARGS_PUB, .take = take_message},
	{"-s", 's', ARGS_PUB, FLAG(whole_stdin)},
	{"-v", 'v', ARGS_ALL, FLAG(verbose)},
	{"--credentials", OPTION_CREDENTIALS, ARGS_ALL, .take = take_credentials},
	{"--ct", OPTION_CT, ARGS_PUB | ARGS_CREATE | ARGS_SET, .take = take_format},
	{"--exec", OPTION_EXEC, ARGS_SUB, .take = take_exec},
	{"--expires", OPTION_EXPIRES, ARGS_CREATE | ARGS_SET, .take = take_expires},
	{"--identity", OPTION_IDENTITY, ARGS_ALL, .take = take_identity},
	{"--initialize", OPTION_INITIALIZE, ARGS_CREATE | ARGS_SET, .take = take_initialize},
	{"--json", OPTION_JSON,
		ARGS_SUB | ARGS_GET | ARGS_LS | ARGS_DISCOVER | ARGS_STATUS | ARGS_DOCTOR |
			ARGS_CREATE | ARGS_SHOW | ARGS_SET,
		FLAG(json)},
	{"--max-subscribers", OPTION_MAX_SUBSCRIBERS, ARGS_CREATE | ARGS_SET,
		.take = take_max_subscribers},
	{"--observer-check", OPTION_OBSERVER_CHECK, ARGS_CREATE | ARGS_SET,
		.take = take_observer_check},
	{"--replace", OPTION_REPLACE, ARGS_SET, FLAG(replace)},
	{"--type", OPTION_TYPE, ARGS_CREATE | ARGS_SET, .take = take_type},
};

static int
take_option(struct args *a, int option, const char *text, struct error *e)
{
	const struct rule *r = rules;

	while (r->option != option)
		r++;
	if (!(r->commands & a->command)) {
		error_set(e, "%s is no option of this command", r->name);
		return -EINVAL;
	}
	if (r->take)
		return r->take(a, text, e);
	*(bool *)((char *)a + r->flag) = true;
	return 0;
}

/* What getopt_long refused; it tells a long option only by its place in argv. */
static int
refuse(int c, char **argv, struct error *e)
{
	const char *at = argv[optind - 1];

	if (c == ':')
		error_set(e, "%s wants a value", at);
	else if (optopt > 0 && optopt < 256)
		error_set(e, "there is no option -%c", optopt);
	else
		error_set(e, "there is no option %s", at);
	return -EINVAL;
}

static int
check(const struct args *a, struct error *e)
{
	int sources = (a->message != NULL) + (a->file != NULL) + a->lines + a->whole_stdin;

	if (a->command == ARGS_PUB && sources != 1) {
		error_set(e, sources ? "-f, -l, -m and -s exclude each other"
				     : "nothing to publish: give one of -f, -l, -m and -s");
		return -EINVAL;
	}
	if (a->command == ARGS_SET && a->props.has == 0 && !a->replace) {
		error_set(e, "nothing to set: give a property, or --replace to reset all");
		return -EINVAL;
	}
	if (a->identity && !a->credentials) {
		error_set(e, "--identity wants --credentials, the file that it is in");
		return -EINVAL;
	}
	if (a->exec && a->json) {
		error_set(e, "--exec and --json exclude each other");
		return -EINVAL;
	}
	return 0;
}

static int
take_uri(struct args *a, int n, char **rest, struct error *e)
{
	int wanted = a->command == ARGS_DISCOVER || (a->command == ARGS_DOCTOR && n == 0) ? 0 : 1;

	if (n != wanted && !(n > 1 && a->command == ARGS_SUB)) {
		error_set(e, wanted == 0 ? "a group has no URI: name the interface with -i"
			     : n == 0    ? "no URI given"
					 : "one URI, please");
		return -EINVAL;
	}
	a->uri = wanted ? rest[0] : NULL;
	a->uris = rest;
	a->n_uris = (unsigned)n;
	return 0;
}

int
args_parse(int argc, char **argv, enum args_command command, struct args *ret, struct error *e)
{
	struct args a = {.command = command, .content_format = -1};
	int c, rc;

	optind = 0; /* glibc: start anew */
	while ((c = getopt_long(argc, argv, short_options, long_options, NULL)) != -1) {
		if (c == ':' || c == '?')
			return refuse(c, argv, e);
		if ((rc = take_option(&a, c, optarg, e)) < 0)
			return rc;
	}
	if (!a.help) {
		if ((rc = take_uri(&a, argc - optind, argv + optind, e)) < 0 ||
			(rc = check(&a, e)) < 0)
			return rc;
	}
	*ret = a;
	return 0;
}
