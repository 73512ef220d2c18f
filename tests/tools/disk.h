/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk that fails, and power that is cut: stands between a program and the files in
 * one directory, linked into it or preloaded (disk.so). Told by the environment:
 *
 *	DISK_DIR     the directory; nothing else is touched
 *	DISK_FAULT   a file whose first word is what is wrong now: enospc, eio, erofs,
 *	             fsync, read, proper (writes to what ends with .db: EIO), hang (until DISK_GATE, a FIFO, is opened for writing), or
 *	             synced (the process is killed when something was)
 *	DISK_DIE     the process is killed before its so many-th operation that writes
 *	DISK_SHADOW  a directory where `cut` is what a power cut now would leave: only
 *	             what was synced, names too; what was there when it was opened first is
 *	DISK_LUCKY   percent of writes that are there after the cut all the same
 */
#ifndef COAPCAST_DISK_H
#define COAPCAST_DISK_H

/* Reads the environment again: for a test that sets it after something was opened. */
void disk_reset(void);
/* Operations that wrote, so far. */
unsigned disk_n_operations(void);

#endif
