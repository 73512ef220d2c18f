/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * streams SCHEME PORT N PATH IDENTITY KEY: N sessions with 127.0.0.1 by coap+tcp, coaps or
 * coaps+tcp (a pre-shared key; ignored by TCP), each of which observes PATH. Prints
 *
 *	observing K of N	when all have the first value or were refused
 *	told K of N in T ms	for each line of stdin, published by the first that was not:
 *				from then until all have the notification
 *
 * and ends with stdin.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "transport/coapd.h"
#include "wire/msg.h"

#define WAIT_MS 30000u
#define OPENING_MAX 32u /* sessions that are on their way at once */

struct one {
	struct path way;
	bool observes, lost, told;
};

static uv_loop_t loop;
static uv_timer_t tick;
static struct coapd *coapd;
static struct one *all;
static unsigned n_all, n_observing, n_lost, n_told;
static uint16_t mid;
static const char *path;

static struct one *
find(const struct path *way)
{
	for (unsigned i = 0; i < n_all; i++)
		if (all[i].way.socket == way->socket)
			return &all[i];
	return NULL;
}

static void
on_datagram(void *ctx, const struct path *from, struct bytes datagram)
{
	struct one *o = find(from);
	struct msg m;

	(void)ctx;
	if (!o || msg_decode(datagram, &m) != MSG_OK || !msg_has(&m, OPT_OBSERVE))
		return;
	if (!o->observes)
		n_observing++;
	else if (!o->told)
		n_told++;
	o->told = o->observes;
	o->observes = true;
}

static void
on_nack(void *ctx, const struct path *way, uint16_t nacked)
{
	(void)ctx;
	(void)way;
	(void)nacked;
}

static void
on_lost(void *ctx, const struct path *way, enum coapd_end why)
{
	struct one *o = find(way);

	(void)ctx;
	(void)why;
	if (!o || o->lost)
		return;
	o->lost = true;
	n_lost++;
	n_observing -= o->observes;
}

static const struct coapd_ops ops = {
	.on_datagram = on_datagram, .on_nack = on_nack, .on_lost = on_lost};

static void
ask(const struct one *o, uint8_t code, const char *payload)
{
	struct buf *out = coapd_open(coapd, &o->way);
	struct token token = {.n = 1, .b = {code}};
	uint8_t space[256];
	struct buf scratch = BUF_OF(space);
	struct msg m = {.code = code};

	if (!out)
		return;
	if (code == CODE_GET)
		(void)msg_add_uint(&m, OPT_OBSERVE, 0);
	(void)msg_add_path(&m, OPT_URI_PATH, bytes_str(path), &scratch);
	if (payload) {
		(void)msg_add_uint(&m, OPT_CONTENT_FORMAT, 0);
		m.payload = bytes_str(payload);
	}
	msg_put_header(out, TYPE_CON, code, ++mid, &token);
	msg_put_tail(&m, out);
	coapd_commit(coapd);
}

static void
on_tick(uv_timer_t *t)
{
	(void)t;
}

/* Until so many are counted there, or are lost. */
static double
wait_for(const unsigned *n)
{
	uint64_t from = uv_hrtime(), now = from;

	while (*n + n_lost < n_all && now - from < WAIT_MS * 1000000ull) {
		uv_run(&loop, UV_RUN_ONCE);
		now = uv_hrtime();
	}
	return (double)(now - from) / 1e6;
}

static void
publish(const char *line)
{
	const struct one *by = all;
	double ms;

	while (by < all + n_all && by->lost)
		by++;
	if (by == all + n_all)
		return;
	for (unsigned i = 0; i < n_all; i++)
		all[i].told = false;
	n_told = 0;
	ask(by, CODE_PUT, line);
	ms = wait_for(&n_told);
	printf("told %u of %u in %.1f ms\n", n_told, n_all, ms);
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	static const struct addr any = {.family = AF_UNSPEC};
	const struct coapd_limits limits = {.sessions = 60000};
	struct coapd_credentials how;
	enum path_transport transport;
	struct addr to;
	struct error e;
	char line[256];

	if (argc != 7)
		errx(2, "usage: streams SCHEME PORT N PATH IDENTITY KEY");
	transport = strcmp(argv[1], "coaps") == 0      ? PATH_DTLS
		    : strcmp(argv[1], "coap+tcp") == 0 ? PATH_TCP
						       : PATH_TLS;
	how = (struct coapd_credentials){
		.psk_identity = bytes_str(argv[5]), .psk_key = bytes_str(argv[6])};
	n_all = (unsigned)atoi(argv[3]);
	path = argv[4];
	all = mem_alloc(n_all * sizeof(*all));
	uv_loop_init(&loop);
	uv_timer_init(&loop, &tick);
	uv_timer_start(&tick, on_tick, 10, 10);
	if (addr_parse("127.0.0.1", (uint16_t)atoi(argv[2]), &to) < 0 ||
		(coapd = coapd_new(&loop, &ops, NULL, &limits)) == NULL)
		errx(1, "cannot start");
	for (unsigned i = 0; i < n_all; i++) {
		if (coapd_connect(coapd, transport, &to, &any, &how, &e, &all[i].way) < 0)
			errx(1, "%s", e.text);
		ask(&all[i], CODE_GET, NULL);
		do
			uv_run(&loop, UV_RUN_NOWAIT);
		while (i + 1 - n_observing - n_lost > OPENING_MAX);
	}
	(void)wait_for(&n_observing);
	printf("observing %u of %u\n", n_observing, n_all);
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		publish(line);
	coapd_close(coapd, NULL);
	uv_close((uv_handle_t *)&tick, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	free(all);
	return uv_loop_close(&loop) == 0 ? 0 : 1;
}
