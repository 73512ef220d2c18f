/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A flood: datagrams with made-up source addresses and ports, as a host on the
 * path may send them. Raw IPv4, so it needs root; in a network namespace.
 *
 *	spoof ADDR:PORT COUNT PER-SECOND
 *
 * They come from 10.128.0.0/9 and are, in turn, registrations, reads, publishes,
 * creations, first blocks of bodies that never end, discovery, and what claims to be
 * protected by a peer whose OSCORE identifier is 01. Prints
 * how many were sent, how many the kernel refused and how long it took.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../bench/endpoints.h"
#include "../bench/meter.h"
#include "../bench/packet.h"

#define SOURCES 0x0a800000u /* 10.128.0.0/9 */
#define N_TOPICS 500
#define OPTION_BLOCK1 27
#define OPTION_URI_PATH 11
#define OPTION_OSCORE 9

struct datagram {
	struct iphdr ip;
	struct udphdr udp;
	uint8_t coap[256];
} __attribute__((packed));

struct flood {
	int fd;
	struct sockaddr_in to;
	uint64_t random; /* xorshift state: the flood is the same each time */
	struct mmsghdr head[ENDPOINTS_BATCH];
	struct iovec vec[ENDPOINTS_BATCH];
	struct datagram data[ENDPOINTS_BATCH];
	uint64_t n_sent, n_refused;
};

static uint32_t
draw(struct flood *f)
{
	f->random ^= f->random << 13;
	f->random ^= f->random >> 7;
	f->random ^= f->random << 17;
	return (uint32_t)(f->random >> 16);
}

/* The first block of a body, of which no other will come (RFC 7959 2.9.2). */
static void
put_first_block(struct buf *out, uint32_t token, uint16_t mid)
{
	static const uint8_t more_of_16[] = {0x08};
	uint8_t bytes[4], body[16] = {0};
	uint16_t last = 0;

	memcpy(bytes, &token, sizeof(bytes));
	packet_put_head(out, PACKET_CON, PACKET_PUT, mid, BYTES_OF(bytes));
	packet_put_option(out, &last, OPTION_URI_PATH, bytes_str("ps"));
	packet_put_option(out, &last, OPTION_URI_PATH, bytes_str("data"));
	packet_put_option(out, &last, OPTION_URI_PATH, bytes_str("flooded"));
	packet_put_option(out, &last, OPTION_BLOCK1, BYTES_OF(more_of_16));
	buf_put_u8(out, 0xff);
	buf_put(out, BYTES_OF(body));
}

/* As if it had the keys: nobody can tell before it is decrypted (RFC 8613 6.1, 8.2). */
static void
put_protected(struct buf *out, uint32_t token, uint16_t mid)
{
	uint8_t bytes[4], option[] = {0x0c, 0, 0, 0, 0, 0x01};
	uint16_t last = 0;

	memcpy(bytes, &token, sizeof(bytes));
	memcpy(option + 1, &token, sizeof(token));
	option[1] |= 0x80; /* no leading zero */
	packet_put_head(out, PACKET_CON, PACKET_POST, mid, BYTES_OF(bytes));
	packet_put_option(out, &last, OPTION_OSCORE, BYTES_OF(option));
	buf_put_u8(out, 0xff);
	for (unsigned i = 0; i < 6; i++)
		buf_put(out, BYTES_OF(bytes));
}

static size_t
compose(struct flood *f, uint8_t *to, size_t room)
{
	static const uint8_t value[] = "spoofed";
	char path[64];
	struct buf out = buf_of(to, room);
	uint32_t dice = draw(f) % 16;
	struct packet_request r = {
		.code = PACKET_GET, .mid = (uint16_t)draw(f), .token = draw(f), .path = path};

	snprintf(path, sizeof(path), "ps/data/flood/%lu", (unsigned long)(draw(f) % N_TOPICS));
	if (dice < 8) {
		r.observe = true;
	} else if (dice < 11) {
		r.code = PACKET_PUT;
		r.payload = bytes_of(value, sizeof(value) - 1);
	} else if (dice == 11) {
		r.code = PACKET_PUT;
		snprintf(path, sizeof(path), "ps/data/made/%08lx", (unsigned long)draw(f));
		r.payload = bytes_of(value, sizeof(value) - 1);
	} else if (dice == 12) {
		put_first_block(&out, r.token, r.mid);
		return out.n;
	} else if (dice == 14) {
		put_protected(&out, r.token, r.mid);
		return out.n;
	} else if (dice == 13) {
		snprintf(path, sizeof(path), ".well-known/core");
	}
	packet_put_request(&out, &r);
	return out.n;
}

static uint32_t
add_up(uint32_t sum, const void *p, size_t n)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++)
		sum += i % 2 ? b[i] : (uint32_t)b[i] << 8;
	return sum;
}

/* RFC 768: the pseudo header too. */
static uint16_t
checksum(const struct datagram *d, size_t n)
{
	uint32_t sum = add_up(0, &d->ip.saddr, 8);

	sum += IPPROTO_UDP + (uint32_t)n;
	sum = add_up(sum, &d->udp, n);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static void
fill(struct flood *f, unsigned i)
{
	struct datagram *d = &f->data[i];
	size_t n = compose(f, d->coap, sizeof(d->coap));
	uint16_t n_udp = (uint16_t)(sizeof(d->udp) + n);

	/* The kernel fills in lengths, identification and the checksum of the IP header. */
	d->ip = (struct iphdr){.version = 4,
		.ihl = 5,
		.ttl = 64,
		.protocol = IPPROTO_UDP,
		.saddr = htonl(SOURCES | (draw(f) & 0x7fffff)),
		.daddr = f->to.sin_addr.s_addr};
	d->udp = (struct udphdr){.source = htons((uint16_t)(1024 + draw(f) % 64000)),
		.dest = f->to.sin_port,
		.len = htons(n_udp)};
	d->udp.check = checksum(d, n_udp);
	f->vec[i] = (struct iovec){d, sizeof(d->ip) + n_udp};
	f->head[i].msg_hdr = (struct msghdr){.msg_name = &f->to,
		.msg_namelen = sizeof(f->to),
		.msg_iov = &f->vec[i],
		.msg_iovlen = 1};
}

static void
send_batch(struct flood *f, unsigned n)
{
	unsigned done = 0;

	for (unsigned i = 0; i < n; i++)
		fill(f, i);
	while (done < n) {
		int rc = sendmmsg(f->fd, f->head + done, n - done, 0);

		if (rc > 0) {
			done += (unsigned)rc;
			f->n_sent += (unsigned)rc;
		} else if (errno != EINTR) {
			f->n_refused++;
			done++;
		}
	}
}

/* COUNT datagrams at an even pace. */
static void
run(struct flood *f, uint64_t count, uint64_t per_second)
{
	uint64_t start = meter_wall_ns();

	while (f->n_sent + f->n_refused < count) {
		uint64_t done = f->n_sent + f->n_refused, left = count - done;
		uint64_t due = start + done * 1000000000u / per_second, now = meter_wall_ns();

		if (due > now) {
			const struct timespec pause = {.tv_nsec = (long)(due - now) % 1000000000};

			(void)nanosleep(&pause, NULL);
		}
		send_batch(f, left < ENDPOINTS_BATCH ? (unsigned)left : ENDPOINTS_BATCH);
	}
	printf("sent\t%llu\nrefused\t%llu\nms\t%llu\n", (unsigned long long)f->n_sent,
		(unsigned long long)f->n_refused,
		(unsigned long long)((meter_wall_ns() - start) / 1000000));
}

int
main(int argc, char **argv)
{
	struct flood *f = calloc(1, sizeof(*f));
	char *colon = argc == 4 ? strrchr(argv[1], ':') : NULL;

	if (!f || !colon) {
		fputs("usage: spoof ADDR:PORT COUNT PER-SECOND\n", stderr);
		return 2;
	}
	*colon = '\0';
	f->to = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1))};
	f->random = 88172645463325252u;
	f->fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	if (f->fd < 0 || inet_pton(AF_INET, argv[1], &f->to.sin_addr) != 1 || atoll(argv[3]) < 1) {
		perror("spoof");
		return 1;
	}
	endpoints_widen(f->fd);
	run(f, strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10));
	free(f);
	return 0;
}
