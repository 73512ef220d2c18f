/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The drafts' examples as they are drawn, and what crosses the wire in them, byte
 * by byte: draft-tiloca-core-observe-multicast-notifications-01 section 4, and
 * "Example" of draft-ietf-core-observe-multicast-notifications.
 */
#include "broker_world.h"

#include "hex.h"
#include "wire/option.h"

#define C1 1
#define C2 2

/* Token, message ids and the first Observe number follow from bytes that are all ff. */
static void
setup(const char *group, unsigned generations)
{
	bw_init();
	bw.random_byte = 0xff;
	bw_group(group, 1)->generations = generations;
	bw_start();
	bw_topic("r", "1234");
}

/* The phantom: NON GET, message id 8000, token ffffffff, Observe 0, Uri-Path ps, data, r. */
#define PHANTOM "54 01 8000 ffffffff 60 52 7073 04 64617461 01 72"

START_TEST(section_4_of_the_seed)
{
	struct msg inform, notification;
	struct inform in;

	setup("239.255.17.4", INFORM_SEED);

	/*
	 * C_1 --- [ Unicast ] ---> S /r     GET  Token: 0x4a  Observe: 0 (Register)
	 *     (S allocates the available Token value 0xff .)
	 *     (S sends to itself a phantom observation request Ph_req
	 *      as coming from the IP multicast address M_addr .)
	 *     (S creates a group observation of /r .)
	 */
	bw_in(C1, "NON GET /ps/data/r o=0 t=4a");
	ck_assert_uint_eq(bw_stats().group_observations, 1);

	/*
	 * C_1 <--- [ Unicast ] --- S        5.03  Token: 0x4a
	 *     Payload: { address : M_addr , registr : Ph_req , res : "1234" }
	 */
	bw_expect("i1 ");
	inform = bw_last(C1);
	hex_expect(bytes_of(bw_datagram(C1)->bytes, bw_datagram(C1)->n),
		"41 a3 0000 4a c13c 20 ff"
		"a3 67 61646472657373 44 efff1104"
		"67 72656769737472 53" PHANTOM "63 726573 44 31323334");
	in = bw_inform(C1);
	ck_assert_uint_eq(in.generations, INFORM_SEED);
	ck_assert_uint_eq(in.client.port, 5683);
	ck_assert(bytes_is(in.res, "1234"));
	bw_ack(C1);

	/* C_2 --- [ Unicast ] ---> S /r     GET  Token: 0x01  Observe: 0 (Register) */
	bw_in(C2, "NON GET /ps/data/r o=0 t=01");

	/* C_2 <--- [ Unicast ] --- S        5.03  Token: 0x01  the same payload */
	bw_expect("i2 ");
	hex_expect(bw_last(C2).token.n ? bytes_of(bw_last(C2).token.b, 1) : BYTES_NONE, "01");
	ck_assert(bytes_equal(bw_last(C2).payload, bw_last(C1).payload));
	bw_ack(C2);
	ck_assert_uint_eq(bw_stats().observers, 0);

	/*
	 *     (The value of the resource /r changes to "5678".)
	 * C_1
	 *  +  <--- [ Multicast ] --- S      (Destination address: M_addr)
	 * C_2                               2.05  Token: 0xff  Observe: ..  Payload: "5678"
	 */
	bw_in(3, "PUT /ps/data/r '5678'");
	bw_expect("3=2.04 *:5678 ");
	notification = bw_last_to_group(0);
	hex_expect(bytes_of(notification.token.b, notification.token.n), "ffffffff");
	ck_assert_int_eq(bw_option(&notification, OPT_OBSERVE), 2);
	ck_assert_uint_eq(inform.token.n, 1);
	bw_stop();
}

/* "Example": confirmable registrations, so with empty ACKs, and over IPv6. */
START_TEST(example_of_the_current_draft)
{
	struct msg m;
	struct inform in;

	setup("[ff35:30:2001:db8::23]:61616", INFORM_CURRENT);
	bw.family = AF_INET6;

	/* C1 ---> S /r     GET  Token: 0x4a  Observe: 0 (register)  Uri-Path: "r" */
	bw_in(C1, "GET /ps/data/r o=0 t=4a");
	/* C1 <--- S        5.03  Token: 0x4a  Max-Age: 0  { tp_info, last_notif } */
	bw_expect("a6.1 i6.1 ");
	in = bw_inform(C1);
	ck_assert(bytes_equal(in.last_notif, bytes_of(in.last_notif.p, 19)));
	bw_ack(C1);

	/* C2 ---> S /r     GET  Token: 0x01 */
	bw_in(C2, "GET /ps/data/r o=0 t=01");
	bw_expect("a6.2 i6.2 ");
	ck_assert(bytes_equal(bw_last(C2).payload, bw_last(C1).payload));
	bw_ack(C2);

	/* ( The representation of the resource /r changes to "5678" ) */
	bw_in(3, "PUT /ps/data/r '5678'");
	/* C1, C2 <--- [ Multicast ] --- S   2.05  Token  Observe  Payload: "5678" */
	bw_expect("6.3=2.04 *:5678 ");
	m = bw_last_to_group(0);
	ck_assert(addr_equal(&bw_datagram_to_group(0)->group_way.source, &in.server));
	ck_assert(token_equal(&m.token, &in.token));
	bw_stop();
}

/* The ETag of /r as hex. */
static const char *
etag_of_r(void)
{
	static char text[17];
	struct buf hex = buf_of(text, sizeof(text));
	struct msg m;

	bw_in(9, "GET /ps/data/r");
	m = bw_last(9);
	buf_put_hex(&hex, bw_etag(&m));
	(void)bw_said();
	return buf_str(&hex);
}

static void
expect_payload(unsigned peer, const char *head, const char *tail)
{
	char text[1024];
	struct buf all = buf_of(text, sizeof(text));

	buf_printf(&all, "%s%s%s", head, etag_of_r(), tail);
	hex_expect(bw_last(peer).payload, buf_str(&all));
}

/*
 * The current map: 0 tp_info, with the CRIs of server and client and the token; 1
 * ph_req; 2 last_notif: 2.05, ETag, Observe 1, Max-Age 60, payload.
 */
#define TP_INFO                                                \
	"00 83 82 20 81 50 fd010000000000000000000000000001"   \
	"82 20 82 50 ff35003020010db80000000000000023 19 f0b0" \
	"44 ffffffff"
#define PH_REQ "01 4c 01 60 52 7073 04 64617461 01 72"

START_TEST(current_bytes)
{
	setup("[ff35:30:2001:db8::23]:61616", INFORM_CURRENT);
	bw.family = AF_INET6;
	bw_in(C1, "GET /ps/data/r o=0 t=4a");
	expect_payload(C1, "a3" TP_INFO PH_REQ "02 53 45 48", "21 01 81 3c ff 31323334");
	hex_expect(bytes_of(bw_datagram(C1)->bytes, 10), "41 a3 0000 4a c2fde9 20 ff");
	bw_stop();
}

/* Both generations in one map; "port", since it is not 5683. */
START_TEST(both_bytes)
{
	setup("[ff35:30:2001:db8::23]:61616", INFORM_BOTH);
	bw.family = AF_INET6;
	bw_in(C1, "GET /ps/data/r o=0 t=4a");
	expect_payload(C1, "a7" TP_INFO PH_REQ "02 53 45 48",
		"21 01 81 3c ff 31323334"
		"67 61646472657373 50 ff35003020010db80000000000000023"
		"67 72656769737472 53" PHANTOM "63 726573 44 31323334"
		"64 706f7274 19 f0b0");
	bw_stop();
}

/* A notification on the wire, and the cancellation. */
START_TEST(notification_bytes)
{
	char text[256];
	struct buf expected = buf_of(text, sizeof(text));

	setup("239.255.17.4", INFORM_BOTH);
	bw_in(C1, "GET /ps/data/r o=0 t=4a");
	bw_in(3, "PUT /ps/data/r ct=0 '5678'");
	ck_assert_uint_eq(bw_stats().publishes_refused, 1);
	bw_in(3, "PUT /ps/data/r '5678'");
	/* NON 2.05, message id, token, ETag, Observe 2, Max-Age 60, payload. */
	buf_printf(&expected, "54 45 8001 ffffffff 48 %s 21 02 81 3c ff 35363738", etag_of_r());
	hex_expect(bytes_of(bw_datagram_to_group(0)->bytes, bw_datagram_to_group(0)->n),
		buf_str(&expected));
	bw_in(3, "DELETE /ps/data/r");
	hex_expect(bytes_of(bw_datagram_to_group(0)->bytes, bw_datagram_to_group(0)->n),
		"54 a3 8002 ffffffff");
	bw_stop();
}

static Suite *
suite(void)
{
	Suite *s = suite_create("figure");
	TCase *t = tcase_create("figure");

	tcase_add_test(t, section_4_of_the_seed);
	tcase_add_test(t, example_of_the_current_draft);
	tcase_add_test(t, current_bytes);
	tcase_add_test(t, both_bytes);
	tcase_add_test(t, notification_bytes);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
