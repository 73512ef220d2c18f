/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OpenSSL beside libcoap, for the files of the libcoap adapter (coapd_impl.h) and nobody else:
 * what it knows of sessions and libcoap does not say. Not here: keys and certificates as
 * libcoap takes them (coapd_tls.c), and the words of alerts (coapd_alert.c).
 */
#ifndef COAPCAST_TRANSPORT_COAPD_SSL_H
#define COAPCAST_TRANSPORT_COAPD_SSL_H

#include <coap3/coap.h>

#include "base/bytes.h"

#define COAPD_SSL_CONTEXTS 2 /* DTLS and TLS */
#define COAPD_COOKIE 16 /* bytes of the proof in one */

struct coapd;

/* Watches how the client of a DTLS session proves that it has the key. */
void coapd_ssl_watch(coap_session_t *session);
/* As coap_new_context(NULL), and what it has of OpenSSL in ret[]. */
coap_context_t *coapd_ssl_new_context(void *ret[COAPD_SSL_CONTEXTS]);
/*
 * OpenSSL keeps its errors by thread, and takes any for one of the session that it is asked
 * about: none may be left when it goes on to another one. libcoap leaves them.
 */
void coapd_ssl_forget(void);
/*
 * Has the chain shown: libcoap loads the first certificate only. By the session that OpenSSL
 * has in `tls`; or that in a file, by all that are begun from now on.
 */
void coapd_ssl_show_chain(void *tls, void *chain);
void coapd_ssl_show_chains(struct coapd *c, const char *file);
void coapd_ssl_forget_authorities(struct coapd *c);
/* Has cookies be as good as c->is_proven says; false when this is not OpenSSL. */
bool coapd_ssl_trust_door(struct coapd *c);
void coapd_ssl_bake(const struct coapd *c, struct bytes text, uint8_t ret[COAPD_COOKIE]);
/* In a time that says nothing of where they differ. */
bool coapd_ssl_equal(const uint8_t *a, const uint8_t *b, size_t n);
/* Between libcoap's turns: those that did not are told, and their sessions ended. */
void coapd_ssl_judge(struct coapd *c);

#endif
