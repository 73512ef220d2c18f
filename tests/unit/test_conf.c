/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Configurations that are accepted: what comes out of them, in the struct and
 * printed, and what a daemon is told about them.
 */
#include <stdio.h>
#include <string.h>

#include "conf/conf.h"
#include "unit.h"

#define GROUP(more)                                                                              \
	"groups: [ { name: g, address: 239.1.2.3, interface: eth0, members: [ 10.0.0.0/8 ]" more \
	" } ]\n"

/* Every key once. */
static const char everything[] =
	"broker:\n"
	"  collection: /a/b\n"
	"  create-on-publish: yes\n"
	"  limits: { topics: 1, payload: 1K, memory: 2M, peers: 3, observers: 4, "
	"observers-per-peer: 5, exchanges: 16, bodies: 6, sessions: 7, "
	"handshakes: 9, unread: 32K, publish-rate: 8 }\n"
	"state: { directory: /tmp/s, commit-interval: 1500ms }\n"
	"listen: [ \"coap://[::1]\", \"coaps://10.0.0.1\", \"coap+tcp://[::]:1\", "
	"\"coaps+tcp://[::]\" ]\n"
	"discovery: { interfaces: eth0 }\n"
	"security: { nosec: allow, echo: always, certificate: { file: c, key: k, ca: a } }\n"
	"identities:\n"
	"  - { name: sensor-1, psk: { identity: s1, key: text:geheim } }\n"
	"  - { name: panel-1, oscore: { sender-id: \"hex:\", recipient-id: hex:01, master-secret: "
	"hex:0102, master-salt: hex:9e7c, id-context: \"hex:\" } }\n"
	"  - { name: gateway-2, certificate: { cn: gateway-2.example } }\n"
	"access:\n"
	"  - { who: sensor-*, topics: \"sensors/*\", may: publish }\n"
	"  - { who: \"*\", topics: [ a, b ], may: [ discover, read, subscribe, create, configure, "
	"delete ] }\n"
	"groups:\n"
	"  - name: hall\n"
	"    address: \"ff35:30:fd00::1\"\n"
	"    port: 61616\n"
	"    interface: eth0\n"
	"    hops: 5\n"
	"    topics: [ a, \"b/*\" ]\n"
	"    threshold: 3\n"
	"    cancel-below: 2\n"
	"    members: [ \"fd00::/16\" ]\n"
	"    source: fd00::1\n"
	"    informative-response: current\n"
	"    min-interval: 3s\n"
	"    max-age: 5m\n"
	"    datagram: 1024\n"
	"    large-values: traditional\n"
	"    feedback: { every: 10, confirmations: 4, wait: 6s, dampener: 2 }\n"
	"    oscore: hall-keys\n"
	"oscore-groups:\n"
	"  - name: hall-keys\n"
	"    managed: external\n"
	"    gid: hex:57ab2e\n"
	"    sender-id: hex:05\n"
	"    master-secret: text:0123456789abcdef\n"
	"    master-salt: hex:00\n"
	"    group-encryption-algorithm: A128CTR\n"
	"    signature-algorithm: ES256\n"
	"    hkdf: SHA-512\n"
	"    aead-algorithm: ChaCha20/Poly1305\n"
	"    pairwise-key-agreement-algorithm: ECDH-SS+HKDF-512\n"
	"    credential-format: x5chain\n"
	"    private-key: text:0123456789abcdef0123456789abcdef\n"
	"    credential: hex:a1\n"
	"    gm-credential: hex:a2\n"
	"    members: [ { name: lamp-25, sender-id: hex:25, credential: hex:a3 } ]\n"
	"    join-uri: coap://gm.example/ace-group/hall\n"
	"    group-name: hall\n"
	"    as-uri: coap://as.example/token\n"
	"    lifetime: 1h\n"
	"    group-mode-writes: on\n"
	"topics:\n"
	"  - { name: demo, content-format: 0, initialize: \"he\\0\\u2028\\\"\\\\\\xe4\\ufffe\" }\n"
	"metrics: { listen: \"[::1]:9683\" }\n"
	"protocol: { informative-response-format: 1, topic-format: 2, feedback-divider-option: "
	"2000 "
	"}\n"
	"log: { level: debug }\n";

static struct conf *
parse(const char *text)
{
	struct conf *c = NULL;
	struct error e = {.text = ""};
	int rc = conf_parse(bytes_str(text), "f", &c, &e);

	ck_assert_msg(rc == 0, "%s", e.text);
	return c;
}

/* As a string, to be freed. */
static char *
printed(const struct conf *c)
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	ck_assert_ptr_nonnull(out);
	conf_print(c, out);
	fclose(out);
	return text;
}

static void
check_addr(const struct addr *a, const char *want)
{
	char text[ADDR_STRLEN];

	ck_assert_str_eq(addr_format(a, text), want);
}

static void
check_bytes(struct bytes b, const char *want, size_t n)
{
	ck_assert_ptr_nonnull(b.p);
	ck_assert_uint_eq(b.n, n);
	ck_assert_mem_eq(b.p, want, n);
}

/* Nothing, or nothing but remarks: everything is at its default. */
START_TEST(defaults)
{
	static const char *const texts[] = {
		"", "# hello\n", "---\n", "--- ~\n", "{}\n", "\xef\xbb\xbf# with a mark\n"};
	struct conf *c = parse(texts[_i]);

	ck_assert_str_eq(c->broker.collection, "/ps");
	ck_assert(!c->broker.create_on_publish);
	ck_assert_uint_eq(c->broker.limits.topics, 100000);
	ck_assert_uint_eq(c->broker.limits.payload_bytes, 65536);
	ck_assert_uint_eq(c->broker.limits.memory_bytes, 256U << 20);
	ck_assert_uint_eq(c->broker.limits.peers, 100000);
	ck_assert_uint_eq(c->broker.limits.observers, 100000);
	ck_assert_uint_eq(c->broker.limits.observers_per_peer, 64);
	ck_assert_uint_eq(c->broker.limits.exchanges, 65536);
	ck_assert_uint_eq(c->broker.limits.bodies, 64);
	ck_assert_uint_eq(c->broker.limits.sessions, 500);
	ck_assert_uint_eq(c->broker.limits.handshakes, 2000);
	ck_assert_uint_eq(c->broker.limits.unread_bytes, 256 << 10);
	ck_assert_uint_eq(c->broker.limits.publish_rate, 0);
	ck_assert_str_eq(c->state.directory, "/var/lib/coapcast");
	ck_assert_uint_eq(c->state.commit_interval_ms, 1000);
	ck_assert_uint_eq(c->n_listen, 1);
	ck_assert_int_eq(c->listen[0].scheme, CONF_COAP);
	check_addr(&c->listen[0].addr, "[::]:5683");
	ck_assert_ptr_null(c->discovery_interfaces);
	ck_assert_int_eq(c->security.nosec, CONF_NOSEC_LOOPBACK);
	ck_assert_int_eq(c->security.echo, CONF_ECHO_AUTO);
	ck_assert_ptr_null(c->security.certificate);
	ck_assert_ptr_null(c->access);
	ck_assert_uint_eq(c->n_identities + c->n_groups + c->n_oscore_groups + c->n_topics, 0);
	ck_assert_uint_eq(c->metrics_listen.family, AF_UNSPEC);
	ck_assert_uint_eq(c->protocol.informative_response_format, 65001);
	ck_assert_uint_eq(c->protocol.topic_format, 606);
	ck_assert_uint_eq(c->protocol.feedback_divider_option, 18);
	ck_assert_int_eq(c->log_level, LOG_LEVEL_NOTICE);
	ck_assert_uint_eq(c->n_notes, 0);
	conf_free(c);
}
END_TEST

START_TEST(group_defaults)
{
	struct conf *c = parse(GROUP(""));
	const struct conf_group *g = &c->groups[0];

	check_addr(&g->address, "239.1.2.3:5683");
	ck_assert_uint_eq(g->port, 5683);
	ck_assert_uint_eq(g->hops, 1);
	ck_assert_uint_eq(g->n_topics, 1);
	ck_assert_str_eq(g->topics[0], "*");
	ck_assert_uint_eq(g->threshold, 10);
	ck_assert_uint_eq(g->cancel_below, 1);
	ck_assert_uint_eq(g->source.family, AF_UNSPEC);
	ck_assert_int_eq(g->informative_response, CONF_INFORM_BOTH);
	ck_assert_uint_eq(g->min_interval_ms, 0);
	ck_assert_uint_eq(g->max_age_ms, 60000);
	ck_assert_uint_eq(g->datagram, 1152);
	ck_assert_int_eq(g->large_values, CONF_LARGE_FIRST_BLOCK);
	ck_assert_uint_eq(g->feedback.every, 100);
	ck_assert_uint_eq(g->feedback.confirmations, 8);
	ck_assert_uint_eq(g->feedback.wait_ms, 7000);
	ck_assert_uint_eq(g->feedback.dampener, 1);
	ck_assert_ptr_null(g->oscore);
	ck_assert_ptr_null(g->oscore_group);
	conf_free(c);
}
END_TEST

static void
check_broker(const struct conf *c)
{
	ck_assert_str_eq(c->broker.collection, "/a/b");
	ck_assert(c->broker.create_on_publish);
	ck_assert_uint_eq(c->broker.limits.topics, 1);
	ck_assert_uint_eq(c->broker.limits.payload_bytes, 1024);
	ck_assert_uint_eq(c->broker.limits.memory_bytes, 2U << 20);
	ck_assert_uint_eq(c->broker.limits.handshakes, 9);
	ck_assert_uint_eq(c->broker.limits.unread_bytes, 32 << 10);
	ck_assert_uint_eq(c->broker.limits.publish_rate, 8);
	ck_assert_str_eq(c->state.directory, "/tmp/s");
	ck_assert_uint_eq(c->state.commit_interval_ms, 1500);
	ck_assert_uint_eq(c->n_listen, 4);
	check_addr(&c->listen[0].addr, "[::1]:5683");
	check_addr(&c->listen[1].addr, "10.0.0.1:5684");
	ck_assert_int_eq(c->listen[1].scheme, CONF_COAPS);
	check_addr(&c->listen[2].addr, "[::]:1");
	ck_assert_int_eq(c->listen[2].scheme, CONF_COAP_TCP);
	check_addr(&c->listen[3].addr, "[::]:5684");
	ck_assert_int_eq(c->listen[3].scheme, CONF_COAPS_TCP);
	ck_assert_uint_eq(c->n_discovery_interfaces, 1);
	ck_assert_str_eq(c->discovery_interfaces[0], "eth0");
	check_addr(&c->metrics_listen, "[::1]:9683");
	ck_assert_uint_eq(c->protocol.feedback_divider_option, 2000);
	ck_assert_int_eq(c->log_level, LOG_LEVEL_DEBUG);
	ck_assert_uint_eq(c->topics[0].content_format, 0);
	check_bytes(c->topics[0].initialize, "he\0\xe2\x80\xa8\"\\\xc3\xa4\xef\xbf\xbe", 13);
}

static void
check_who(const struct conf *c)
{
	ck_assert_int_eq(c->security.nosec, CONF_NOSEC_ALLOW);
	ck_assert_int_eq(c->security.echo, CONF_ECHO_ALWAYS);
	ck_assert_str_eq(c->security.certificate->ca, "a");
	ck_assert_uint_eq(c->n_identities, 3);
	ck_assert_str_eq(c->identities[0].psk->identity, "s1");
	check_bytes(c->identities[0].psk->key, "geheim", 6);
	ck_assert_ptr_null(c->identities[0].oscore);
	check_bytes(c->identities[1].oscore->sender_id, "", 0);
	check_bytes(c->identities[1].oscore->recipient_id, "\x01", 1);
	check_bytes(c->identities[1].oscore->master_secret, "\x01\x02", 2);
	check_bytes(c->identities[1].oscore->master_salt, "\x9e\x7c", 2);
	check_bytes(c->identities[1].oscore->id_context, "", 0);
	ck_assert_str_eq(c->identities[2].certificate->cn, "gateway-2.example");
	ck_assert_uint_eq(c->n_access, 2);
	ck_assert_str_eq(c->access[0].who, "sensor-*");
	ck_assert_uint_eq(c->access[0].may, CONF_MAY_PUBLISH);
	ck_assert_str_eq(c->access[0].topics[0], "sensors/*");
	ck_assert_uint_eq(c->access[1].n_topics, 2);
	ck_assert_uint_eq(c->access[1].may, 0x7f & ~(unsigned int)CONF_MAY_PUBLISH);
}

static void
check_groups(const struct conf *c)
{
	const struct conf_group *g = &c->groups[0];
	const struct conf_oscore_group *k = &c->oscore_groups[0];

	check_addr(&g->address, "[ff35:30:fd00::1]:61616");
	check_addr(&g->source, "[fd00::1]:0");
	ck_assert_str_eq(g->topics[1], "b/*");
	ck_assert_uint_eq(g->members[0].bits, 16);
	ck_assert_uint_eq(g->min_interval_ms, 3000);
	ck_assert_uint_eq(g->feedback.dampener, 2);
	ck_assert_ptr_eq(g->oscore_group, k);
	ck_assert_int_eq(k->managed, CONF_MANAGED_EXTERNAL);
	check_bytes(k->gid, "\x57\xab\x2e", 3);
	ck_assert_int_eq(k->group_encryption_algorithm, -65534);
	ck_assert_int_eq(k->signature_algorithm, -7);
	ck_assert_int_eq(k->hkdf, 7);
	ck_assert_int_eq(k->aead_algorithm, 24);
	ck_assert_int_eq(k->pairwise_key_agreement_algorithm, -28);
	ck_assert_int_eq(k->credential_format, 33);
	check_bytes(k->members[0].credential, "\xa3", 1);
	ck_assert_str_eq(k->as_uri, "coap://as.example/token");
	ck_assert_uint_eq(k->lifetime_ms, 3600000);
	ck_assert(k->group_mode_writes);
}

START_TEST(every_key)
{
	struct conf *c = parse(everything);

	check_broker(c);
	check_who(c);
	check_groups(c);
	conf_free(c);
}
END_TEST

/* Present with nothing in it is not the same as absent: then nobody may. */
START_TEST(empty_access)
{
	struct conf *c = parse("access: []\n");

	ck_assert_ptr_nonnull(c->access);
	ck_assert_uint_eq(c->n_access, 0);
	conf_free(c);
}
END_TEST

/* Longer than every capacity on the way. */
START_TEST(long_lists)
{
	char text[4096];
	int n = snprintf(text, sizeof(text), "topics:\n");
	struct conf *c;

	for (int i = 0; i < 100; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "- name: topic-%d\n", i);
	c = parse(text);
	ck_assert_uint_eq(c->n_topics, 100);
	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "topic-%d", i);
		ck_assert_str_eq(c->topics[i].name, text);
		ck_assert_uint_eq(c->topics[i].content_format, CONF_NO_FORMAT);
		ck_assert_ptr_null(c->topics[i].initialize.p);
	}
	conf_free(c);
}
END_TEST

/* Printed and read back it prints the same. */
START_TEST(print_and_reload)
{
	static const char *const texts[] = {"", everything, GROUP(""), "access: []\n",
		"topics: [ { name: \"\xc3\xa4 # b: 'c'\" }, { name: \"-\" }, { name: \"null\" } "
		"]\n",
		GROUP(", large-values: first-block, min-interval: 0s"), "state: {}\n"};
	struct conf *c = parse(texts[_i]), *again;
	char *first = printed(c), *second;

	again = parse(first);
	second = printed(again);
	ck_assert_str_eq(first, second);
	conf_free(c);
	conf_free(again);
	free(first);
	free(second);
}
END_TEST

/* A daemon that starts with a configuration starts with what is printed of it. */
START_TEST(printed_starts)
{
	static const char *const texts[] = {"", GROUP("")};
	struct conf *c = parse(texts[_i]), *again;
	char *text = printed(c);
	struct error e;

	ck_assert(!conf_masked(c, &e));
	again = parse(text);
	ck_assert_msg(!conf_masked(again, &e), "%s", e.text);
	conf_free(c);
	conf_free(again);
	free(text);
}
END_TEST

START_TEST(secrets_are_masked)
{
	static const char *const secrets[] = {"geheim", "0123456789abcdef", "0102"};
	struct conf *c = parse(everything);
	char *text = printed(c), *at = text;
	int n_masked = 0;

	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		ck_assert_ptr_null(strstr(text, secrets[i]));
	while ((at = strstr(at, "\"masked:\""))) {
		n_masked++;
		at++;
	}
	ck_assert_int_eq(n_masked, 4);
	conf_free(c);
	free(text);
}
END_TEST

/* Read back, a masked secret must not be taken for one. */
START_TEST(masked_does_not_start)
{
	struct conf *c = parse("identities: [ { name: a, psk: { identity: a, key: \"masked:\" } } ]"
			       "\n");
	struct error e = {.text = ""};

	ck_assert_uint_eq(c->identities[0].psk->key.n, 0);
	ck_assert(conf_masked(c, &e));
	conf_free(c);
}
END_TEST

static const struct {
	const char *text;
	const char *note; /* "" none */
} notes[] = {
	{GROUP(""), ""},
	{"groups: [ { name: g, address: 239.1.2.3, interface: eth0 } ]\n",
		"5 f:1:11: groups[0].members: absent, every IPv4 client may be moved"},
	{"groups: [ { name: g, address: \"ff35::1\", interface: eth0 } ]\n",
		"5 f:1:11: groups[0].members: absent, every IPv6 client may be moved"},
	{GROUP(", port: 61616"), ""},
	{GROUP(", port: 61616, informative-response: seed"),
		"4 f:1:90: groups[0].port: clients that understand seed alone expect 5683"},
	{GROUP("") "listen: \"coap://[::1]\"\n",
		"4 f:1:31: groups[0].address: no coap:// address of listen is of its family"},
	{GROUP("") "listen: \"coap://127.0.0.1\"\n", ""},
	{"groups: [ { name: g, address: \"ff35::1\", interface: lo, members: [ \"::1\" ] } ]\n",
		"4 f:1:53: groups[0].interface: IPv6 multicast is not delivered on lo"},
	{"oscore-groups: [ { name: k, private-key: text:0123456789abcdef0123456789abcdef,\n"
	 "members: [ { name: m, sender-id: hex:25, credential: hex:a0 } ] } ]\n",
		"4 f:2:10: oscore-groups[0].members: is ignored without managed: external"},
};

START_TEST(noted)
{
	struct conf *c = parse(notes[_i].text);
	char said[512] = "";

	for (size_t i = 0; i < c->n_notes; i++)
		snprintf(said + strlen(said), sizeof(said) - strlen(said), "%d %s",
			(int)c->notes[i].level, c->notes[i].text);
	ck_assert_str_eq(said, notes[_i].note);
	conf_free(c);
}
END_TEST

START_TEST(free_takes_null)
{
	conf_free(NULL);
	ck_assert_ptr_nonnull(conf_schema());
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("conf");
	TCase *t = tcase_create("conf");

	tcase_add_loop_test(t, defaults, 0, 6);
	tcase_add_test(t, group_defaults);
	tcase_add_test(t, every_key);
	tcase_add_test(t, empty_access);
	tcase_add_test(t, long_lists);
	tcase_add_loop_test(t, print_and_reload, 0, 7);
	tcase_add_loop_test(t, printed_starts, 0, 2);
	tcase_add_test(t, secrets_are_masked);
	tcase_add_test(t, masked_does_not_start);
	tcase_add_loop_test(t, noted, 0, (int)(sizeof(notes) / sizeof(notes[0])));
	tcase_add_test(t, free_takes_null);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
