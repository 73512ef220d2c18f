/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/netlink.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/rtnetlink.h>

#include "base/mem.h"

#define READ_MAX 8192 /* what is longer is cut, and counts as lost */
#define LOST_MAX 16

struct netlink {
	uv_poll_t poll;
	uv_timer_t timer; /* until what began has settled */
	void (*on_change)(void *ctx);
	void *ctx;
	int fd;
	unsigned n_handles; /* of these two, still in the loop */
	uint32_t lost[LOST_MAX]; /* interfaces that were deleted */
	unsigned n_lost; /* past LOST_MAX: any may have been */
};

static void
on_settled(uv_timer_t *t)
{
	struct netlink *n = t->data;

	n->on_change(n->ctx);
	n->n_lost = 0;
}

bool
netlink_has_lost(const struct netlink *n, uint32_t ifindex)
{
	if (n->n_lost > LOST_MAX)
		return true;
	for (unsigned i = 0; i < n->n_lost; i++) {
		if (n->lost[i] == ifindex)
			return true;
	}
	return false;
}

/* Only deletions have to be read: of the rest it is enough that there was something. */
static void
read_messages(struct netlink *n, const uint8_t *p, size_t got)
{
	struct nlmsghdr h;
	struct ifinfomsg i;

	for (; got >= sizeof(h); p += NLMSG_ALIGN(h.nlmsg_len), got -= NLMSG_ALIGN(h.nlmsg_len)) {
		memcpy(&h, p, sizeof(h));
		if (h.nlmsg_len < sizeof(h) || NLMSG_ALIGN(h.nlmsg_len) > got) {
			n->n_lost = LOST_MAX + 1;
			return;
		}
		if (h.nlmsg_type != RTM_DELLINK || h.nlmsg_len < NLMSG_LENGTH(sizeof(i)))
			continue;
		memcpy(&i, p + NLMSG_LENGTH(0), sizeof(i));
		/* Of the bridge's family: it left a bridge. */
		if (i.ifi_family != AF_UNSPEC || n->n_lost > LOST_MAX)
			continue;
		if (n->n_lost < LOST_MAX)
			n->lost[n->n_lost] = (uint32_t)i.ifi_index;
		n->n_lost++;
	}
}

static void on_poll(uv_poll_t *h, int status, int events);

static void
on_poll(uv_poll_t *h, int status, int events)
{
	struct netlink *n = h->data;
	uint8_t bytes[READ_MAX];
	ssize_t got;

	(void)events;
	do {
		got = recv(n->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (got > 0)
			read_messages(n, bytes, (size_t)got);
		else if (got < 0 && errno == ENOBUFS)
			n->n_lost = LOST_MAX + 1;
	} while (got > 0 || (got < 0 && (errno == ENOBUFS || errno == EINTR)));
	if (status < 0)
		/* libuv stopped polling over the error, which is read by now. */
		(void)uv_poll_start(&n->poll, UV_READABLE, on_poll);
	if (!uv_is_active((uv_handle_t *)&n->timer))
		(void)uv_timer_start(&n->timer, on_settled, NETLINK_SETTLE_MS, 0);
}

static void
on_closed(uv_handle_t *h)
{
	struct netlink *n = h->data;

	if (--n->n_handles > 0)
		return;
	free(n);
}

static int
listen_to_kernel(int *ret_fd)
{
	const struct sockaddr_nl at = {.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	int rc;

	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0) {
		rc = -errno;
		(void)close(fd);
		return rc;
	}
	*ret_fd = fd;
	return 0;
}

int
netlink_open(uv_loop_t *loop, void (*on_change)(void *ctx), void *ctx, struct error *e,
	struct netlink **ret)
{
	struct netlink *n = mem_alloc(sizeof(*n));
	int rc = listen_to_kernel(&n->fd);

	if (rc < 0 || (rc = uv_poll_init(loop, &n->poll, n->fd)) < 0) {
		error_set(e, "cannot follow changes of interfaces: %s", strerror(-rc));
		if (n->fd > 0)
			(void)close(n->fd);
		free(n);
		return rc;
	}
	/* None of these can fail. */
	(void)uv_timer_init(loop, &n->timer);
	(void)uv_poll_start(&n->poll, UV_READABLE, on_poll);
	n->n_handles = 2;
	n->poll.data = n->timer.data = n;
	n->on_change = on_change;
	n->ctx = ctx;
	/* They must not keep a loop running that waits for nothing else. */
	uv_unref((uv_handle_t *)&n->poll);
	uv_unref((uv_handle_t *)&n->timer);
	*ret = n;
	return 0;
}

void
netlink_close(struct netlink *n)
{
	if (!n)
		return;
	uv_close((uv_handle_t *)&n->poll, on_closed);
	uv_close((uv_handle_t *)&n->timer, on_closed);
	(void)close(n->fd);
}

struct netif
netlink_interface(const char *name)
{
	struct netif state = {.ifindex = if_nametoindex(name)};
	struct ifreq r = {.ifr_flags = 0};
	int fd;

	if (state.ifindex == 0 || strlen(name) >= sizeof(r.ifr_name))
		return state;
	if ((fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0 &&
		(fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0)
		return state;
	memcpy(r.ifr_name, name, strlen(name));
	state.up = ioctl(fd, SIOCGIFFLAGS, &r) == 0 && (r.ifr_flags & IFF_UP) != 0 &&
		   (r.ifr_flags & IFF_RUNNING) != 0;
	(void)close(fd);
	return state;
}

bool
netlink_is_ours(const struct addr *a)
{
	struct sockaddr_storage ss;
	struct addr any_port = *a;
	socklen_t n;
	int fd, rc;

	any_port.port = 0;
	if ((n = addr_to_sockaddr(&any_port, &ss)) == 0 ||
		(fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0)
		return false;
	rc = bind(fd, (const struct sockaddr *)&ss, n);
	(void)close(fd);
	return rc == 0;
}
