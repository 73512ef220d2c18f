/* SPDX-License-Identifier: BSD-2-Clause */
/* coapcastd(8): options, the configuration, and then the server. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fds.h"
#include "base/log.h"
#include "net/certificates.h"
#include "net/farewell.h"
#include "net/keycheck.h"
#include "net/server.h"

#define DEFAULT_CONF SYSCONFDIR "/coapcast/coapcast.yaml"

enum action { RUN, CHECK, PRINT, FAREWELL };

struct options {
	const char *path;
	enum action action;
	unsigned verbose; /* how many -v: each is a level of the log */
};

static const struct option long_options[] = {
	{"config", required_argument, NULL, 'c'},
	{"check-config", no_argument, NULL, 't'},
	{"print-config", no_argument, NULL, 'p'},
	{"verbose", no_argument, NULL, 'v'},
	{"version", no_argument, NULL, 'V'},
	{"farewell", no_argument, NULL, 'f'},
	{"help", no_argument, NULL, 'h'},
	{.name = NULL},
};

static void
usage(FILE *out)
{
	fputs("usage: coapcastd [-c FILE] [-t|--check-config] [--print-config] [--farewell] [-v] "
	      "[--version]\n"
	      "  -c, --config FILE    the configuration (" DEFAULT_CONF ")\n"
	      "  -t, --check-config   read and check it, open nothing, and exit\n"
	      "      --print-config   print the effective configuration, secrets masked, and exit\n"
	      "      --farewell       have the running daemon end every observation and exit\n"
	      "  -v, --verbose        log more; twice: even more\n"
	      "      --version        print the version and exit\n",
		out);
}

/* Reads the command line; false with the exit status when the process is done. */
static bool
parse_options(int argc, char **argv, struct options *o, int *ret_status)
{
	int c;

	while ((c = getopt_long(argc, argv, "c:tvh", long_options, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->path = optarg;
			break;
		case 't':
			o->action = CHECK;
			break;
		case 'p':
			o->action = PRINT;
			break;
		case 'f':
			o->action = FAREWELL;
			break;
		case 'v':
			o->verbose++;
			break;
		case 'V':
			puts("coapcastd " PACKAGE_VERSION);
			*ret_status = EXIT_OK;
			return false;
		case 'h':
			usage(stdout);
			*ret_status = EXIT_OK;
			return false;
		default:
			usage(stderr);
			*ret_status = EXIT_USAGE;
			return false;
		}
	}
	if (optind == argc)
		return true;
	fprintf(stderr, "coapcastd: unexpected argument: %s\n", argv[optind]);
	usage(stderr);
	*ret_status = EXIT_USAGE;
	return false;
}

static void
print_notes(const struct conf *conf, bool all)
{
	for (size_t i = 0; i < conf->n_notes; i++) {
		if (all || conf->notes[i].level <= LOG_LEVEL_WARNING)
			log_put(conf->notes[i].level, "%s", conf->notes[i].text);
	}
}

static int
check(struct conf *conf)
{
	struct error e;

	int status = EXIT_OK;

	print_notes(conf, true);
	if (conf_masked(conf, &e))
		log_warning("%s", e.text);
	if (certificates_check(conf, &e) < 0) {
		log_error("%s", e.text);
		status = EXIT_CONFIG;
	}
	conf_free(conf);
	return status;
}

static int
say_farewell(struct conf *conf)
{
	struct error e;
	int rc = farewell_ask(conf, &e);

	conf_free(conf);
	if (rc < 0)
		log_error("farewell: %s", e.text);
	return rc < 0 ? EXIT_UNAVAILABLE : EXIT_OK;
}

int
main(int argc, char **argv)
{
	struct options o = {.path = DEFAULT_CONF, .action = RUN};
	struct conf *conf;
	struct error e;
	int status;

	if (!fds_fill())
		return EXIT_INTERNAL;
	/* A reader of the log that goes away is not a reason to end. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (!parse_options(argc, argv, &o, &status))
		return status;
	/* Observations can be ended whatever keys are in there by now. */
	if ((o.action == FAREWELL ? conf_load : keycheck_load)(o.path, &conf, &e) < 0) {
		log_error("%s", e.text);
		return EXIT_CONFIG;
	}
	if (o.action == CHECK)
		return check(conf);
	if (o.action == FAREWELL)
		return say_farewell(conf);
	if (o.action == PRINT) {
		conf_print(conf, stdout);
		conf_free(conf);
		return fflush(stdout) == 0 ? EXIT_OK : EXIT_INTERNAL;
	}
	print_notes(conf, false);
	if (conf_masked(conf, &e) || certificates_check(conf, &e) < 0) {
		log_error("%s", e.text);
		conf_free(conf);
		return EXIT_CONFIG;
	}
	return (int)server_run(o.path, conf, o.verbose);
}
