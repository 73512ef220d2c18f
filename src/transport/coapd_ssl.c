/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What OpenSSL knows of the libcoap adapter's sessions and libcoap does not say.
 *
 * A DTLS client with the wrong key is noticed when its Finished, the first record under
 * that key, cannot be decrypted. Such a record is dropped without a word (RFC 6347
 * 4.1.2.7), and both sides would repeat themselves for half a minute. Nobody else is
 * likely to have sent it: it follows the ChangeCipherSpec of a peer whose address the
 * cookie has proven. So that peer is told by an alert, and its session ended.
 */
#include <stdlib.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/ssl.h>

#include "transport/coapd_impl.h"

static void
suspect(coap_session_t *session)
{
	struct coapd *c = coapd_of(session);

	if (c->n_suspects < COAPD_SUSPECTS)
		c->suspects[c->n_suspects++] = coap_session_reference(session);
}

static void
acquit(coap_session_t *session)
{
	struct coapd *c = coapd_of(session);
	size_t n = 0;

	for (size_t i = 0; i < c->n_suspects; i++) {
		if (c->suspects[i] == session)
			coap_session_release(session);
		else
			c->suspects[n++] = c->suspects[i];
	}
	c->n_suspects = n;
}

/* RFC 6347 4.1: a record under keys, of a handshake. */
static bool
is_sealed(const uint8_t *header, size_t n)
{
	return n >= DTLS1_RT_HEADER_LENGTH && header[0] == SSL3_RT_HANDSHAKE &&
	       (header[3] | header[4]) != 0;
}

/* Records as they come, and messages as they are understood. */
static void
on_message(int is_out, int version, int type, const void *p, size_t n, SSL *ssl, void *session)
{
	const uint8_t *b = p;

	(void)version;
	if (is_out)
		return;
	/* Before the ChangeCipherSpec it is kept for later, not tried. */
	if (type == SSL3_RT_HEADER && is_sealed(b, n) && SSL_get_state(ssl) == TLS_ST_SR_CHANGE)
		suspect(session);
	else if (type == SSL3_RT_HANDSHAKE && n > 0 && b[0] == SSL3_MT_FINISHED)
		acquit(session);
}

static SSL *
ssl_of(const coap_session_t *session)
{
	coap_tls_library_t library;
	void *tls = coap_session_get_tls(session, &library);

	return library == COAP_TLS_LIBRARY_OPENSSL ? tls : NULL;
}

void
coapd_ssl_watch(coap_session_t *session)
{
	SSL *ssl = ssl_of(session);

	/* Over TLS such a record is an error like any other. */
	if (!ssl || coap_session_get_proto(session) != COAP_PROTO_DTLS)
		return;
	SSL_set_msg_callback(ssl, on_message);
	SSL_set_msg_callback_arg(ssl, session);
}

void
coapd_ssl_forget(void)
{
	ERR_clear_error();
}

static void (*libcoap_hears)(const SSL *ssl, int where, int what);

/* The one failure of which libcoap tells nobody: of a connection that it has just accepted. */
static void
on_info(const SSL *ssl, int where, int what)
{
	const coap_session_t *session = SSL_get_app_data(ssl);
	coap_tls_library_t library;

	if (libcoap_hears)
		libcoap_hears(ssl, where, what);
	if (!session || coap_session_get_tls(session, &library))
		return;
	if ((where & SSL_CB_ALERT) && what >> 8 == SSL3_AL_FATAL) {
		/* By either end, while it is accepted: a busy broker may find all that at once. */
		coapd_alert_tell(coapd_of(session), session, NULL);
	} else if (where == SSL_CB_ACCEPT_EXIT && what <= 0) {
		coapd_ssl_forget();
	}
}

static void
listen_to(SSL_CTX *made)
{
	libcoap_hears = SSL_CTX_get_info_callback(made);
	SSL_CTX_set_info_callback(made, on_info);
}

/*
 * libcoap keeps its SSL_CTX to itself, but OpenSSL tells of each that is made to whoever
 * has data of their own to keep with it.
 */
static int own_index = -1; /* of data of ours with an SSL_CTX: the struct coapd, or NULL */
static void **heard; /* where to note them; NULL: nobody asks */
static size_t n_heard;

static void
on_made(void *made, void *data, CRYPTO_EX_DATA *all, int index, long argl, void *argp)
{
	(void)data;
	(void)all;
	(void)index;
	(void)argl;
	(void)argp;
	if (heard && n_heard < COAPD_SSL_CONTEXTS)
		heard[n_heard++] = made;
}

coap_context_t *
coapd_ssl_new_context(void *ret[COAPD_SSL_CONTEXTS])
{
	coap_context_t *made;

	if (own_index < 0)
		own_index = CRYPTO_get_ex_new_index(
			CRYPTO_EX_INDEX_SSL_CTX, 0, NULL, on_made, NULL, NULL);
	heard = ret;
	n_heard = 0;
	made = coap_new_context(NULL);
	heard = NULL;
	for (size_t i = 0; made && i < n_heard; i++)
		listen_to(ret[i]);
	return made;
}

/* The door has looked at it, and at the address, which OpenSSL does not know. */
static int
on_cookie(SSL *ssl, const unsigned char *cookie, unsigned n)
{
	const struct coapd *c = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), own_index);

	(void)cookie;
	(void)n;
	return c && c->is_proven;
}

bool
coapd_ssl_trust_door(struct coapd *c)
{
	for (size_t i = 0; i < COAPD_SSL_CONTEXTS; i++) {
		if (!c->ssl[i] || SSL_CTX_set_ex_data(c->ssl[i], own_index, c) != 1)
			return false;
		SSL_CTX_set_cookie_verify_cb(c->ssl[i], on_cookie);
	}
	return true;
}

void
coapd_ssl_bake(const struct coapd *c, struct bytes text, uint8_t ret[COAPD_COOKIE])
{
	uint8_t mac[EVP_MAX_MD_SIZE];

	if (!HMAC(EVP_sha256(), c->cookie_key, sizeof(c->cookie_key), text.p, text.n, mac, NULL))
		abort();
	memcpy(ret, mac, COAPD_COOKIE);
}

bool
coapd_ssl_equal(const uint8_t *a, const uint8_t *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

void
coapd_ssl_show_chain(void *tls, void *chain)
{
	if (coap_get_tls_library_version()->type != COAP_TLS_LIBRARY_OPENSSL)
		return;
	(void)SSL_set1_chain((SSL *)tls, chain);
	ERR_clear_error();
}

/* libcoap adds those that it is given to those that there are. */
void
coapd_ssl_forget_authorities(struct coapd *c)
{
	for (size_t i = 0; i < COAPD_SSL_CONTEXTS && c->ssl[i]; i++) {
		X509_STORE *empty = X509_STORE_new();

		if (empty)
			SSL_CTX_set_cert_store(c->ssl[i], empty);
	}
}

void
coapd_ssl_show_chains(struct coapd *c, const char *file)
{
	/* libcoap loads the first one anew, which leaves the others in place. */
	for (size_t i = 0; i < COAPD_SSL_CONTEXTS && c->ssl[i]; i++)
		(void)SSL_CTX_use_certificate_chain_file(c->ssl[i], file);
	ERR_clear_error();
}

/*
 * OpenSSL sends none but its own alerts. Our side has no keys in use yet: this is as what
 * was sent before, and later than all of it.
 */
static void
send_alert(SSL *ssl)
{
	static const uint8_t alert[] = {SSL3_RT_ALERT, DTLS1_2_VERSION >> 8, DTLS1_2_VERSION & 0xff,
		0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 2, SSL3_AL_FATAL, SSL_AD_DECRYPT_ERROR};

	if (SSL_in_init(ssl))
		(void)BIO_write(SSL_get_wbio(ssl), alert, sizeof(alert));
}

void
coapd_ssl_judge(struct coapd *c)
{
	while (c->n_suspects > 0) {
		coap_session_t *session = c->suspects[--c->n_suspects];
		SSL *ssl = ssl_of(session);

		if (ssl) {
			send_alert(ssl);
			coapd_alert_tell(c, session, "it has another key");
			/* libcoap frees it in its next turn. */
			coap_session_disconnected(session, COAP_NACK_TLS_FAILED);
			coapd_rouse(c);
		}
		coap_session_release(session);
	}
}
