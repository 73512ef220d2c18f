/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * X.509 certificates (RFC 5280) for DTLS and TLS: whether files are of use before a
 * handshake needs them, and whose certificate it is that a peer shows. Not here: whether
 * it is to be believed, which is OpenSSL's.
 */
#ifndef COAPCAST_TRANSPORT_CERTIFICATE_H
#define COAPCAST_TRANSPORT_CERTIFICATE_H

#include "base/buf.h"
#include "base/error.h"
#include "transport/coapd.h"

enum certificate_part {
	CERTIFICATE_FILE,
	CERTIFICATE_KEY,
	CERTIFICATE_CA,
};

/*
 * Whether handshakes can succeed with them: all can be read, the key is that of the
 * certificate and has no passphrase, no certificate of the chain has expired, nor have all
 * authorities. One that is not valid yet is fine: the clock may not be set. 0, or -EINVAL,
 * -EKEYEXPIRED when that is all, with e filled and the one that is wrong in *ret_part.
 */
int certificate_check(
	const struct coapd_certificate *files, struct error *e, enum certificate_part *ret_part);

/*
 * The common name of a certificate's subject, as UTF-8; false when there is none, more than
 * one, or it does not fit.
 */
bool certificate_cn(struct bytes der, struct buf *out);

/*
 * Whether it is the certificate of that host, a name or an address (RFC 6125): by its
 * alternative names, or by its common name when it has none for hosts.
 */
bool certificate_is_for(struct bytes der, const char *host);

#endif
