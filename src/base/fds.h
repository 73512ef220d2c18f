/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The three descriptors every program expects to be open. Whoever starts one with some
 * of them closed would otherwise see a socket or a file of ours take their numbers.
 */
#ifndef COAPCAST_BASE_FDS_H
#define COAPCAST_BASE_FDS_H

#include <stdbool.h>

/*
 * Puts something on 0, 1 and 2 where nothing is, such that reading or writing there
 * still fails. The first thing a main does. False, with errno, when that is impossible.
 */
bool fds_fill(void);

#endif
