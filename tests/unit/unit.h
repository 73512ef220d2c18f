/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every unit test shares: the runner. A test program defines its suite
 * and ends with `int main(void) { return unit_run(suite()); }`. Cases run in
 * one process (so that a sanitizer or valgrind sees leaks) and print TAP.
 */
#ifndef COAPCAST_UNIT_H
#define COAPCAST_UNIT_H

#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#define UNIT_TIMEOUT_S 300 /* of the whole program; generous, valgrind is slow */

/* Run the suite and free it; the exit status of the program. */
static inline int
unit_run(Suite *s)
{
	SRunner *sr = srunner_create(s);
	int n_failed;

	alarm(UNIT_TIMEOUT_S);
	srunner_set_fork_status(sr, CK_NOFORK);
	srunner_set_tap(sr, "-");
	srunner_run_all(sr, CK_SILENT);
	n_failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
