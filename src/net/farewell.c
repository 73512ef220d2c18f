/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/farewell.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/lock.h"
#include "wire/option.h"

#define LOOK_EVERY_MS 50
#define RETRY_AFTER_S 60 /* Max-Age of a 5.03: we do not come back, others may take our place */
#define ANSWER_MS 5000 /* for the first answer of a daemon */
#define GONE_MS (FAREWELL_MAX_MS + 10000)

/* What is said over the socket. */
static const char word_farewell[] = "farewell";
static const char word_leaving[] = "leaving";
static const char word_denied[] = "denied";
static const char word_gone[] = "gone";

struct farewell {
	uv_timer_t timer;
	const struct farewell_ops *ops;
	void *ctx;
	uv_poll_t *polls; /* one per lock */
	const int *locks;
	size_t n;
	size_t n_handles; /* of all these, still in the loop */
	uint64_t until_ms, least_ms; /* when it ends at last, and at first */
	bool on;
	int fd; /* the lock that was asked at */
	struct sockaddr_un asker;
	socklen_t n_asker;
};

static void
say(int fd, const struct sockaddr_un *to, socklen_t n, const char *word)
{
	if (sendto(fd, word, strlen(word), MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)to,
		    n) < 0)
		log_debug("farewell: who asked does not listen");
}

static void
on_look(uv_timer_t *t)
{
	struct farewell *f = t->data;
	uint64_t now = uv_now(t->loop);

	if (now < f->until_ms && (now < f->least_ms || !f->ops->is_quiet(f->ctx)))
		return;
	(void)uv_timer_stop(t);
	f->ops->end(f->ctx);
}

static void
begin(struct farewell *f)
{
	uint64_t now = uv_now(f->timer.loop);

	f->on = true;
	f->until_ms = now + FAREWELL_MAX_MS;
	f->least_ms = f->ops->begin(f->ctx) ? now + FAREWELL_LINGER_MS : now;
	(void)uv_timer_start(&f->timer, on_look, LOOK_EVERY_MS, LOOK_EVERY_MS);
}

/* SCM_CREDENTIALS, which the kernel vouches for: root, or the user that we are. */
static bool
is_trusted(struct msghdr *m)
{
	struct ucred who;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS)
			continue;
		memcpy(&who, CMSG_DATA(c), sizeof(who));
		return who.uid == 0 || who.uid == geteuid();
	}
	return false;
}

/* One datagram; false when there is none. */
static bool
take_word(struct farewell *f, int fd)
{
	struct sockaddr_un from;
	char word[32];
	union {
		size_t align;
		uint8_t bytes[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec v = {word, sizeof(word)};
	struct msghdr m = {.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0)
		return false;
	if (!bytes_is(bytes_of(word, (size_t)n), word_farewell) || f->on)
		return true;
	if (!is_trusted(&m)) {
		say(fd, &from, m.msg_namelen, word_denied);
		return true;
	}
	f->fd = fd;
	f->asker = from;
	f->n_asker = m.msg_namelen;
	say(fd, &from, m.msg_namelen, word_leaving);
	begin(f);
	return true;
}

static void
on_poll(uv_poll_t *h, int status, int events)
{
	struct farewell *f = h->data;

	(void)events;
	if (status < 0)
		return;
	while (take_word(f, f->locks[h - f->polls]))
		;
}

struct farewell *
farewell_new(uv_loop_t *loop, const int *locks, size_t n, const struct farewell_ops *ops, void *ctx)
{
	struct farewell *f = mem_alloc(sizeof(*f));

	f->ops = ops;
	f->ctx = ctx;
	f->locks = locks;
	f->polls = mem_alloc(n * sizeof(*f->polls));
	(void)uv_timer_init(loop, &f->timer);
	f->timer.data = f;
	f->n_handles = 1;
	for (; f->n < n && uv_poll_init(loop, &f->polls[f->n], locks[f->n]) == 0; f->n++) {
		f->polls[f->n].data = f;
		f->n_handles++;
		(void)uv_poll_start(&f->polls[f->n], UV_READABLE, on_poll);
	}
	return f;
}

static void
on_closed(uv_handle_t *h)
{
	struct farewell *f = h->data;

	if (--f->n_handles > 0)
		return;
	free(f->polls);
	free(f);
}

void
farewell_close(struct farewell *f)
{
	if (!f)
		return;
	if (f->on)
		say(f->fd, &f->asker, f->n_asker, word_gone);
	for (size_t i = 0; i < f->n; i++)
		uv_close((uv_handle_t *)&f->polls[i], on_closed);
	uv_close((uv_handle_t *)&f->timer, on_closed);
}

bool
farewell_is_on(const struct farewell *f)
{
	return f && f->on;
}

void
farewell_answer(struct request *r)
{
	uint32_t observe;
	struct msg m;

	if (msg_uint(r->msg, OPT_OBSERVE, &observe) && observe == 0) {
		request_reply_code(r, CODE_NOT_FOUND);
		return;
	}
	msg_init(&m, TYPE_ACK, CODE_UNAVAILABLE);
	(void)msg_add_uint(&m, OPT_MAX_AGE, RETRY_AFTER_S);
	request_reply(r, &m);
}

/* --- who asks --------------------------------------------------------------------- */

/* The next word of the daemon; false when none comes in time. */
static bool
hear(int fd, int timeout_ms, char word[32])
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ssize_t n;

	if (poll(&p, 1, timeout_ms) != 1 || (n = recv(fd, word, 31, 0)) < 0)
		return false;
	word[n] = '\0';
	return true;
}

static int
converse(int fd, struct error *e)
{
	char word[32];

	if (!hear(fd, ANSWER_MS, word)) {
		error_set(e, "the running daemon does not answer");
		return -ETIMEDOUT;
	}
	if (strcmp(word, word_leaving) != 0) {
		error_set(e, "the running daemon is another user's");
		return -EPERM;
	}
	if (!hear(fd, GONE_MS, word) || strcmp(word, word_gone) != 0) {
		error_set(e, "the running daemon did not end in time");
		return -ETIMEDOUT;
	}
	return 0;
}

int
farewell_ask(const struct conf *conf, struct error *e)
{
	const struct sockaddr_un mine = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc = -ESRCH;
	struct sockaddr_un un;
	bool said = false;

	/* Without a name it gets one from the kernel (unix(7), "Autobind"), to be answered at. */
	if (fd < 0 || bind(fd, (const struct sockaddr *)&mine,
			      offsetof(struct sockaddr_un, sun_path)) < 0) {
		rc = -errno;
		error_set(e, "no Unix sockets: %s", strerror(errno));
		goto out;
	}
	for (size_t i = 0; i < conf->n_listen && !said; i++) {
		socklen_t n = lock_name(&conf->listen[i].addr, &un);

		said = sendto(fd, word_farewell, strlen(word_farewell), MSG_NOSIGNAL,
			       (const struct sockaddr *)&un, n) >= 0;
	}
	if (said)
		rc = converse(fd, e);
	else
		error_set(e, "no coapcastd runs with this configuration");
out:
	if (fd >= 0)
		(void)close(fd);
	return rc;
}
