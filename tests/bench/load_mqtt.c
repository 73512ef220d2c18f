/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mode `mqtt`: the same as `fanout` for a broker that speaks MQTT 3.1.1 (OASIS
 * standard, sections 2 and 3): n_peers subscribers with QoS 0, one connection
 * each, one publisher; the next publish leaves when everybody has the value.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/mem.h"
#include "load.h"

#define CONNACK 0x20
#define SUBACK 0x90
#define PUBLISH 0x30
#define TOPIC "t"

struct mqtt_run {
	struct load *l;
	int epoll;
	int *fds; /* n_peers subscribers, then the publisher */
	uint32_t *had; /* bytes of the message that is coming in, per subscriber */
	uint32_t n_message; /* bytes of one notification */
	uint32_t n_have; /* subscribers that have the publish in hand */
	uint64_t n_bytes;
};

/* Reads a short answer of known length: CONNACK is 4 bytes, SUBACK 5. */
static bool
expect(int fd, uint8_t kind, size_t len)
{
	uint8_t data[8];
	ssize_t n = recv(fd, data, len, MSG_WAITALL);

	return n == (ssize_t)len && data[0] == kind && data[len - 1] == 0;
}

static bool
join(struct mqtt_run *m, uint32_t i, bool subscribes)
{
	static const uint8_t subscribe[] = {0x82, 6, 0, 1, 0, sizeof(TOPIC) - 1, TOPIC[0], 0};
	uint8_t data[64];
	struct buf out = BUF_OF(data);
	char id[16];
	int n = snprintf(id, sizeof(id), "load%08lu", (unsigned long)i);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	m->fds[i] = fd;
	if (fd < 0 ||
		connect(fd, (const struct sockaddr *)&m->l->server, sizeof(m->l->server)) != 0)
		return false;
	/* CONNECT: "MQTT", level 4, clean session, no keep-alive. */
	buf_put_u8(&out, 0x10);
	buf_put_u8(&out, (uint8_t)(12 + n));
	buf_put(&out, bytes_of((const uint8_t *)"\0\4MQTT\4\2\0\0\0", 11));
	buf_put_u8(&out, (uint8_t)n);
	buf_put_str(&out, id);
	if (send(fd, out.p, out.n, MSG_NOSIGNAL) != (ssize_t)out.n || !expect(fd, CONNACK, 4))
		return false;
	return !subscribes ||
	       (send(fd, subscribe, sizeof(subscribe), MSG_NOSIGNAL) == sizeof(subscribe) &&
		       expect(fd, SUBACK, 5));
}

static int
enrol(struct mqtt_run *m)
{
	for (uint32_t i = 0; i <= m->l->n_peers; i++) {
		struct epoll_event e = {.events = EPOLLIN, .data.u32 = i};

		if (!join(m, i, i < m->l->n_peers))
			return -ECONNREFUSED;
		if (i < m->l->n_peers && epoll_ctl(m->epoll, EPOLL_CTL_ADD, m->fds[i], &e) != 0)
			return -errno;
	}
	return 0;
}

static bool
publish(struct mqtt_run *m, uint32_t number)
{
	uint8_t data[256];
	struct buf out = BUF_OF(data);

	packet_fill_payload(m->l->payload, m->l->payload_size, number);
	buf_put_u8(&out, PUBLISH);
	buf_put_u8(&out, (uint8_t)(3 + m->l->payload_size));
	buf_put_u8(&out, 0);
	buf_put_u8(&out, sizeof(TOPIC) - 1);
	buf_put_str(&out, TOPIC);
	buf_put(&out, bytes_of(m->l->payload, m->l->payload_size));
	m->n_message = (uint32_t)out.n;
	m->n_have = 0;
	return send(m->fds[m->l->n_peers], out.p, out.n, MSG_NOSIGNAL) == (ssize_t)out.n;
}

static void
take(struct mqtt_run *m, uint32_t i)
{
	uint8_t data[4096];
	ssize_t n = recv(m->fds[i], data, sizeof(data), MSG_DONTWAIT);

	if (n <= 0)
		return;
	m->n_bytes += (uint64_t)n;
	m->had[i] += (uint32_t)n;
	for (; m->had[i] >= m->n_message; m->had[i] -= m->n_message)
		m->n_have++;
}

static void
run(struct mqtt_run *m)
{
	struct load *l = m->l;
	uint32_t *latency_ns = mem_alloc(sizeof(*latency_ns) * (l->n_requests + 1));
	uint64_t cpu_ns = meter_cpu_ns(l->pid);
	struct epoll_event events[64];
	uint32_t done = 0;
	double cpu_us;

	for (bool ok = true; ok && done < l->n_requests; done += ok) {
		uint64_t began_ns = meter_wall_ns();

		ok = publish(m, done);
		while (ok && m->n_have < l->n_peers) {
			int n = epoll_wait(m->epoll, events, 64, 1000);

			for (int k = 0; k < n; k++)
				take(m, events[k].data.u32);
			ok = meter_wall_ns() < l->deadline_ns;
		}
		latency_ns[done] = (uint32_t)(meter_wall_ns() - began_ns);
	}
	meter_settle(l->pid);
	cpu_us = (double)(meter_cpu_ns(l->pid) - cpu_ns) / 1e3;
	load_print_count("complete", done == l->n_requests);
	load_print_count("notifications", (uint64_t)done * l->n_peers);
	load_print_count("notifications_expected", (uint64_t)l->n_requests * l->n_peers);
	load_print_real("cpu_us", done > 0 ? cpu_us / done : 0);
	load_print_real("cpu_us_notification", done > 0 ? cpu_us / done / l->n_peers : 0);
	load_print_latency(latency_ns, done);
	free(latency_ns);
}

int
load_mqtt(struct load *l)
{
	struct mqtt_run m = {.l = l, .epoll = epoll_create1(EPOLL_CLOEXEC)};
	struct meter_memory before = meter_memory(l->pid), after;
	int rc;

	if (m.epoll < 0 || l->n_peers == 0 || l->payload_size > 120)
		return -EINVAL;
	m.fds = mem_alloc(sizeof(*m.fds) * (l->n_peers + 1));
	for (uint32_t i = 0; i <= l->n_peers; i++)
		m.fds[i] = -1;
	m.had = mem_alloc(sizeof(*m.had) * l->n_peers);
	rc = enrol(&m);
	after = meter_memory(l->pid);
	if (rc == 0) {
		run(&m);
		load_print_memory(&before, &after, l->n_peers);
	}
	for (uint32_t i = 0; i <= l->n_peers && m.fds[i] >= 0; i++)
		close(m.fds[i]);
	free(m.fds);
	free(m.had);
	close(m.epoll);
	return rc;
}
