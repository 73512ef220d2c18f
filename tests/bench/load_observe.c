/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mode `register`: n_peers endpoints observe the topic, each with a token of
 * its own. With `greet` they are known to the server before, so that the
 * memory figure is that of the observation alone; n_warm further ones
 * register first, so that what grows once has grown.
 */
#include <errno.h>

#include "load.h"

int
load_observe(struct load *l)
{
	struct meter_memory before, after;
	struct flow f;
	int rc = 0;

	if (l->greet)
		rc = load_greet(l, l->n_peers + l->n_warm);
	if (rc != 0)
		return rc;
	if (l->n_warm > 0) {
		rc = load_register(l, LOAD_WARM, l->n_peers, l->n_warm, &f);
		flow_fini(&f);
		if (rc != 0)
			return rc;
	}
	before = meter_memory(l->pid);
	/* Some that do not make it are a figure, not a failure. */
	(void)load_register(l, LOAD_REGISTER, 0, l->n_peers, &f);
	after = meter_memory(l->pid);
	load_print_count("complete",
		f.n_finished == f.total && f.n_retransmissions == 0 && f.n_duplicates == 0);
	load_print_flow(&f);
	load_print_memory(&before, &after, l->n_peers);
	flow_fini(&f);
	return 0;
}
