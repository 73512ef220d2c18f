/* SPDX-License-Identifier: BSD-2-Clause */
/* What of a request needs nothing of its layer's inside: the rest is in msg/layer.c. */
#include "msg/request.h"

#include "msg/layer.h"

enum no_response { SUPPRESS_2XX = 2, SUPPRESS_4XX = 8, SUPPRESS_5XX = 16 }; /* RFC 7967 2.1 */

bool
request_wants(const struct request *r, uint8_t code)
{
	uint32_t no_response;

	if (!msg_uint(r->msg, OPT_NO_RESPONSE, &no_response))
		return true;
	switch (MSG_CLASS(code)) {
	case 2:
		return !(no_response & SUPPRESS_2XX);
	case 4:
		return !(no_response & SUPPRESS_4XX);
	case 5:
		return !(no_response & SUPPRESS_5XX);
	default:
		return true;
	}
}

void
request_ignore(struct request *r)
{
	r->answered = true;
}

void
request_reply_code(struct request *r, enum msg_code code)
{
	struct msg m;

	msg_init(&m, TYPE_ACK, code);
	request_reply(r, &m);
}

uint32_t
request_leisure(const struct request *r)
{
	return r->way->multicast ? layer_leisure(r->layer) : 0;
}
