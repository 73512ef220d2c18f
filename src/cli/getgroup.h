/* SPDX-License-Identifier: BSD-2-Clause */
/* `coapcast get` of a multicast address: the value that each server of the group has. */
#ifndef COAPCAST_CLI_GETGROUP_H
#define COAPCAST_CLI_GETGROUP_H

#include "base/addr.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/uri.h"

/* Whether the URI's host is a multicast address; then *ret_group is that, with the port. */
bool getgroup_is_meant(const char *uri, struct uri *ret_uri, struct addr *ret_group);

enum cli_exit getgroup_run(const struct args *a, const struct uri *uri, const struct addr *group);

#endif
