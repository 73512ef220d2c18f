/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Judges what hostfacts.h, firewall.h and looptest.h found out: whether notifications by
 * multicast can get to a program of this host, and what to do when not. Pure.
 */
#ifndef COAPCAST_CLI_DIAGNOSIS_H
#define COAPCAST_CLI_DIAGNOSIS_H

#include "cli/finding.h"
#include "cli/firewall.h"
#include "cli/hostfacts.h"
#include "cli/looptest.h"

/* False when there is no point in looking further. */
bool diagnosis_interface(struct findings *all, const struct hostfacts *f);
/* The flag MULTICAST; `proven`: a notification came all the same, some devices do not care. */
void diagnosis_flag(struct findings *all, const struct hostfacts *f, bool proven);
void diagnosis_limits(struct findings *all, const struct hostfacts *f);
void diagnosis_route(struct findings *all, const struct hostfacts *f);
/*
 * The reverse path filter; `from`: who sends, and the interface that the way back there goes
 * by (0: there is none), or NULL while nobody is known.
 */
void diagnosis_rp_filter(struct findings *all, const struct hostfacts *f, const struct addr *from,
	uint32_t way_back);
/* `fw` as firewall_read left it, when it returned `read`. */
void diagnosis_firewall(
	struct findings *all, const struct hostfacts *f, const struct firewall *fw, int read);
void diagnosis_loop(struct findings *all, const struct hostfacts *f, const struct firewall *fw,
	enum looptest_end end, const char *why);

/* How to let notifications in past a chain; `hint` has FINDING_TEXT bytes. */
const char *diagnosis_mend_firewall(
	const struct hostfacts *f, const struct firewall *fw, char *hint);

#endif
