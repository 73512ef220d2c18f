/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Modes `get` and `put`: requests from n_peers endpoints in turn, all known to
 * the server before the clock starts.
 */
#include <errno.h>

#include "load.h"

static int
run(struct load *l, const struct flow_ops *ops)
{
	struct meter_memory before, after;
	struct flow f;
	int rc;

	if ((rc = load_seed(l)) != 0)
		return rc;
	before = meter_memory(l->pid);
	if ((rc = load_greet(l, l->n_peers)) != 0)
		return rc;
	after = meter_memory(l->pid);
	f = load_flow(l, LOAD_MEASURE);
	f.ops = ops;
	f.n_peers = l->n_peers;
	f.total = l->n_requests;
	flow_run(&f);
	load_print_count("complete", f.n_finished == f.total && f.n_retransmissions == 0);
	load_print_flow(&f);
	/* Memory here is what a known peer costs. */
	load_print_memory(&before, &after, l->n_peers);
	flow_fini(&f);
	return 0;
}

int
load_get(struct load *l)
{
	return run(l, &load_get_ops);
}

int
load_put(struct load *l)
{
	return run(l, &load_put_ops);
}
