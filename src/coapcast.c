/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/fds.h"
#include "cli/cli.h"

int
main(int argc, char **argv)
{
	if (!fds_fill())
		return CLI_OTHER;
	return cli_run(argc, argv);
}
