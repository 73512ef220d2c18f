/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/decode.h"

#include <errno.h>
#include <getopt.h>
#include <pcap/pcap.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/connection.h"
#include "cli/dissect.h"
#include "oscore/crypto.h"
#include "wire/option.h"

#define INFORM_FORMAT 65001 /* not assigned yet; a configuration may say another one */

struct decode {
	const char *path;
	const char *config; /* NULL: none; so is the next */
	const char *credentials;
	bool verbose;
	bool json;
	struct keyring keys;
	struct dissect dissect;
	struct buf out; /* text about one datagram */
	struct json line; /* or the object about it */
};

static const struct option long_options[] = {
	{"config", required_argument, NULL, 'c'},
	{"credentials", required_argument, NULL, 'k'},
	{"help", no_argument, NULL, 'h'},
	{"json", no_argument, NULL, 'j'},
	{.name = NULL},
};

static enum cli_exit
parse_options(int argc, char **argv, struct decode *d, bool *ret_help)
{
	int c;

	optind = 0; /* glibc: start anew */
	while ((c = getopt_long(argc, argv, ":c:hv", long_options, NULL)) != -1) {
		if (c == 'c') {
			d->config = optarg;
		} else if (c == 'k') {
			d->credentials = optarg;
		} else if (c == 'v') {
			d->verbose = true;
		} else if (c == 'j') {
			d->json = true;
		} else if (c == 'h') {
			*ret_help = true;
			return CLI_OK;
		} else {
			connection_complain(c == ':' ? "%s wants a value" : "there is no option %s",
				argv[optind - 1]);
			return CLI_USAGE;
		}
	}
	if (argc - optind != 1) {
		connection_complain(argc == optind ? "no capture given" : "one capture, please");
		return CLI_USAGE;
	}
	d->path = argv[optind];
	return CLI_OK;
}

/* The keys of one file, and the numbers it says when it is the daemon's. */
static enum cli_exit
take_file(struct decode *d, const char *path, const char *end, uint16_t *inform_format)
{
	struct conf *conf;
	struct error e;
	int rc;

	if (!path)
		return CLI_OK;
	if (conf_load(path, &conf, &e) < 0) {
		connection_complain("%s", e.text);
		return CLI_OTHER;
	}
	if (inform_format) {
		*inform_format = (uint16_t)conf->protocol.informative_response_format;
		option_set_feedback_divider((uint16_t)conf->protocol.feedback_divider_option);
	}
	rc = keyring_add_conf(&d->keys, conf, end, &e);
	conf_free(conf);
	if (rc == 0)
		return CLI_OK;
	connection_complain("%s: %s", path, e.text);
	return CLI_OTHER;
}

static enum connection_written
tell(struct decode *d, int link, const struct pcap_pkthdr *head, const uint8_t *frame)
{
	int64_t when_us = (int64_t)head->ts.tv_sec * 1000000 + head->ts.tv_usec;
	struct datagram g = {.payload = BYTES_NONE};
	enum datagram_verdict v = datagram_parse(link, bytes_of(frame, head->caplen), &g);
	struct telling *t = dissect_read(&d->dissect, v, &g, when_us);
	enum connection_written w;

	if (!t)
		return CONNECTION_WRITTEN;
	if (d->json) {
		telling_put_json(t, &d->line);
		w = connection_write(bytes_of(d->line.p, d->line.n));
	} else {
		buf_clear(&d->out);
		telling_put_text(t, &d->out);
		w = connection_write(buf_bytes(&d->out));
	}
	telling_free(t);
	return w;
}

static enum cli_exit
read_capture(struct decode *d, pcap_t *p)
{
	enum connection_written w = CONNECTION_WRITTEN;
	struct pcap_pkthdr *head;
	const uint8_t *frame;
	int link = pcap_datalink(p), rc;

	if (!datagram_can_read(link)) {
		const char *name = pcap_datalink_val_to_name(link);

		connection_complain("%s: the link type %s is not understood", d->path,
			name ? name : "of the capture");
		return CLI_OTHER;
	}
	while (w == CONNECTION_WRITTEN && (rc = pcap_next_ex(p, &head, &frame)) == 1)
		w = tell(d, link, head, frame);
	if (w != CONNECTION_WRITTEN)
		return connection_wrote(w);
	if (rc == PCAP_ERROR_BREAK) /* the end */
		return CLI_OK;
	connection_complain("%s: %s", d->path, pcap_geterr(p));
	return CLI_OTHER;
}

static enum cli_exit
run(struct decode *d)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	enum cli_exit rc;
	pcap_t *p = pcap_open_offline(d->path, why);

	if (!p) {
		/* It says "-", the path, or no name at all. */
		connection_complain("%s%s%s", strstr(why, d->path) ? "" : d->path,
			strstr(why, d->path) ? "" : ": ", why);
		return CLI_OTHER;
	}
	rc = read_capture(d, p);
	pcap_close(p);
	if (d->verbose)
		connection_complain("%lu CoAP messages, %lu other datagrams; %lu decrypted and "
				    "verified, %lu not",
			d->dissect.n_messages, d->dissect.n_others, d->dissect.n_opened,
			d->dissect.n_closed);
	return rc;
}

enum cli_exit
decode_run(int argc, char **argv, bool *ret_help)
{
	struct decode d = {.path = NULL};
	uint16_t inform_format = INFORM_FORMAT;
	enum cli_exit rc = parse_options(argc, argv, &d, ret_help);

	if (rc != CLI_OK || *ret_help)
		return rc;
	keyring_init(&d.keys);
	rc = take_file(&d, d.config, "broker", &inform_format);
	if (rc == CLI_OK)
		rc = take_file(&d, d.credentials, "client", NULL);
	dissect_init(&d.dissect, &d.keys, inform_format);
	d.dissect.all = d.verbose;
	d.out = buf_of(mem_alloc(DISSECT_TEXT), DISSECT_TEXT);
	if (rc == CLI_OK)
		rc = run(&d);
	dissect_fini(&d.dissect);
	keyring_fini(&d.keys);
	free(d.out.p);
	json_fini(&d.line);
	crypto_stop();
	return rc;
}
