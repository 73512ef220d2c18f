/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/parting.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rnd.h"
#include "transport/once.h"
#include "transport/route.h"

#define MULTICAST_MID 0x8000u /* the upper half of the space: architecture, "Message IDs" */
#define PARTING_MAX 1024

struct parting {
	struct parting *next;
	struct udp_group way;
	struct shield *shield; /* held; NULL: it is not protected */
	struct token token;
	uint16_t mid;
	enum msg_code code;
};

/* No payload, no Observe: draft-ietf-core-observe-multicast-notifications, RFC 7641 4.2. */
static int
encode(struct layer *l, const struct parting *p, struct buf *out)
{
	uint8_t bytes[PARTING_MAX], code = (uint8_t)p->code;
	struct buf tail = BUF_OF(bytes);
	struct msg m;
	int rc;

	msg_init(&m, TYPE_NON, p->code);
	if (p->shield && (rc = layer_protect(l, p->shield, &m, &tail, &code)) < 0)
		return rc;
	msg_put_header(out, TYPE_NON, code, p->mid, &p->token);
	buf_put(out, buf_bytes(&tail));
	return out->full ? -ENOBUFS : 0;
}

static int
send_it(struct layer *l, const struct parting *p)
{
	uint8_t bytes[PARTING_MAX];
	struct buf out = BUF_OF(bytes);
	int rc = encode(l, p, &out);

	return rc < 0 ? rc : once_send(&p->way, buf_bytes(&out));
}

static void
dispose(struct layer *l, struct parting *p)
{
	layer_shield_release(l, p->shield);
	free(p);
}

int
parting_tell(struct partings *all, struct layer *l, const struct parting_to *to)
{
	struct parting *p = mem_alloc(sizeof(*p));
	bool multicast = addr_is_multicast(&to->way.group);
	int rc = 0;

	p->way = to->way;
	p->shield = to->shield;
	p->code = to->code;
	p->token.n = (uint8_t)to->token.n;
	if (to->token.n > 0)
		memcpy(p->token.b, to->token.p, to->token.n);
	rnd_fill(&p->mid, sizeof(p->mid));
	p->mid = (uint16_t)(multicast ? p->mid | MULTICAST_MID : p->mid & ~MULTICAST_MID);
	/* The configuration says nothing of its group any more: where that address is. */
	if (multicast && p->way.ifindex == 0)
		rc = route_interface_of(&p->way.source, &p->way.ifindex);
	if (rc == 0)
		rc = send_it(l, p);
	if (rc == -EAGAIN) {
		p->next = all->first;
		all->first = p;
		return 0;
	}
	dispose(l, p);
	return rc;
}

unsigned
partings_send(struct partings *all, struct layer *l)
{
	unsigned n_failed = 0;

	for (const struct parting *p = all->first; p; p = p->next)
		n_failed += send_it(l, p) < 0;
	partings_free(all, l);
	return n_failed;
}

void
partings_free(struct partings *all, struct layer *l)
{
	struct parting *p;

	while ((p = all->first) != NULL) {
		all->first = p->next;
		dispose(l, p);
	}
}
