/* SPDX-License-Identifier: BSD-2-Clause */
/* OSCORE between message layer and router (RFC 8613 8.2, 8.3, B.1.2): net/guard.c. */
#include "net/guard.h"
#include "net/shields.h"

#include "oscore/context_table.h"
#include "oscore/protect.h"
#include "oscore/unprotect.h"
#include "unit.h"

static const char conf_text[] =
	"identities: [ { name: panel, oscore: { sender-id: hex:03, recipient-id: hex:01, "
	"master-secret: hex:0102030405060708090a0b0c0d0e0f10, master-salt: hex:9e7c } } ]\n";

static struct conf *conf;
static struct subjects *subjects;
static struct guard *guard;
static struct layer *layer;
static struct context *client;
static struct ssn *client_ssn;
static struct path way;
static uint8_t out_room[2048], request_room[2048], plain_room[PROTECT_MAX_PLAIN];
static struct buf out, request;
static unsigned n_sent, n_run;
static struct shield *kept; /* of an observation */
static bool keeps, observes;
static uint16_t mid;
static bool starts; /* the numbers do */
static bool reserves; /* they are durable at once */
static unsigned n_retries;
static struct window kept_window; /* by the last stop */
static bool has_window;
static uint8_t loaded_print[SSN_FINGERPRINT];

static struct buf *
on_open(void *ctx, const struct path *to)
{
	(void)ctx;
	(void)to;
	buf_clear(&out);
	return &out;
}

static void
on_commit(void *ctx)
{
	(void)ctx;
	n_sent++;
}

static void
on_random(void *ctx, void *p, size_t n)
{
	(void)ctx;
	memset(p, 7, n);
}

static void
on_layer_request(void *ctx, struct request *r)
{
	(void)ctx;
	if (msg_has(r->msg, OPT_OSCORE))
		guard_request(guard, r);
	else
		request_reply_code(r, CODE_UNAUTHORIZED);
}

static const struct layer_ops layer_ops = {.open = on_open,
	.commit = on_commit,
	.random = on_random,
	.on_request = on_layer_request,
	.shields = &shields_ops};

static void
on_request(void *ctx, struct request *r)
{
	struct msg m;

	(void)ctx;
	n_run++;
	ck_assert_str_eq(subjects_name(subjects, r->who), "panel");
	ck_assert(request_is_protected(r));
	ck_assert_int_eq(r->msg->code, CODE_GET);
	msg_init(&m, TYPE_ACK, CODE_CONTENT);
	if (keeps) {
		if (observes)
			(void)msg_add_uint(&m, OPT_OBSERVE, 5);
		kept = r->shield;
		layer_shield_hold(layer, kept);
	}
	m.payload = BYTES_LIT("value");
	request_reply(r, &m);
}

static void
on_reserve(void *ctx, struct ssn *s, uint64_t upto)
{
	(void)ctx;
	if (reserves)
		ssn_reserved(s, upto);
}

static const struct ssn_ops ssn_ops = {.reserve = on_reserve};

static struct ssn *
on_ssn(void *ctx, const uint8_t fingerprint[SSN_FINGERPRINT])
{
	struct ssn *s = ssn_new(fingerprint, &ssn_ops, NULL);
	struct error e;

	(void)ctx;
	if (starts)
		ck_assert_int_eq(ssn_start_fresh(s, &e), 0);
	return s;
}

static void
on_retry(void *ctx)
{
	(void)ctx;
	n_retries++;
}

static void
on_load_window(void *ctx, const uint8_t fingerprint[SSN_FINGERPRINT], struct window *w)
{
	(void)ctx;
	memcpy(loaded_print, fingerprint, SSN_FINGERPRINT);
	if (has_window)
		*w = kept_window;
}

static void
on_save_window(void *ctx, const uint8_t fingerprint[SSN_FINGERPRINT], const struct window *w)
{
	(void)ctx;
	ck_assert_mem_eq(fingerprint, loaded_print, SSN_FINGERPRINT);
	kept_window = *w;
	has_window = true;
}

static const struct guard_ops guard_ops = {.ssn = on_ssn,
	.retry = on_retry,
	.load_window = on_load_window,
	.save_window = on_save_window,
	.on_request = on_request};

static void
setup_guard(void)
{
	struct error e = {.text = ""};

	guard = guard_new(conf, subjects, &guard_ops, NULL, &e);
	ck_assert_msg(guard != NULL, "%s", e.text);
}

static void
setup(void)
{
	static const struct layer_limits limits = {.peers = 10, .exchanges = 10};
	const struct conf_oscore *o;
	struct context_plain plain = {.window_valid = true};
	uint8_t print[SSN_FINGERPRINT];
	struct error e = {.text = ""};

	ck_assert_msg(conf_parse(BYTES_LIT(conf_text), "f", &conf, &e) == 0, "%s", e.text);
	subjects = subjects_new();
	starts = true;
	reserves = true;
	has_window = false;
	setup_guard();
	layer = layer_new(&layer_ops, NULL, &limits, 1000);
	o = conf->identities[0].oscore;
	plain.master_secret = o->master_secret;
	plain.master_salt = o->master_salt;
	plain.sender_id = o->recipient_id;
	plain.recipient_id = o->sender_id;
	ck_assert_int_eq(ssn_fingerprint(o->master_secret, o->master_salt, BYTES_NONE,
				 o->recipient_id, print),
		0);
	client_ssn = plain.ssn = ssn_new(print, &ssn_ops, NULL);
	ck_assert_int_eq(ssn_start_fresh(plain.ssn, &e), 0);
	ck_assert_msg(context_new_plain(&plain, &e, &client) == 0, "%s", e.text);
	ck_assert_int_eq(addr_parse("10.0.0.1:1", 0, &way.remote), 0);
	ck_assert_int_eq(addr_parse("10.0.0.9", 5683, &way.local), 0);
	out = BUF_OF(out_room);
	request = BUF_OF(request_room);
	n_sent = n_run = 0;
	n_retries = 0;
	keeps = false;
	observes = true;
	kept = NULL;
}

static void
teardown(void)
{
	layer_shield_release(layer, kept);
	layer_free(layer);
	guard_free(guard);
	subjects_free(subjects);
	context_release(client);
	ssn_release(client_ssn);
	conf_free(conf);
}

/* A protected GET; `echo` may be empty. */
static void
protect(bool observe, struct bytes echo, struct oscore_binding *ret)
{
	uint8_t bytes[2048], code;
	struct buf tail = BUF_OF(bytes);
	struct token token = {.n = 1, .b = {9}};
	struct msg m;

	msg_init(&m, TYPE_CON, CODE_GET);
	if (observe)
		(void)msg_add_uint(&m, OPT_OBSERVE, 0);
	(void)msg_add(&m, OPT_URI_PATH, BYTES_LIT("t"));
	if (echo.n > 0)
		(void)msg_add(&m, OPT_ECHO, echo);
	ck_assert_int_eq(
		protect_request(client, OSCORE_PLAIN, BYTES_NONE, &m, &tail, &code, ret), 0);
	buf_clear(&request);
	msg_put_header(&request, TYPE_CON, code, ++mid, &token);
	buf_put(&request, buf_bytes(&tail));
}

/* What was sent, as the client reads it; the code of an unprotected one. */
static uint8_t
answer(struct oscore_binding *binding, struct msg *ret)
{
	struct buf plain = BUF_OF(plain_room);
	struct unprotect_info info;
	struct msg m;

	ck_assert_int_eq(msg_decode(buf_bytes(&out), &m), MSG_OK);
	*ret = m;
	if (msg_has(&m, OPT_OSCORE))
		ck_assert_int_eq(
			unprotect_response(binding, NULL, &m, &plain, ret, &info), UNPROTECT_OK);
	return ret->code;
}

/* Past the Echo of a start: RFC 8613 B.1.2. */
static void
synchronise(void)
{
	struct oscore_binding binding = {0};
	uint8_t bytes[40];
	struct buf echo = BUF_OF(bytes);
	struct msg m;

	protect(false, BYTES_NONE, &binding);
	layer_receive(layer, &way, buf_bytes(&request));
	ck_assert_int_eq(answer(&binding, &m), CODE_UNAUTHORIZED);
	ck_assert_uint_eq(n_run, 0);
	buf_put(&echo, msg_find(&m, OPT_ECHO)->value);
	binding_fini(&binding);
	protect(false, buf_bytes(&echo), &binding);
	layer_receive(layer, &way, buf_bytes(&request));
	ck_assert_int_eq(answer(&binding, &m), CODE_CONTENT);
	ck_assert_uint_eq(n_run, 1);
	binding_fini(&binding);
}

START_TEST(rfc8613_b_1_2_the_first_request_has_to_echo)
{
	struct oscore_binding binding = {0};
	struct guard_stats stats;
	struct msg m;

	synchronise();
	protect(false, BYTES_NONE, &binding);
	layer_receive(layer, &way, buf_bytes(&request));
	ck_assert_int_eq(answer(&binding, &m), CODE_CONTENT);
	ck_assert(bytes_is(m.payload, "value"));
	binding_fini(&binding);
	guard_stats(guard, &stats);
	ck_assert_uint_eq(stats.challenged, 1);
	ck_assert_uint_eq(stats.requests, 2);
	ck_assert_uint_eq(stats.shields, 0);
}
END_TEST

/* One that is changed at some place gets this error, unprotected, with Max-Age 0. */
static void
assert_refused(uint8_t code)
{
	uint32_t max_age;
	struct msg m;
	unsigned before = n_run;

	layer_receive(layer, &way, buf_bytes(&request));
	ck_assert_int_eq(answer(NULL, &m), code);
	ck_assert(msg_uint(&m, OPT_MAX_AGE, &max_age) && max_age == 0);
	ck_assert_uint_eq(n_run, before);
}

START_TEST(rfc8613_8_2_errors_are_unprotected)
{
	struct oscore_binding binding = {0};
	struct guard_stats stats;

	synchronise();
	/* A replay, in a message of its own. */
	request.p[3]++;
	mid++;
	assert_refused(CODE_UNAUTHORIZED);
	protect(false, BYTES_NONE, &binding);
	binding_fini(&binding);
	request.p[request.n - 1] ^= 1;
	assert_refused(CODE_BAD_REQUEST);
	/* Another kid. */
	protect(false, BYTES_NONE, &binding);
	binding_fini(&binding);
	for (size_t i = 5; i < 10; i++) {
		if (request.p[i] == 0xff) {
			request.p[i - 1] = 0x77;
			break;
		}
	}
	assert_refused(CODE_UNAUTHORIZED);
	guard_stats(guard, &stats);
	ck_assert_uint_eq(stats.refused, 3);
}
END_TEST

START_TEST(rfc8613_8_3_notifications_through_a_kept_shield)
{
	struct oscore_binding binding = {0};
	uint8_t bytes[256], code;
	struct token none = {0};
	struct msg m;

	synchronise();
	keeps = true;
	protect(true, BYTES_NONE, &binding);
	layer_receive(layer, &way, buf_bytes(&request));
	ck_assert_int_eq(answer(&binding, &m), CODE_CONTENT);
	for (uint32_t i = 0; i < 3; i++) {
		struct buf tail = BUF_OF(bytes);

		msg_init(&m, TYPE_NON, CODE_CONTENT);
		(void)msg_add_uint(&m, OPT_OBSERVE, 6 + i);
		m.payload = BYTES_LIT("news");
		ck_assert_int_eq(layer_protect(layer, kept, &m, &tail, &code), 0);
		buf_clear(&out);
		msg_put_header(&out, TYPE_NON, code, 1, &none);
		buf_put(&out, buf_bytes(&tail));
		ck_assert_int_eq(answer(&binding, &m), CODE_CONTENT);
		ck_assert(bytes_is(m.payload, "news"));
	}
	binding_fini(&binding);
}
END_TEST

/* What ends an observation has no Observe, and is still not the first answer. */
static void
assert_own_piv(struct oscore_binding *binding, uint8_t code)
{
	struct oscore_option option;
	uint8_t bytes[256], outer;
	struct buf tail = BUF_OF(bytes);
	struct token none = {0};
	struct msg m;

	msg_init(&m, TYPE_CON, (enum msg_code)code);
	ck_assert_int_eq(layer_protect(layer, kept, &m, &tail, &outer), 0);
	buf_clear(&out);
	msg_put_header(&out, TYPE_CON, outer, 1, &none);
	buf_put(&out, buf_bytes(&tail));
	ck_assert_int_eq(msg_decode(buf_bytes(&out), &m), MSG_OK);
	ck_assert_int_eq(oscore_option_decode(msg_find(&m, OPT_OSCORE)->value, &option), 0);
	ck_assert_uint_gt(option.piv.n, 0);
	ck_assert_int_eq(answer(binding, &m), code);
}

START_TEST(rfc8613_8_3_only_the_first_answer_has_no_piv)
{
	struct oscore_binding binding = {0};
	struct msg m;

	synchronise();
	keeps = true;
	observes = _i == 0;
	protect(true, BYTES_NONE, &binding);
	layer_receive(layer, &way, buf_bytes(&request));
	ck_assert_int_eq(answer(&binding, &m), CODE_CONTENT);
	/* With Observe it had one, without it the request's nonce is used up. */
	ck_assert(kept->binding.nonce_used == !observes);
	assert_own_piv(&binding, CODE_UNAVAILABLE);
	assert_own_piv(&binding, CODE_NOT_FOUND);
	binding_fini(&binding);
}
END_TEST

/* RFC 9175 2.4 in spirit: what cannot be opened costs nothing that lasts. */
START_TEST(nothing_is_kept_of_what_cannot_be_opened)
{
	struct oscore_binding binding = {0};
	struct msg m;

	protect(false, BYTES_NONE, &binding);
	binding_fini(&binding);
	request.p[request.n - 1] ^= 1;
	for (uint16_t i = 0; i < 30; i++) {
		way.remote.port = (uint16_t)(1000 + i);
		assert_refused(CODE_BAD_REQUEST);
		assert_refused(CODE_BAD_REQUEST);
	}
	ck_assert_uint_eq(layer_n_peers(layer), 0);
	ck_assert_uint_eq(layer_stats(layer)->duplicates, 0);
	synchronise();
	ck_assert_uint_eq(layer_n_peers(layer), 1);
	n_sent = 0;
	layer_receive(layer, &way, buf_bytes(&request));
	ck_assert_uint_eq(layer_stats(layer)->duplicates, 1);
	ck_assert_uint_eq(n_run, 1);
	ck_assert_uint_eq(n_sent, 1);
	/* Forgeries of an address that is known make no duplicates either. */
	protect(false, BYTES_NONE, &binding);
	request.p[request.n - 1] ^= 1;
	assert_refused(CODE_BAD_REQUEST);
	request.p[request.n - 1] ^= 1;
	layer_receive(layer, &way, buf_bytes(&request));
	ck_assert_int_eq(answer(&binding, &m), CODE_CONTENT);
	binding_fini(&binding);
}
END_TEST

/* Stops and starts the guard alone; whether cleanly. */
static void
restart(bool clean)
{
	if (clean)
		guard_stop(guard);
	else
		has_window = false;
	guard_free(guard);
	setup_guard();
}

START_TEST(rfc8613_7_5_a_window_holds_after_a_clean_stop)
{
	struct oscore_binding binding = {0};
	struct msg m;

	synchronise();
	restart(true);
	/* A replay of before is known as one, in a message of its own. */
	request.p[3]++;
	mid++;
	assert_refused(CODE_UNAUTHORIZED);
	protect(false, BYTES_NONE, &binding);
	layer_receive(layer, &way, buf_bytes(&request));
	ck_assert_int_eq(answer(&binding, &m), CODE_CONTENT);
	binding_fini(&binding);
}
END_TEST

START_TEST(rfc8613_b_1_2_a_window_is_lost_with_the_process)
{
	synchronise();
	restart(false);
	n_run = 0;
	synchronise();
}
END_TEST

/* Takes up another configuration. */
static void
reload(const char *text)
{
	struct guard_set *set = NULL;
	struct error e = {.text = ""};
	struct conf *fresh;

	ck_assert_msg(conf_parse(bytes_str(text), "f", &fresh, &e) == 0, "%s", e.text);
	ck_assert_int_eq(guard_prepare(guard, fresh, subjects, &set, &e), 0);
	guard_commit(guard, set);
	conf_free(fresh);
}

START_TEST(a_reload_keeps_the_windows_of_keys_that_stay)
{
	struct oscore_binding binding = {0};
	struct guard_set *set = NULL;
	struct error e;
	struct msg m;

	synchronise();
	ck_assert_int_eq(guard_prepare(guard, conf, subjects, &set, &e), 0);
	guard_abandon(set);
	reload(conf_text);
	request.p[3]++;
	mid++;
	assert_refused(CODE_UNAUTHORIZED);
	protect(false, BYTES_NONE, &binding);
	layer_receive(layer, &way, buf_bytes(&request));
	ck_assert_int_eq(answer(&binding, &m), CODE_CONTENT);
	binding_fini(&binding);

	/* Without its keys it is nobody; with them again it has to echo. */
	reload("identities: []\n");
	protect(false, BYTES_NONE, &binding);
	binding_fini(&binding);
	assert_refused(CODE_UNAUTHORIZED);
	reload(conf_text);
	n_run = 0;
	synchronise();
}
END_TEST

/* What is kept of it makes another process's notifications answers to the registration. */
START_TEST(rfc8613_8_3_notifications_after_a_restart)
{
	struct oscore_binding binding = {0};
	uint8_t bytes[256], code, print[SSN_FINGERPRINT];
	struct token none = {0};
	struct buf tail = BUF_OF(bytes);
	struct bytes kid, piv;
	struct shield *again;
	struct msg m;
	uint32_t who = 0;

	synchronise();
	keeps = true;
	protect(true, BYTES_NONE, &binding);
	layer_receive(layer, &way, buf_bytes(&request));
	ck_assert_int_eq(answer(&binding, &m), CODE_CONTENT);
	memcpy(print, ssn_fingerprint_of(context_ssn(kept->binding.context)), sizeof(print));
	kid = binding_kid(&kept->binding);
	piv = binding_piv(&kept->binding);
	again = guard_restore(guard, BYTES_OF(print), kid, piv, &who);
	ck_assert_ptr_nonnull(again);
	ck_assert_str_eq(subjects_name(subjects, who), "panel");
	/* Never under the nonce of the request, which the first answer of old may have had. */
	msg_init(&m, TYPE_NON, CODE_CONTENT);
	(void)msg_add_uint(&m, OPT_OBSERVE, 6);
	m.payload = BYTES_LIT("news");
	ck_assert_int_eq(layer_protect(layer, again, &m, &tail, &code), 0);
	buf_clear(&out);
	msg_put_header(&out, TYPE_NON, code, 1, &none);
	buf_put(&out, buf_bytes(&tail));
	ck_assert_int_eq(msg_decode(buf_bytes(&out), &m), MSG_OK);
	ck_assert_uint_gt(msg_find(&m, OPT_OSCORE)->value.n, 0);
	ck_assert_int_eq(answer(&binding, &m), CODE_CONTENT);
	ck_assert(bytes_is(m.payload, "news"));
	layer_shield_release(layer, again);

	/* Not for other keys, another peer, or what is no Partial IV. */
	ck_assert_ptr_null(guard_restore(guard, BYTES_OF(print), BYTES_LIT("\7"), piv, &who));
	ck_assert_ptr_null(guard_restore(guard, BYTES_OF(print), kid, BYTES_NONE, &who));
	ck_assert_ptr_null(guard_restore(guard, BYTES_OF(print), kid, BYTES_LIT("123456"), &who));
	print[0] ^= 1;
	ck_assert_ptr_null(guard_restore(guard, BYTES_OF(print), kid, piv, &who));
	binding_fini(&binding);
}
END_TEST

/* The first answer is given under the request's nonce, a challenge takes a number. */
START_TEST(numbers_that_cannot_start_are_tried_again)
{
	struct oscore_binding binding = {0};
	struct msg m;

	synchronise();
	starts = false;
	restart(true);
	protect(false, BYTES_NONE, &binding);
	layer_receive(layer, &way, buf_bytes(&request));
	ck_assert_int_eq(answer(&binding, &m), CODE_CONTENT);
	binding_fini(&binding);
	ck_assert_uint_eq(n_retries, 1);
	/* A registration takes one as well: nobody is left observing what cannot be sent. */
	protect(true, BYTES_NONE, &binding);
	n_run = 0;
	layer_receive(layer, &way, buf_bytes(&request));
	ck_assert_int_eq(answer(&binding, &m), CODE_UNAVAILABLE);
	ck_assert(bytes_is(m.payload, "No sequence numbers"));
	binding_fini(&binding);
	ck_assert_uint_eq(n_run, 0);
	restart(false);
	protect(false, BYTES_NONE, &binding);
	layer_receive(layer, &way, buf_bytes(&request));
	ck_assert_int_eq(answer(&binding, &m), CODE_UNAVAILABLE);
	ck_assert(msg_has(&m, OPT_MAX_AGE));
	binding_fini(&binding);
	ck_assert_uint_eq(n_retries, 3);
	/* To a group nothing is said. */
	way.multicast = true;
	protect(false, BYTES_NONE, &binding);
	n_sent = 0;
	layer_receive(layer, &way, buf_bytes(&request));
	ck_assert_uint_eq(n_sent, 0);
	binding_fini(&binding);
	way.multicast = false;
	/* They have begun, and the disk takes its time. */
	starts = true;
	reserves = false;
	restart(false);
	protect(false, BYTES_NONE, &binding);
	layer_receive(layer, &way, buf_bytes(&request));
	ck_assert_int_eq(answer(&binding, &m), CODE_UNAVAILABLE);
	ck_assert(msg_has(&m, OPT_MAX_AGE));
	binding_fini(&binding);
}
END_TEST

/* Anybody can say something in a peer's name, and guess its next message id. */
START_TEST(what_was_forged_makes_no_duplicate_of_what_is_protected)
{
	struct oscore_binding binding = {0};
	struct token token = {.n = 1, .b = {8}};
	struct msg m;

	synchronise();
	buf_clear(&request);
	msg_put_header(&request, TYPE_CON, CODE_POST, (uint16_t)(mid + 1), &token);
	layer_receive(layer, &way, buf_bytes(&request));
	ck_assert_int_eq(answer(NULL, &m), CODE_UNAUTHORIZED);
	protect(false, BYTES_NONE, &binding);
	layer_receive(layer, &way, buf_bytes(&request));
	ck_assert_int_eq(answer(&binding, &m), CODE_CONTENT);
	ck_assert_uint_eq(n_run, 2);
	/* It has duplicates of its own. */
	layer_receive(layer, &way, buf_bytes(&request));
	ck_assert_uint_eq(n_run, 2);
	ck_assert_uint_eq(n_sent, 5);
	binding_fini(&binding);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("guard");
	TCase *t = tcase_create("guard");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, rfc8613_b_1_2_the_first_request_has_to_echo);
	tcase_add_test(t, rfc8613_8_2_errors_are_unprotected);
	tcase_add_test(t, rfc8613_8_3_notifications_through_a_kept_shield);
	tcase_add_test(t, nothing_is_kept_of_what_cannot_be_opened);
	tcase_add_loop_test(t, rfc8613_8_3_only_the_first_answer_has_no_piv, 0, 2);
	tcase_add_test(t, rfc8613_7_5_a_window_holds_after_a_clean_stop);
	tcase_add_test(t, rfc8613_b_1_2_a_window_is_lost_with_the_process);
	tcase_add_test(t, a_reload_keeps_the_windows_of_keys_that_stay);
	tcase_add_test(t, rfc8613_8_3_notifications_after_a_restart);
	tcase_add_test(t, numbers_that_cannot_start_are_tried_again);
	tcase_add_test(t, what_was_forged_makes_no_duplicate_of_what_is_protected);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
