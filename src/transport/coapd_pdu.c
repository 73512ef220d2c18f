/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages of the libcoap adapter: libcoap's form and that of a datagram. */
#include "transport/coapd_impl.h"
#include "wire/codec.h"
#include "wire/msg.h"

/* Options and payload, as a datagram has them behind the token. */
static void
put_tail(struct buf *out, const coap_pdu_t *pdu)
{
	coap_opt_iterator_t it;
	const coap_opt_t *o;
	const uint8_t *data;
	size_t n_data;
	uint16_t last = 0;

	(void)coap_option_iterator_init(pdu, &it, COAP_OPT_ALL);
	while ((o = coap_option_next(&it)) != NULL) {
		codec_put_option(out, (uint16_t)(it.number - last),
			bytes_of(coap_opt_value(o), coap_opt_length(o)));
		last = it.number;
	}
	if (coap_get_data(pdu, &n_data, &data) && n_data > 0) {
		buf_put_u8(out, 0xff);
		buf_put(out, bytes_of(data, n_data));
	}
}

/* Hands a message over; false when it is too long to be one. */
static bool
hand_over(struct coapd_session *s, const coap_pdu_t *pdu, enum msg_type type, uint16_t mid)
{
	struct coapd *c = s->c;
	coap_bin_const_t t = coap_pdu_get_token(pdu);
	struct token token = token_of(bytes_of(t.s, t.length));
	struct buf in = BUF_OF(c->in_bytes);
	struct path way = s->way;

	s->heard_ms = uv_now(c->loop);
	msg_put_header(&in, type, (uint8_t)coap_pdu_get_code(pdu), mid, &token);
	put_tail(&in, pdu);
	if (in.full)
		return false;
	c->stats.received++;
	c->n_batch++;
	c->ops->on_datagram(c->ctx, &way, buf_bytes(&in));
	return true;
}

static void
on_request(coap_resource_t *resource, coap_session_t *session, const coap_pdu_t *request,
	const coap_string_t *query, coap_pdu_t *response)
{
	struct coapd_session *s = coapd_session_of(session);
	struct coapd *c = coapd_of(session);
	enum msg_type type = (enum msg_type)coap_pdu_get_type(request);

	(void)resource;
	(void)query;
	/* RFC 8323 5.3: nothing comes before the settings; a client of ours serves nothing. */
	if (!s || s->is_client || c->closing)
		return;
	c->asked = (struct coapd_asked){.session = s, .response = response};
	if (path_is_reliable(&s->way)) {
		type = TYPE_CON;
		c->asked.mid = ++s->mid;
	} else {
		c->asked.mid = (uint16_t)coap_pdu_get_mid(request);
	}
	if (!hand_over(s, request, type, c->asked.mid))
		coap_pdu_set_code(response, COAP_RESPONSE_CODE_REQUEST_TOO_LARGE);
	c->asked.session = NULL;
}

static coap_response_t
on_response(coap_session_t *session, const coap_pdu_t *sent, const coap_pdu_t *received,
	const coap_mid_t mid)
{
	struct coapd_session *s = coapd_session_of(session);
	struct coapd *c = coapd_of(session);
	bool is_con =
		s && !path_is_reliable(&s->way) && coap_pdu_get_type(received) == COAP_MESSAGE_CON;

	(void)sent;
	if (!s || c->closing)
		return COAP_RESPONSE_FAIL;
	/* What it acknowledges is acknowledged already, see carrier_nack. */
	c->asked = (struct coapd_asked){.session = s, .mid = is_con ? (uint16_t)mid : ++s->mid};
	(void)hand_over(s, received, is_con ? TYPE_CON : TYPE_NON, c->asked.mid);
	c->asked.session = NULL;
	return c->asked.rejected ? COAP_RESPONSE_FAIL : COAP_RESPONSE_OK;
}

void
coapd_pdu_register(struct coapd *c)
{
	static const uint16_t critical[] = {OPT_OSCORE};
	static const coap_request_t methods[] = {COAP_REQUEST_GET, COAP_REQUEST_POST,
		COAP_REQUEST_PUT, COAP_REQUEST_DELETE, COAP_REQUEST_FETCH, COAP_REQUEST_PATCH,
		COAP_REQUEST_IPATCH};
	/* libcoap would answer for .well-known/core by itself. */
	coap_resource_t *r[] = {coap_resource_unknown_init2(on_request, 0),
		coap_resource_init(coap_make_str_const(".well-known/core"), 0)};

	for (size_t i = 0; i < sizeof(r) / sizeof(r[0]); i++) {
		for (size_t m = 0; m < sizeof(methods) / sizeof(methods[0]); m++)
			coap_register_request_handler(r[i], methods[m], on_request);
		coap_add_resource(c->coap, r[i]);
	}
	for (size_t i = 0; i < sizeof(critical) / sizeof(critical[0]); i++)
		coap_register_option(c->coap, critical[i]);
	coap_register_response_handler(c->coap, on_response);
}

/* The answer, into the message that libcoap has for it. */
static void
fill_response(struct coapd *c, const struct msg *m)
{
	coap_pdu_t *to = c->asked.response;
	bool fits = c->out.n <= coap_session_max_pdu_size(c->asked.session->coap);

	coap_pdu_set_code(to, fits ? m->code : COAP_RESPONSE_CODE_INTERNAL_ERROR);
	for (size_t i = 0; fits && i < m->n_opts; i++)
		(void)coap_add_option(
			to, m->opts[i].number, m->opts[i].value.n, m->opts[i].value.p);
	if (fits && m->payload.n > 0)
		(void)coap_add_data(to, m->payload.n, m->payload.p);
	/* Another message under this id is none of libcoap's. */
	c->asked.session = NULL;
}

static void
send_message(struct coapd_session *s, struct bytes datagram)
{
	coap_pdu_t *pdu = coap_pdu_init(COAP_MESSAGE_NON, 0, 0, datagram.n);

	if (!pdu)
		return;
	if (!coap_pdu_parse(COAP_PROTO_UDP, datagram.p, datagram.n, pdu)) {
		coap_delete_pdu(pdu);
		s->c->stats.dropped++;
		return;
	}
	if (coap_send(s->coap, pdu) == COAP_INVALID_MID)
		s->c->stats.dropped++;
}

/* Acknowledgements and rejections are libcoap's, but for what they depend on. */
static void
send_empty(struct coapd *c, struct coapd_session *s, const struct msg *m)
{
	if (path_is_reliable(&s->way) || m->type != TYPE_RST)
		return;
	if (c->asked.session == s && c->asked.mid == m->mid && !c->asked.response)
		c->asked.rejected = true;
	else
		send_message(s, buf_bytes(&c->out));
}

void
coapd_pdu_send(struct coapd *c)
{
	struct coapd_session *s = c->to;
	struct msg m;

	if (msg_decode(buf_bytes(&c->out), &m) != MSG_OK) {
		c->stats.dropped++;
		return;
	}
	if (m.code == CODE_EMPTY) {
		send_empty(c, s, &m);
		return;
	}
	c->stats.sent++;
	if (m.type == TYPE_ACK && c->asked.session == s && c->asked.mid == m.mid)
		fill_response(c, &m);
	else
		send_message(s, buf_bytes(&c->out));
	coapd_session_charge(s, c->out.n);
}
