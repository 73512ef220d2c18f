/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/probe.h"

#include <stdio.h>

#define TIMES 4 /* the first is not counted: a handshake and a challenge may be in it */

static void
describe_security(const struct connection *c, char *ret, size_t cap)
{
	bool is_secure = c->uri.scheme == URI_COAPS || c->uri.scheme == URI_COAPS_TCP;
	const struct credentials_identity *id =
		c->credentials ? credentials_identity(c->credentials) : NULL;
	bool is_object = c->keys && keys_armor(c->keys)->context;

	if (!id || (!is_secure && !is_object)) {
		(void)snprintf(ret, cap, "none");
		return;
	}
	(void)snprintf(ret, cap, "%s%s%s as %s", is_object ? "OSCORE" : "",
		is_object && is_secure ? " and " : "",
		!is_secure ? ""
		: id->psk  ? "pre-shared key"
			   : "certificate",
		id->name);
}

enum cli_exit
probe_run(struct connection *c, struct probe *ret)
{
	static const char *const transports[] = {
		[URI_COAP] = "UDP",
		[URI_COAPS] = "DTLS",
		[URI_COAP_TCP] = "TCP",
		[URI_COAPS_TCP] = "TLS",
	};
	struct transfer_result r;
	uint64_t shortest = UINT64_MAX;

	for (int i = 0; i < TIMES; i++) {
		uint64_t before = uv_hrtime(), took;

		connection_get(c, "/.well-known/core", "rt=core.ps.none", &r);
		if (r.end != TRANSFER_ANSWERED)
			return connection_judge(&r, c->text);
		took = uv_hrtime() - before;
		if (i > 0 && took < shortest)
			shortest = took;
	}
	ret->rtt_us = shortest / 1000;
	ret->transport = transports[c->uri.scheme];
	describe_security(c, ret->security, sizeof(ret->security));
	return CLI_OK;
}
