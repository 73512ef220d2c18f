/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a new configuration changes that a running daemon does not take up: the
 * names of sections and keys to be told to whoever asked for the reload.
 */
#ifndef COAPCAST_NET_SECTIONS_H
#define COAPCAST_NET_SECTIONS_H

#include "conf/conf.h"

/*
 * Appends the names of the top-level sections in which the two differ, other than those
 * that a reload applies (net/reload.h), of which those keys that it does not;
 * separated by commas. Nothing when there are none.
 */
void sections_compare(const struct conf *running, const struct conf *fresh, struct buf *out);

#endif
