/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coap URIs (RFC 7252 6.1, RFC 3986) as the command line takes them, with IPv6 zones
 * (RFC 6874, and a bare '%' as people write it). Nothing is resolved here.
 */
#ifndef COAPCAST_CLI_URI_H
#define COAPCAST_CLI_URI_H

#include <stdint.h>

#include "base/error.h"

#define URI_HOST_MAX 255
#define URI_PART_MAX 1023

#define URI_PORT 5683 /* of coap:// */

enum uri_scheme { URI_COAP, URI_COAPS, URI_COAP_TCP, URI_COAPS_TCP };

struct uri {
	enum uri_scheme scheme;
	char host[URI_HOST_MAX + 1]; /* a name or a literal without brackets, maybe %zone */
	uint16_t port;
	char path[URI_PART_MAX +
		  1]; /* with its '/' in front, escapes as given; "" for none or "/" */
	char query[URI_PART_MAX + 1]; /* without '?' */
};

/*
 * 0; -EINVAL, with e filled, when it is none that this build understands. Its path may be
 * the name of a topic, and no path that can be asked for: uri_check_path.
 */
int uri_parse(const char *text, struct uri *ret, struct error *e);

/* Whether each segment of a path of sound escapes fits an option; -EINVAL. */
int uri_check_path(const char *path, struct error *e);

#endif
