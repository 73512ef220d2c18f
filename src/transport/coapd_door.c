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
#define COOKIE (4 + COAPD_COOKIE)
#define COOKIE_S 60u /* it is good for; clients repeat themselves for half a minute */

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

static uint32_t
now_s(const struct coapd *c)
{
	return (uint32_t)(uv_now(c->loop) / 1000);
}

/* When, and a proof that it was then and for that address. */
static void
bake(const struct coapd *c, const struct arrived *a, uint32_t when_s, uint8_t ret[COOKIE])
{
	uint8_t space[32];
	struct buf text = BUF_OF(space);
	struct addr from;

	(void)addr_from_sockaddr((const struct sockaddr *)&a->from, &from);
	buf_put(&text, bytes_of((const uint8_t *)&when_s, sizeof(when_s)));
	memcpy(ret, text.p, text.n);
	buf_put(&text, bytes_of(from.ip, sizeof(from.ip)));
	buf_put_u16(&text, from.port);
	coapd_ssl_bake(c, buf_bytes(&text), ret + sizeof(when_s));
}

static bool
is_good(const struct coapd *c, const struct arrived *a, struct bytes cookie, uint32_t *ret_when_s)
{
	uint8_t good[COOKIE];
	uint32_t when_s;

	if (cookie.n != sizeof(good))
		return false;
	memcpy(&when_s, cookie.p, sizeof(when_s));
	if (now_s(c) - when_s > COOKIE_S)
		return false;
	bake(c, a, when_s, good);
	if (!coapd_ssl_equal(good, cookie.p, sizeof(good)))
		return false;
	*ret_when_s = when_s;
	return true;
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
	uint8_t cookie[COOKIE], out[HELLO_REQUEST_MAX];
	struct buf request = BUF_OF(out);

	bake(d->c, a, now_s(d->c), cookie);
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

static coap_session_t *
session_of(const struct coapd *c, struct arrived *a)
{
	coap_address_t from;

	coap_address_init(&from);
	if (a->head.msg_namelen > sizeof(from.addr))
		return NULL;
	memcpy(&from.addr, &a->from, a->head.msg_namelen);
	from.size = a->head.msg_namelen;
	return coap_session_get_by_peer(c->coap, &from, interface_of(a));
}

/*
 * RFC 6347 4.2.8: a client that forgot its session, because it started anew, begins another
 * from the same port, and libcoap would hold that against the old one. A cookie from the time
 * of that one, seen on the way and sent again, is not good enough.
 */
static void
replace(struct coapd_door *d, struct arrived *a, uint32_t when_s)
{
	coap_session_t *session = session_of(d->c, a);
	struct coapd_session *s = session ? coapd_session_of(session) : NULL;

	if (!s || !s->is_open || when_s <= s->since_ms / 1000)
		return;
	coapd_session_doom(s, COAPD_CLOSED);
	coapd_session_bury(d->c);
	/* libcoap frees it. */
	coapd_work(d->c, NULL);
}

static bool
may_begin(struct coapd *c, const struct arrived *a)
{
	struct addr from;

	return addr_from_sockaddr((const struct sockaddr *)&a->from, &from) &&
	       coapd_opening_admits(c, &from);
}

/* Whether libcoap is to read it. */
static bool
lets_in(struct coapd_door *d, struct arrived *a, size_t n)
{
	struct hello hello;
	uint32_t when_s = 0;

	d->c->is_proven = false;
	switch (hello_read(bytes_of(a->bytes, n < HELLO_SEEN ? n : HELLO_SEEN), n, &hello)) {
	case HELLO_BEGIN:
		if (!is_good(d->c, a, hello.cookie, &when_s)) {
			challenge(d, a, &hello);
			return false;
		}
		replace(d, a, when_s);
		if (!session_of(d->c, a) && !may_begin(d->c, a))
			return false;
		d->c->is_proven = true;
		return true;
	case HELLO_PART:
		return session_of(d->c, a) != NULL;
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
	if (!c->held)
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

void
coapd_door_hold_all(struct coapd *c)
{
	for (struct coapd_door *d = c->doors; d; d = d->next) {
		if (c->held)
			(void)uv_poll_stop(&d->poll);
		else
			(void)uv_poll_start(&d->poll, UV_READABLE, on_readable);
	}
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
