/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looks at the keys and credentials of a configuration, which are bytes to conf/: whether
 * they are what the algorithms beside them take and belong together, so that a daemon does
 * not find out when it needs them (coapcast.yaml(5), "OSCORE-GROUPS"; oscore-groupcomm
 * 2.4). Makes no context and keeps nothing.
 */
#ifndef COAPCAST_NET_KEYCHECK_H
#define COAPCAST_NET_KEYCHECK_H

#include "conf/conf.h"

/* 0, or -EINVAL with the place of the key and what is wrong with it in *e. */
int keycheck_all(const struct conf *c, struct error *e);

/* conf_load, and then that. */
int keycheck_load(const char *path, struct conf **ret, struct error *e);

#endif
