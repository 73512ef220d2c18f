/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/echo.h"

#include <errno.h>

#include "base/mem.h"
#include "base/rnd.h"
#include "oscore/mac.h"

#define TIME_LEN 4
#define TAG_LEN (ECHO_LEN - TIME_LEN)

void
echo_init(struct echo *e)
{
	rnd_fill(e->key, sizeof(e->key));
}

void
echo_fini(struct echo *e)
{
	mem_wipe(e->key, sizeof(e->key));
}

static uint32_t
seconds(uint64_t now_ms)
{
	return (uint32_t)(now_ms / 1000);
}

static void
put_u32(struct buf *out, uint32_t v)
{
	buf_put_u16(out, (uint16_t)(v >> 16));
	buf_put_u16(out, (uint16_t)v);
}

static void
put_addr(struct buf *out, const struct addr *a)
{
	buf_put_u8(out, a->family == AF_INET6);
	buf_put(out, BYTES_OF(a->ip));
	buf_put_u16(out, a->port);
}

static int
compute(const struct echo *e, const struct path *way, uint32_t time_s, uint8_t ret[MAC_LEN])
{
	uint8_t bytes[64];
	struct buf data = BUF_OF(bytes);

	put_u32(&data, time_s);
	put_addr(&data, &way->remote);
	put_addr(&data, &way->local);
	return mac_compute(BYTES_OF(e->key), buf_bytes(&data), ret);
}

int
echo_put(const struct echo *e, const struct path *way, uint64_t now_ms, struct buf *out)
{
	uint8_t mac[MAC_LEN];
	int rc;

	if ((rc = compute(e, way, seconds(now_ms), mac)) < 0)
		return rc;
	put_u32(out, seconds(now_ms));
	buf_put(out, bytes_of(mac, TAG_LEN));
	return out->full ? -ENOBUFS : 0;
}

bool
echo_check(const struct echo *e, const struct path *way, uint64_t now_ms, struct bytes value)
{
	uint8_t mac[MAC_LEN];
	uint32_t time_s;

	if (value.n != ECHO_LEN)
		return false;
	time_s = (uint32_t)value.p[0] << 24 | (uint32_t)value.p[1] << 16 |
		 (uint32_t)value.p[2] << 8 | value.p[3];
	/* Unsigned: one of the future is too old, too. */
	if (seconds(now_ms) - time_s > ECHO_WINDOW_S)
		return false;
	return compute(e, way, time_s, mac) == 0 &&
	       mac_equal(bytes_of(mac, TAG_LEN), bytes_from(value, TIME_LEN));
}
