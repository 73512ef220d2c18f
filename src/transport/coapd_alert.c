/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why a secure connection does not come about, in words: libcoap says no more than that it
 * failed. Alerts go by in both directions; what we refuse OpenSSL knows precisely.
 */
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "transport/coapd_impl.h"

#define STRANGE "its certificate is not of an authority that is believed"
#define OTHER_KEY "it has another key"
#define UNBELIEVED "nobody who is believed vouches for the server's certificate"

static const struct reason {
	int code;
	const char *text;
} refusals[] = {
	/* Of ours, by what is wrong with the server's certificate. */
	{X509_V_ERR_CERT_HAS_EXPIRED, "the server's certificate has expired"},
	{X509_V_ERR_CERT_NOT_YET_VALID,
		"the server's certificate is not valid yet: is the clock right?"},
	/* What on_server_name says; the authorities above were found good. */
	{X509_V_ERR_CERT_REJECTED, "the server's certificate has another name"},
	{X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, UNBELIEVED},
	{X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, UNBELIEVED},
	{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, UNBELIEVED},
	{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, UNBELIEVED},
	{X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, UNBELIEVED},
	{X509_V_ERR_CERT_SIGNATURE_FAILURE, UNBELIEVED},
	{0, NULL},
};

/* Of the server's (RFC 8446 6, RFC 4279 2). */
static const struct reason alerts[] = {
	{SSL_AD_UNKNOWN_PSK_IDENTITY, "the server does not know that identity"},
	{SSL_AD_DECRYPT_ERROR, "the server has another key"},
	{SSL_AD_BAD_RECORD_MAC, "the server has another key"},
	{SSL_AD_CERTIFICATE_EXPIRED, "the server says that our certificate has expired"},
	{SSL_AD_UNKNOWN_CA, "the server does not believe the authority of our certificate"},
	{SSL_AD_BAD_CERTIFICATE, "the server does not take our certificate"},
	{SSL_AD_UNSUPPORTED_CERTIFICATE, "the server does not take our certificate"},
	{SSL_AD_CERTIFICATE_REVOKED, "the server does not take our certificate"},
	{SSL_AD_CERTIFICATE_UNKNOWN, "the server does not take our certificate"},
	{SSL_AD_ACCESS_DENIED, "the server does not take our certificate"},
	{TLS13_AD_CERTIFICATE_REQUIRED, "the server wants a certificate of ours"},
	{SSL_AD_HANDSHAKE_FAILURE,
		"the server wants something else: a certificate, a key, or another cipher"},
	{SSL_AD_PROTOCOL_VERSION, "the server speaks another version of TLS"},
	{0, NULL},
};

/* As a server: what was wrong with the client's certificate, or with what else it showed. */
static const struct reason judgements[] = {
	{X509_V_ERR_CERT_HAS_EXPIRED, "its certificate has expired"},
	{X509_V_ERR_CERT_REJECTED, "its certificate is nobody's"},
	{X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, STRANGE},
	{X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, STRANGE},
	{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, STRANGE},
	{X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, STRANGE},
	{X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, STRANGE},
	{X509_V_ERR_CERT_SIGNATURE_FAILURE, STRANGE},
	{0, NULL},
};

static const struct reason answers[] = {
	{SSL_AD_UNKNOWN_PSK_IDENTITY, "its identity is nobody's"},
	{SSL_AD_DECRYPT_ERROR, OTHER_KEY},
	{SSL_AD_BAD_RECORD_MAC, OTHER_KEY},
	{0, NULL},
};

static const char *
find(const struct reason *list, int code)
{
	while (list->text && list->code != code)
		list++;
	return list->text;
}

static void
on_message(int is_out, int version, int type, const void *p, size_t n, SSL *ssl, void *arg)
{
	struct coapd *c = arg;
	const uint8_t *b = p;
	long verified;

	(void)version;
	if (type != SSL3_RT_ALERT || n != 2 || b[0] != SSL3_AL_FATAL || c->why)
		return;
	if (!is_out) {
		c->why = SSL_is_server(ssl) ? SSL_alert_desc_string_long(b[1]) : find(alerts, b[1]);
		return;
	}
	verified = SSL_get_verify_result(ssl);
	if (verified != X509_V_OK) {
		c->why = find(SSL_is_server(ssl) ? judgements : refusals, (int)verified);
		if (!c->why)
			c->why = X509_verify_cert_error_string(verified);
	} else if (SSL_is_server(ssl)) {
		c->why = find(answers, b[1]);
		if (!c->why)
			c->why = SSL_alert_desc_string_long(b[1]);
	}
}

void
coapd_alert_tell(struct coapd *c, const coap_session_t *session, const char *why)
{
	struct addr peer;

	c->stats.failed++;
	/* What is kept of a server is for who asks: coapd_why. */
	if (coap_session_get_type(session) == COAP_SESSION_TYPE_CLIENT)
		return;
	if (!why)
		why = c->why ? c->why : "it speaks something else";
	c->why = NULL;
	if (c->ops->on_refused && !c->closing &&
		addr_from_sockaddr(&coap_session_get_addr_remote(session)->addr.sa, &peer))
		c->ops->on_refused(c->ctx, &peer, why);
}

void
coapd_alert_listen(struct coapd *c)
{
	for (size_t i = 0; i < COAPD_SSL_CONTEXTS && c->ssl[i]; i++) {
		SSL_CTX_set_msg_callback(c->ssl[i], on_message);
		SSL_CTX_set_msg_callback_arg(c->ssl[i], c);
	}
}

const char *
coapd_why(const struct coapd *c)
{
	return c->why;
}
