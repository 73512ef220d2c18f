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
descriptors_share(uint64_t allowed, uint32_t sessions, struct coapd_limits *ret)
{
	uint64_t spare = allowed > DESCRIPTORS_RESERVED ? allowed - DESCRIPTORS_RESERVED : 0;
	uint64_t opening = at_least_one(spare / 4);

	if (opening > COAPD_OPENING_MAX)
		opening = COAPD_OPENING_MAX;
	spare = at_least_one(spare > opening ? spare - opening : 0);
	ret->opening = (uint32_t)opening;
	ret->sessions = spare < sessions ? (uint32_t)spare : sessions;
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
descriptors_claim(uint32_t sessions, struct coapd_limits *ret)
{
	uint64_t wanted = (uint64_t)sessions + COAPD_OPENING_MAX + DESCRIPTORS_RESERVED;
	uint64_t allowed = raise_to(wanted);

	descriptors_share(allowed, sessions, ret);
	if (ret->sessions < sessions)
		log_warning("server: the limit of open files (%llu) allows for fewer sessions than "
			    "broker.limits.sessions n=%u",
			(unsigned long long)allowed, (unsigned)ret->sessions);
}
