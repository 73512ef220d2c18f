/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The door of a DTLS endpoint. libcoap makes a session of every ClientHello, before the
 * cookie has proven that anybody is at that address, keeps it for half a minute, and turns
 * away everybody when it has too many: a few spoofed datagrams a second are enough. So
 * what arrives is looked at before libcoap reads it. The cookie exchange (RFC 6347 4.2.1)
 * happens here, without any memory of it; libcoap sees only those who come with a good
 * cookie, one by one.
 */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/mem.h"
#include "transport/coapd_impl.h"
#include "transport/hello.h"

#define BATCH 64 /* datagrams of one turn of the loop: others have their turn too */
#define ENDPOINTS_MAX 64
#define RECEIVE_BUFFER (1 << 20)
#define SLOT_MS 60000u /* a cookie is good for one to two of these */

struct coapd_door {
	struct coapd_door *next;
	struct coapd *c;
	uv_poll_t poll;
	int fd; /* libcoap's */
	void *socket; /* what libcoap calls it in its epoll set */
};

/* What is at the head of the socket's queue. */
struct arrived {
	struct sockaddr_storage from;
	union {
		size_t align; /* that of struct cmsghdr */
		uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) +
			      CMSG_SPACE(sizeof(struct in_pktinfo))];
	} control;
	struct iovec iov;
	struct msghdr head;
	uint8_t bytes[HELLO_SEEN];
};

/* Its size, or negative errno: -EAGAIN when there is none. It stays where it is. */
static ssize_t
look(const struct coapd_door *d, struct arrived *a)
{
	ssize_t n;

	a->iov = (struct iovec){a->bytes, sizeof(a->bytes)};
	a->head = (struct msghdr){.msg_name = &a->from,
		.msg_namelen = sizeof(a->from),
		.msg_iov = &a->iov,
		.msg_iovlen = 1,
		.msg_control = &a->control,
		.msg_controllen = sizeof(a->control)};
	n = recvmsg(d->fd, &a->head, MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC);
	return n < 0 ? -errno : n;
}

static void
drop(const struct coapd_door *d)
{
	uint8_t byte;

	(void)recv(d->fd, &byte, sizeof(byte), MSG_DONTWAIT);
}

/* For whom, and when. */
static void
bake(const struct coapd *c, const struct arrived *a, uint64_t slot, uint8_t ret[COAPD_COOKIE])
{
	uint8_t space[32];
	struct buf text = BUF_OF(space);
	struct addr from;

	(void)addr_from_sockaddr((const struct sockaddr *)&a->from, &from);
	buf_put(&text, bytes_of(from.ip, sizeof(from.ip)));
	buf_put_u16(&text, from.port);
	buf_put(&text, bytes_of((const uint8_t *)&slot, sizeof(slot)));
	coapd_ssl_bake(c, buf_bytes(&text), ret);
}

static bool
is_good(const struct coapd *c, const struct arrived *a, struct bytes cookie)
{
	uint64_t slot = uv_now(c->loop) / SLOT_MS;
	uint8_t good[COAPD_COOKIE];
	bool is_good = false;

	for (unsigned back = 0; cookie.n == sizeof(good) && back < 2; back++) {
		bake(c, a, slot - back, good);
		is_good = is_good || coapd_ssl_equal(good, cookie.p, sizeof(good));
	}
	return is_good;
}

/* The answer leaves from the address that was asked, by the way that the routing table knows. */
static void
turn_around(struct msghdr *h)
{
	for (struct cmsghdr *m = CMSG_FIRSTHDR(h); m; m = CMSG_NXTHDR(h, m)) {
		if (m->cmsg_level == IPPROTO_IP && m->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(m), sizeof(info));
			info.ipi_ifindex = 0;
			memcpy(CMSG_DATA(m), &info, sizeof(info));
		} else if (m->cmsg_level == IPPROTO_IPV6 && m->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(m), sizeof(info));
			if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
				info.ipi6_ifindex = 0;
			memcpy(CMSG_DATA(m), &info, sizeof(info));
		}
	}
}

static void
challenge(struct coapd_door *d, struct arrived *a, const struct hello *hello)
{
	uint8_t cookie[COAPD_COOKIE], out[HELLO_REQUEST_MAX];
	struct buf request = BUF_OF(out);

	bake(d->c, a, uv_now(d->c->loop) / SLOT_MS, cookie);
	hello_put_request(&request, hello, bytes_of(cookie, sizeof(cookie)));
	turn_around(&a->head);
	a->iov = (struct iovec){out, request.n};
	d->c->stats.challenged++;
	/* Whoever is there asks again. */
	(void)sendmsg(d->fd, &a->head, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int
interface_of(struct arrived *a)
{
	int ifindex = 0;

	for (struct cmsghdr *m = CMSG_FIRSTHDR(&a->head); m; m = CMSG_NXTHDR(&a->head, m)) {
		if (m->cmsg_level == IPPROTO_IP && m->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(m), sizeof(info));
			ifindex = info.ipi_ifindex;
		} else if (m->cmsg_level == IPPROTO_IPV6 && m->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(m), sizeof(info));
			ifindex = (int)info.ipi6_ifindex;
		}
	}
	return ifindex;
}

static bool
has_begun(const struct coapd *c, struct arrived *a)
{
	coap_address_t from;

	coap_address_init(&from);
	if (a->head.msg_namelen > sizeof(from.addr))
		return false;
	memcpy(&from.addr, &a->from, a->head.msg_namelen);
	from.size = a->head.msg_namelen;
	return coap_session_get_by_peer(c->coap, &from, interface_of(a)) != NULL;
}

/* Whether libcoap is to read it. */
static bool
lets_in(struct coapd_door *d, struct arrived *a, size_t n)
{
	struct hello hello;

	d->c->is_proven = false;
	switch (hello_read(bytes_of(a->bytes, n < HELLO_SEEN ? n : HELLO_SEEN), n, &hello)) {
	case HELLO_BEGIN:
		d->c->is_proven = is_good(d->c, a, hello.cookie);
		if (!d->c->is_proven)
			challenge(d, a, &hello);
		return d->c->is_proven;
	case HELLO_PART:
		return has_begun(d->c, a);
	case HELLO_BROKEN:
		return false;
	default:
		return true;
	}
}

static void
on_readable(uv_poll_t *p, int status, int events)
{
	struct coapd_door *d = p->data;
	struct epoll_event one = {.events = EPOLLIN, .data.ptr = d->socket};
	struct arrived a;

	(void)status;
	(void)events;
	for (unsigned i = 0; i < BATCH && !d->c->closing; i++) {
		ssize_t n = look(d, &a);

		if (n == -EAGAIN || n == -EWOULDBLOCK)
			break;
		if (n >= 0 && !lets_in(d, &a, (size_t)n)) {
			drop(d);
			continue;
		}
		/* libcoap reads one datagram: this one. */
		coapd_work(d->c, &one);
	}
}

/* A socket in libcoap's epoll set, and what libcoap calls it there. */
struct found {
	int fd;
	void *socket;
};

/*
 * Those of which the option has that value, up to `max`; how many. See proc(5): libcoap does
 * not tell.
 */
static size_t
find_sockets(const struct coapd *c, int option, int value, struct found *ret, size_t max)
{
	char path[64], line[256];
	size_t n_found = 0;
	FILE *f;

	(void)snprintf(
		path, sizeof(path), "/proc/self/fdinfo/%d", coap_context_get_coap_fd(c->coap));
	if ((f = fopen(path, "re")) == NULL)
		return 0;
	while (n_found < max && fgets(line, sizeof(line), f)) {
		uint64_t data;
		int fd, got = 0;
		socklen_t n = sizeof(got);

		if (sscanf(line, "tfd: %d events: %*x data: %" SCNx64, &fd, &data) == 2 &&
			getsockopt(fd, SOL_SOCKET, option, &got, &n) == 0 && got == value)
			ret[n_found++] = (struct found){fd, (void *)(uintptr_t)data};
	}
	(void)fclose(f);
	return n_found;
}

void
coapd_door_open(struct coapd *c)
{
	int size = RECEIVE_BUFFER;
	struct coapd_door *d;
	struct found s;

	/* Those before have a door, and are not there any more. */
	if (!coapd_ssl_trust_door(c) || find_sockets(c, SO_TYPE, SOCK_DGRAM, &s, 1) == 0)
		return;
	/* From here on libcoap reads it when it is told to. */
	if (epoll_ctl(coap_context_get_coap_fd(c->coap), EPOLL_CTL_DEL, s.fd, NULL) < 0)
		return;
	d = mem_alloc(sizeof(*d));
	d->c = c;
	d->fd = s.fd;
	d->socket = s.socket;
	(void)setsockopt(s.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	(void)uv_poll_init(c->loop, &d->poll, s.fd);
	d->poll.data = d;
	(void)uv_poll_start(&d->poll, UV_READABLE, on_readable);
	d->next = c->doors;
	c->doors = d;
	c->n_handles++;
}

void
coapd_door_widen(struct coapd *c)
{
	struct found s[ENDPOINTS_MAX];
	size_t n = find_sockets(c, SO_ACCEPTCONN, 1, s, ENDPOINTS_MAX);
	int on = 1;

	for (size_t i = 0; i < n; i++) {
		(void)listen(s[i].fd, SOMAXCONN);
		/* Those that it accepts have it from there. */
		(void)setsockopt(s[i].fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	}
}

void
coapd_door_hasten(struct coapd *c)
{
	struct found s[ENDPOINTS_MAX];
	size_t n = find_sockets(c, SO_TYPE, SOCK_STREAM, s, ENDPOINTS_MAX);
	int on = 1;

	for (size_t i = 0; i < n; i++)
		(void)setsockopt(s[i].fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void
on_closed(uv_handle_t *h)
{
	struct coapd_door *d = h->data;
	struct coapd *c = d->c;

	free(d);
	coapd_handle_closed(c);
}

void
coapd_door_close_all(struct coapd *c)
{
	for (struct coapd_door *d = c->doors; d; d = d->next)
		uv_close((uv_handle_t *)&d->poll, on_closed);
	c->doors = NULL;
}
