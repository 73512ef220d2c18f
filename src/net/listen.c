/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/listen.h"

#include <errno.h>
#include <unistd.h>

#include "net/lock.h"

static const struct {
	const char *prefix;
	enum path_transport transport;
} schemes[] = {
	[CONF_COAP] = {"coap://", PATH_UDP},
	[CONF_COAPS] = {"coaps://", PATH_DTLS},
	[CONF_COAP_TCP] = {"coap+tcp://", PATH_TCP},
	[CONF_COAPS_TCP] = {"coaps+tcp://", PATH_TLS},
};

bool
listen_needs_sessions(const struct conf *conf)
{
	for (size_t i = 0; i < conf->n_listen; i++) {
		if (conf->listen[i].scheme != CONF_COAP)
			return true;
	}
	return false;
}

void
listen_describe(const struct conf_listen *l, struct buf *out)
{
	char at[ADDR_STRLEN];

	buf_printf(out, "%s%s", schemes[l->scheme].prefix, addr_format(&l->addr, at));
}

/*
 * SO_REUSEADDR, which local subscribers need, would let a second daemon take
 * the same address without a word: the lock does not. TCP needs none.
 */
static int
lock_address(struct listen *l, const struct addr *at, struct error *e)
{
	int rc = lock_take(at, e, &l->locks[l->n_locks]);

	if (rc == 0)
		l->n_locks++;
	return rc == -EADDRINUSE ? rc : 0;
}

static int
listen_udp(struct udp *udp, const struct addr *at, struct error *e)
{
	char text[ADDR_STRLEN];
	uint16_t socket;
	int rc = udp_listen(udp, at, e, &socket);

	if (rc == 0)
		log_info("server: listening on=%s receive-buffer=%zu",
			addr_format(udp_address(udp, socket), text),
			udp_receive_buffer(udp, socket));
	return rc;
}

static int
listen_one(struct listen *l, const struct conf_listen *what, struct udp *udp, struct coapd *coapd,
	struct error *e)
{
	enum path_transport transport = schemes[what->scheme].transport;
	int rc;

	if (l->n_locks == UDP_SOCKETS_MAX) {
		error_set(e, "more than %d addresses to listen on", UDP_SOCKETS_MAX);
		return -ENOSPC;
	}
	if ((transport == PATH_UDP || transport == PATH_DTLS) &&
		(rc = lock_address(l, &what->addr, e)) < 0)
		return rc;
	if (transport == PATH_UDP)
		return listen_udp(udp, &what->addr, e);
	return coapd_listen(coapd, transport, &what->addr, e);
}

int
listen_start(struct listen *l, const struct conf *conf, struct udp *udp, struct coapd *coapd,
	struct error *e)
{
	int rc;

	for (size_t i = 0; i < conf->n_listen; i++) {
		if ((rc = listen_one(l, &conf->listen[i], udp, coapd, e)) < 0)
			return rc;
	}
	return 0;
}

void
listen_end(struct listen *l)
{
	for (size_t i = 0; i < l->n_locks; i++)
		(void)close(l->locks[i]);
	l->n_locks = 0;
}

bool
listen_udp_of(const struct conf *conf, const struct udp *udp, const struct addr *at,
	struct addr *ret_local, uint16_t *ret_socket)
{
	for (size_t i = 0; i < conf->n_listen; i++) {
		struct addr local = *at;
		int socket;

		if (conf->listen[i].scheme != CONF_COAP)
			continue;
		local.port = conf->listen[i].addr.port;
		if ((socket = udp_find_socket(udp, &local)) < 0)
			continue;
		*ret_local = local;
		*ret_socket = (uint16_t)socket;
		return true;
	}
	return false;
}
