/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CoRE Link Format (RFC 6690): writes the links a broker lists, decides which of
 * them a query asks for (section 4.1), and reads the links of a payload. The
 * reader is tolerant and allocates nothing; it does not resolve references.
 */
#ifndef COAPCAST_WIRE_LINK_H
#define COAPCAST_WIRE_LINK_H

#include "base/buf.h"

enum link_flag {
	LINK_OBS = 1, /* "obs": can be observed (RFC 7641 6) */
	LINK_GP_OBS = 2, /* "gp-obs": perhaps by multicast (observe-multicast-notifications) */
	LINK_OSC = 4, /* "osc": OSCORE only (RFC 8613 9) */
	LINK_GOSC = 8, /* "gosc": Group OSCORE only */
};

#define LINK_NO_CT (-1)

struct link {
	/* In the form of msg_path, "/ps/data/t": a '%' with two hex digits is an
	 * octet, everything else stands for itself and is escaped as needed. */
	struct bytes path;
	struct bytes rt; /* resource types, separated by spaces; p NULL: none */
	int ct; /* Content-Format, or LINK_NO_CT */
	unsigned flags; /* enum link_flag */
};

/*
 * Appends a link to the list in `out`, after a comma when there is something in
 * it already: </ps/t>;rt="core.ps.conf";obs;gp-obs;osc;gosc;ct=0. `out` is full
 * when it does not fit.
 */
void link_put(struct buf *out, const struct link *l);

/*
 * Whether a Uri-Query of the form `name=value` or `name=prefix*` selects the
 * link: by href, rt, ct or one of the flags, whose value is empty. Any of several
 * values separated by spaces will do. `name` alone asks for its presence. An
 * attribute that the link has not does not match. A request with several queries
 * asks for links that match each.
 */
bool link_matches(const struct link *l, struct bytes query);

/* A place in a list of links, or among the parameters of one link. */
struct link_reader {
	struct bytes in; /* what is left of the payload, or of link_value.params */
};

/* One link of a payload; all of it is borrowed from there. */
struct link_value {
	struct bytes target; /* between '<' and '>', as it came */
	struct bytes params; /* what follows, for link_next_param and link_find_param */
};

struct link_param {
	struct bytes name;
	struct bytes value; /* without its quotes, backslashes as they came; p NULL: none */
};

/* The next link; false at the end. What is not a link is passed over. */
bool link_next(struct link_reader *r, struct link_value *ret);
/* The next parameter; false at the end. */
bool link_next_param(struct link_reader *r, struct link_param *ret);
/* The first parameter of that name. */
bool link_find_param(const struct link_value *l, const char *name, struct link_param *ret);

/* Whether one of the values of a parameter, separated by spaces, is this one. */
bool link_param_lists(const struct link_param *p, const char *value);

/* Appends a path as a URI reference: what a path may not hold is escaped, escapes stay. */
void link_put_path(struct buf *out, struct bytes path);

/* Appends text with %XX replaced by the octet it stands for. */
void link_put_decoded(struct buf *out, struct bytes text);

#endif
