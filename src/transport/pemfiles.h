/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PEM files of a server's certificate, in memory: what is shown does not depend on what
 * becomes of the files meanwhile, and no handshake waits for a disk. Whether they are of use
 * is certificate_check's.
 */
#ifndef COAPCAST_TRANSPORT_PEMFILES_H
#define COAPCAST_TRANSPORT_PEMFILES_H

#include "transport/coapd.h"

struct pemfiles {
	struct bytes file, key, ca; /* owned, each with a NUL after it; ca.p NULL: none */
	void *chain; /* OpenSSL's: the certificates of `file` after the first */
};

/* 0, or negative errno with e filled: one cannot be read, or has nothing of its kind. */
int pemfiles_read(const struct coapd_certificate *from, struct error *e, struct pemfiles **ret);
void pemfiles_free(struct pemfiles *f); /* NULL is fine */
bool pemfiles_equal(const struct pemfiles *a, const struct pemfiles *b);

#endif
