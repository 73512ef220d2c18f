/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/args.h"

#include <errno.h>
#include <getopt.h>
#include <net/if.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MAX_S 10000000.0

enum { OPTION_JSON = 256, OPTION_EXEC, OPTION_CT, OPTION_IDENTITY, OPTION_CREDENTIALS };

static const char short_options[] = ":C:RW:f:hi:lm:sv";

static const struct option long_options[] = {
	{"credentials", required_argument, NULL, OPTION_CREDENTIALS},
	{"ct", required_argument, NULL, OPTION_CT},
	{"exec", required_argument, NULL, OPTION_EXEC},
	{"help", no_argument, NULL, 'h'},
	{"identity", required_argument, NULL, OPTION_IDENTITY},
	{"json", no_argument, NULL, OPTION_JSON},
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
take_security(struct args *a, const char *text, struct error *e)
{
	(void)a;
	(void)text;
	error_set(e, "--identity and --credentials are not in this build: it cannot protect "
		     "what it sends");
	return -ENOTSUP;
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
	{"--credentials", OPTION_CREDENTIALS, ARGS_ALL, .take = take_security},
	{"--ct", OPTION_CT, ARGS_PUB, .take = take_format},
	{"--exec", OPTION_EXEC, ARGS_SUB, .take = take_exec},
	{"--identity", OPTION_IDENTITY, ARGS_ALL, .take = take_security},
	{"--json", OPTION_JSON, ARGS_SUB | ARGS_GET | ARGS_LS | ARGS_DISCOVER, FLAG(json)},
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
	if (a->exec && a->json) {
		error_set(e, "--exec and --json exclude each other");
		return -EINVAL;
	}
	return 0;
}

static int
take_uri(struct args *a, int n, char **rest, struct error *e)
{
	int wanted = a->command == ARGS_DISCOVER ? 0 : 1;

	if (n != wanted) {
		error_set(e, wanted == 0 ? "a group has no URI: name the interface with -i"
			     : n == 0    ? "no URI given"
					 : "one URI, please");
		return -EINVAL;
	}
	a->uri = wanted ? rest[0] : NULL;
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
