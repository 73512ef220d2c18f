/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a new configuration changes that a running daemon does not take up: the
 * names of the sections to be told to whoever asked for the reload.
 */
#ifndef COAPCAST_NET_RELOAD_H
#define COAPCAST_NET_RELOAD_H

#include "conf/conf.h"

/*
 * Appends the names of the top-level sections in which the two differ, other
 * than those that a reload applies (log, topics, access), separated by commas. Nothing
 * when there are none.
 */
void reload_differences(const struct conf *running, const struct conf *fresh, struct buf *out);

#endif
