/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys and certificates of the libcoap adapter. */
#include "base/rnd.h"
#include "transport/certificate.h"
#include "transport/coapd_impl.h"
#include "transport/pemfiles.h"

#define CN_MAX 256 /* bytes of a common name; RFC 5280 allows 64 characters */

static struct bytes
bytes_of_bin(const coap_bin_const_t *b)
{
	return bytes_of(b->s, b->length);
}

/* A renegotiation may not make somebody else of an open session. */
static bool
is_decided(const coap_session_t *session)
{
	return coapd_session_of(session) != NULL;
}

static const coap_bin_const_t *
on_identity(coap_bin_const_t *identity, coap_session_t *session, void *arg)
{
	struct coapd *c = arg;
	struct bytes key;
	uint32_t who;

	if (is_decided(session) || !c->ops->subject_psk ||
		!c->ops->subject_psk(c->ctx, bytes_of_bin(identity), &who, &key))
		return NULL;
	coapd_session_note_who(session, who);
	coapd_ssl_watch(session);
	c->key = (coap_bin_const_t){.length = key.n, .s = key.p};
	return &c->key;
}

/*
 * With certificates as well, libcoap looks for pre-shared keys in a ClientHello only if it
 * has one of its own. This one is random, and nobody's: on_identity has the say.
 */
void
coapd_tls_accept_psk(struct coapd *c)
{
	coap_dtls_spsk_t setup = {
		.version = COAP_DTLS_SPSK_SETUP_VERSION,
		.validate_id_call_back = on_identity,
		.id_call_back_arg = c,
		.psk_info.key = {.length = sizeof(c->no_key), .s = c->no_key},
	};

	rnd_fill(c->no_key, sizeof(c->no_key));
	if (c->ops->subject_psk)
		(void)coap_context_set_psk2(c->coap, &setup);
}

/* Called for every certificate of the chain that is good otherwise, the peer's own last. */
static int
on_client_name(const char *cn, const uint8_t *der, size_t n_der, coap_session_t *session,
	unsigned depth, int validated, void *arg)
{
	uint8_t space[CN_MAX];
	struct buf name = BUF_OF(space);
	struct coapd *c = arg;
	uint32_t who;

	/* What libcoap takes for it may be another name, or a part of one. */
	(void)cn;
	if (depth > 0)
		return 1;
	if (!validated || is_decided(session) || !c->ops->subject_cn ||
		!certificate_cn(bytes_of(der, n_der), &name) ||
		!c->ops->subject_cn(c->ctx, buf_bytes(&name), &who))
		return 0;
	coapd_session_note_who(session, who);
	return 1;
}

static const coap_dtls_cpsk_info_t *
on_hint(coap_str_const_t *hint, coap_session_t *session, void *arg)
{
	(void)hint;
	coapd_session_note_answer(session);
	return arg;
}

static int
on_server_name(const char *cn, const uint8_t *der, size_t n_der, coap_session_t *session,
	unsigned depth, int validated, void *arg)
{
	const struct coapd_credentials *how = arg;

	(void)cn;
	coapd_session_note_answer(session);
	if (depth > 0)
		return 1;
	return validated && how->server_name &&
	       certificate_is_for(bytes_of(der, n_der), how->server_name);
}

static coap_dtls_pki_t
pki_of(const struct coapd_certificate *cert)
{
	return (coap_dtls_pki_t){
		.version = COAP_DTLS_PKI_SETUP_VERSION,
		/* Both: libcoap loads the authorities for one, and enforces them for the other. */
		.verify_peer_cert = cert->ca != NULL,
		.check_common_ca = cert->ca != NULL,
		.cert_chain_validation = 1,
		.cert_chain_verify_depth = 3,
		.pki_key =
			{
				.key_type = COAP_PKI_KEY_PEM,
				.key.pem = {.ca_file = cert->ca,
					.public_cert = cert->file,
					.private_key = cert->key},
			},
	};
}

/*
 * A PEM file may have the certificates that lead to an authority, after our own. Who comes with
 * a pre-shared key does without all of them.
 */
static int
on_setup(void *tls, coap_dtls_pki_t *setup)
{
	const struct coapd *c = setup->cn_call_back_arg;

	coapd_ssl_show_chain(tls, c->shown->chain);
	return 1;
}

int
coapd_tls_certify(struct coapd *c)
{
	static const struct coapd_certificate no_files;
	coap_dtls_pki_t setup = pki_of(&no_files);
	coap_pki_key_pem_buf_t *pem = &setup.pki_key.key.pem_buf;

	/* libcoap would read files at each handshake. */
	setup.pki_key.key_type = COAP_PKI_KEY_PEM_BUF;
	*pem = (coap_pki_key_pem_buf_t){.ca_cert = c->shown->ca.p,
		.public_cert = c->shown->file.p,
		.private_key = c->shown->key.p,
		.ca_cert_len = c->shown->ca.n,
		.public_cert_len = c->shown->file.n,
		.private_key_len = c->shown->key.n};
	setup.verify_peer_cert = setup.check_common_ca = c->shown->ca.p != NULL;
	setup.validate_cn_call_back = on_client_name;
	setup.cn_call_back_arg = c;
	setup.additional_tls_setup_call_back = on_setup;
	return coap_context_set_pki(c->coap, &setup) ? 0 : -1;
}

static coap_session_t *
connect_psk(struct coapd *c, coap_proto_t proto, const coap_address_t *local,
	const coap_address_t *server, const struct coapd_credentials *how)
{
	coap_dtls_cpsk_t setup = {
		.version = COAP_DTLS_CPSK_SETUP_VERSION,
		.psk_info = {.identity = {.length = how->psk_identity.n, .s = how->psk_identity.p},
			.key = {.length = how->psk_key.n, .s = how->psk_key.p}},
	};

	/* Borrowed for as long as the session lasts. */
	c->psk = setup.psk_info;
	setup.validate_ih_call_back = on_hint;
	setup.ih_call_back_arg = &c->psk;
	return coap_new_client_session_psk2(c->coap, local, server, proto, &setup);
}

static coap_session_t *
connect_pki(struct coapd *c, coap_proto_t proto, const coap_address_t *local,
	const coap_address_t *server, const struct coapd_credentials *how)
{
	coap_dtls_pki_t setup = pki_of(&how->certificate);
	char sni[256];

	if (how->certificate.file)
		coapd_ssl_show_chains(c, how->certificate.file);
	if (how->server_name) {
		(void)snprintf(sni, sizeof(sni), "%s", how->server_name);
		setup.client_sni = sni;
	}
	setup.validate_cn_call_back = on_server_name;
	/* Read during the handshake only. */
	setup.cn_call_back_arg = (void *)(uintptr_t)how;
	return coap_new_client_session_pki(c->coap, local, server, proto, &setup);
}

coap_session_t *
coapd_tls_connect(struct coapd *c, coap_proto_t proto, const coap_address_t *local,
	const coap_address_t *server, const struct coapd_credentials *how)
{
	if (proto == COAP_PROTO_TCP)
		return coap_new_client_session(c->coap, local, server, proto);
	c->why = NULL;
	if (how->psk_key.n > 0)
		return connect_psk(c, proto, local, server, how);
	return connect_pki(c, proto, local, server, how);
}
