/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/descriptors.h"

#include <sys/resource.h>

#include "base/log.h"

static uint64_t
at_least_one(uint64_t n)
{
	return n > 0 ? n : 1;
}

void
descriptors_share(uint64_t allowed, struct coapd_limits *l)
{
	uint64_t spare = allowed > DESCRIPTORS_RESERVED ? allowed - DESCRIPTORS_RESERVED : 0;
	uint64_t opening = at_least_one(spare / 4);

	if (opening > l->opening)
		opening = l->opening;
	spare = at_least_one(spare > opening ? spare - opening : 0);
	l->opening = (uint32_t)opening;
	if (spare < l->sessions)
		l->sessions = (uint32_t)spare;
}

/* The limit there is, after trying for one. */
static uint64_t
raise_to(uint64_t wanted)
{
	struct rlimit limit;
	rlim_t before;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return wanted;
	before = limit.rlim_cur;
	if (before >= wanted)
		return before;
	limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : (rlim_t)wanted;
	return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : before;
}

void
descriptors_claim(const struct conf_limits *from, struct coapd_limits *ret)
{
	struct coapd_limits l = {.sessions = from->sessions,
		.opening =
			from->handshakes < COAPD_OPENING_MAX ? from->handshakes : COAPD_OPENING_MAX,
		.handshakes = from->handshakes,
		.unread = (uint32_t)from->unread_bytes};
	uint64_t allowed = raise_to((uint64_t)l.sessions + l.opening + DESCRIPTORS_RESERVED);

	descriptors_share(allowed, &l);
	*ret = l;
	if (l.sessions < from->sessions)
		log_warning("server: the limit of open files (%llu) allows for fewer sessions than "
			    "broker.limits.sessions n=%u",
			(unsigned long long)allowed, (unsigned)l.sessions);
}
