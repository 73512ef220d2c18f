/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random bytes from the kernel, drawn ahead in small batches so that a message
 * id does not cost a system call. What was handed out is erased here.
 */
#ifndef COAPCAST_BASE_RND_H
#define COAPCAST_BASE_RND_H

#include <stddef.h>

/* Unpredictable bytes; aborts when the kernel has none. Not for use after fork(). */
void rnd_fill(void *p, size_t n);

#endif
