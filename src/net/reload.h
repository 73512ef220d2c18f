/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Another configuration for a running daemon: everything that can fail is made first,
 * beside what runs, and then all of it is put in place, or none. What cannot be
 * taken up is told. Each part of the daemon that takes something up is a step in the table
 * of reload.c.
 */
#ifndef COAPCAST_NET_RELOAD_H
#define COAPCAST_NET_RELOAD_H

#include "net/access.h"
#include "net/keep.h"
#include "net/plan.h"
#include "net/secure.h"
#include "transport/coapd.h"

/* What of the daemon changes; borrowed for its life. */
struct reload {
	const struct conf *boot; /* as of the start: what needs a restart stays as it is in there */
	struct conf **conf; /* the one in force; owned */
	struct plan *plan;
	struct subjects *subjects;
	struct access **access;
	struct layer *layer;
	struct broker *broker;
	struct coapd *coapd; /* NULL: none */
	struct keep *keep;
	struct secure *secure;
	unsigned verbose; /* levels of the log that -v added */
};

/* Takes `fresh` over when it works out. 0, or a negative errno with e filled: nothing changed. */
int reload_apply(struct reload *r, struct conf *fresh, struct error *e);

/* What the log tells from now on. */
void reload_set_level(const struct conf *conf, unsigned verbose);

#endif
