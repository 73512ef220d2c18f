/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CBOR in diagnostic notation (RFC 8949 8), cut short: for people, not to be read back.
 */
#ifndef COAPCAST_CLI_DIAG_H
#define COAPCAST_CLI_DIAG_H

#include "base/buf.h"

/*
 * Appends one data item. Long strings and long lists are cut, with "...". 0, or -EBADMSG
 * with nothing appended when it is not one well-formed item, or nests too deeply.
 */
int diag_put(struct bytes cbor, struct buf *out);

#endif
