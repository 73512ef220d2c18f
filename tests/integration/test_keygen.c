/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `coapcast keygen` makes, in a folder: read by both ends as configurations, turned into
 * security contexts, and then the ends talk to each other. And files that are never
 * overwritten, and taken away again.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "../unit/oscore_bed.h"
#include "../unit/unit.h"
#include "base/mem.h"
#include "cli/groupkey.h"
#include "cli/keygen.h"
#include "conf/conf.h"
#include "oscore/crypto.h"
#include "oscore/protect.h"
#include "oscore/unprotect.h"

#define MAX_WORDS 8
#define PATH_SIZE (BUNDLE_PATH + 256)

static char folder[64];

static void
setup(void)
{
	strcpy(folder, "/tmp/coapcast-keygen.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void
teardown(void)
{
	char line[128];

	snprintf(line, sizeof(line), "rm -rf %s", folder);
	ck_assert_int_eq(system(line), 0);
	crypto_stop();
}

/* Runs the command line's words, up to a NULL, as far as the files. */
static int
make(enum keyargs_what what, const char *const *words, struct error *e)
{
	struct keyargs *a = mem_alloc(sizeof(*a));
	char *argv[MAX_WORDS + 2] = {mem_strdup("keygen")};
	struct bundle b;
	int argc = 1, rc;

	for (; *words; words++)
		argv[argc++] = mem_strdup(*words);
	if ((rc = keyargs_parse(argc, argv, what, a, e)) == 0) {
		bundle_init(&b, folder);
		rc = what == KEYARGS_GROUP ? keygen_fill_group(a, &b, e)
					   : keygen_fill_identity(a, &b, e);
		if (rc == 0)
			rc = bundle_write(&b, e);
		bundle_fini(&b);
	}
	while (argc > 0)
		free(argv[--argc]);
	free(a);
	return rc;
}

#define MAKE(what, ...) make(what, (const char *const[]){__VA_ARGS__, NULL}, &why)

static struct error why;

/* A configuration below the folder, whose files are beside it, or above conf.d. */
static struct conf *
load(const char *name)
{
	char path[PATH_SIZE];
	struct conf *c = NULL;
	struct error e;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	ck_assert_msg(conf_load(path, &c, &e) == 0, "%s", e.text);
	return c;
}

/* The broker's, as the daemon reads it: an empty main file, and conf.d. */
static struct conf *
load_broker(void)
{
	char path[PATH_SIZE];
	FILE *f;

	snprintf(path, sizeof(path), "%s/broker/coapcast.yaml", folder);
	ck_assert_ptr_nonnull((f = fopen(path, "we")));
	ck_assert_int_eq(fclose(f), 0);
	return load("broker/coapcast.yaml");
}

static struct context *
plain_of(const struct conf *c)
{
	const struct conf_oscore *o = c->identities[0].oscore;
	struct context_plain p = {.master_secret = o->master_secret,
		.master_salt = o->master_salt,
		.id_context = o->id_context,
		.sender_id = o->sender_id,
		.recipient_id = o->recipient_id,
		.window_valid = true,
		.ssn = bed_ssn(0)};
	struct context *ret;
	struct error e;

	ck_assert_msg(context_new_plain(&p, &e, &ret) == 0, "%s", e.text);
	ssn_release(p.ssn);
	return ret;
}

static struct context *
group_of(const struct conf *c)
{
	struct ssn *ssn = bed_ssn(0);
	struct context *ret;
	struct error e;

	ck_assert_msg(groupkey_context(&c->oscore_groups[0], ssn, NULL, NULL, &e, &ret) == 0, "%s",
		e.text);
	ssn_release(ssn);
	return ret;
}

/* What protect_* wrote, as a message. */
static struct msg
wired(uint8_t *raw, uint8_t code, size_t n_tail)
{
	struct msg m;

	raw[0] = code;
	ck_assert_int_eq(msg_decode_inner(bytes_of(raw, n_tail + 1), &m), 0);
	return m;
}

static void
no_random(void *p, size_t n)
{
	memset(p, 1, n);
}

/* `from` asks, `to` understands, answers, and is understood. */
static void
talk(struct context *from, struct context *to, enum oscore_mode mode)
{
	static uint8_t raw[2048], plain[PROTECT_MAX_PLAIN];
	struct buf tail = buf_of(raw + 1, sizeof(raw) - 1), out = BUF_OF(plain);
	struct oscore_binding asked, heard;
	struct unprotect_info info;
	struct context_table t;
	struct msg m, wire, got;
	struct bytes peer = mode == OSCORE_PAIRWISE ? context_sender_id(to) : BYTES_NONE;
	uint8_t code;

	context_table_init(&t, 1);
	ck_assert_int_eq(context_table_add(&t, to), 0);
	msg_init(&m, TYPE_CON, CODE_GET);
	ck_assert_int_eq(protect_request(from, mode, peer, &m, &tail, &code, &asked), 0);
	wire = wired(raw, code, tail.n);
	ck_assert_int_eq(
		unprotect_request(&t, &wire, no_random, &out, &got, &info, &heard), UNPROTECT_OK);
	ck_assert_int_eq(got.code, CODE_GET);
	msg_init(&m, TYPE_ACK, CODE_CONTENT);
	m.payload = bytes_str("yes");
	buf_clear(&tail);
	ck_assert_int_eq(protect_response(&heard, &m, 0, &tail, &code), 0);
	wire = wired(raw, code, tail.n);
	buf_clear(&out);
	ck_assert_int_eq(unprotect_response(&asked, NULL, &wire, &out, &got, &info), UNPROTECT_OK);
	ck_assert(bytes_is(got.payload, "yes"));
	binding_fini(&asked);
	binding_fini(&heard);
	context_table_fini(&t);
}

static void
check_identity(void)
{
	struct conf *broker = load_broker(), *client = load("panel-1/panel-1.yaml");
	struct context *b = plain_of(broker), *c = plain_of(client);

	ck_assert_str_eq(broker->identities[0].name, "panel-1");
	talk(c, b, OSCORE_PLAIN);
	talk(b, c, OSCORE_PLAIN);
	context_release(b);
	context_release(c);
	conf_free(broker);
	conf_free(client);
}

START_TEST(both_ends_of_an_identity)
{
	ck_assert_int_eq(MAKE(KEYARGS_IDENTITY, "panel-1"), 0);
	check_identity();
}
END_TEST

START_TEST(an_identity_with_ids_of_ones_own)
{
	struct conf *c;

	ck_assert_int_eq(MAKE(KEYARGS_IDENTITY, "--broker-id", "", "--client-id=hex:0102",
				 "--id-context=37CB", "panel-1"),
		0);
	c = load_broker();
	ck_assert_uint_eq(c->identities[0].oscore->sender_id.n, 0);
	ck_assert(bytes_is(c->identities[0].oscore->recipient_id, "\x01\x02"));
	ck_assert(bytes_is(c->identities[0].oscore->id_context, "\x37\xcb"));
	conf_free(c);
	check_identity();
}
END_TEST

START_TEST(both_ends_of_a_pre_shared_key)
{
	struct conf *broker, *client;

	ck_assert_int_eq(MAKE(KEYARGS_IDENTITY, "--psk", "panel-1"), 0);
	broker = load_broker();
	client = load("panel-1/panel-1.yaml");
	ck_assert_str_eq(broker->identities[0].psk->identity, "panel-1");
	ck_assert_str_eq(client->identities[0].psk->identity, "panel-1");
	ck_assert_uint_eq(client->identities[0].psk->key.n, 32);
	ck_assert(bytes_equal(client->identities[0].psk->key, broker->identities[0].psk->key));
	conf_free(broker);
	conf_free(client);
}
END_TEST

static const struct {
	const char *encryption, *signature, *hkdf, *aead, *agreement;
	bool pairwise;
} groups[] = {
	{"AES-CCM-16-64-128", "EdDSA", "SHA-256", "none", "none", false},
	{"A128GCM", "ES256", "SHA-512", "AES-CCM-16-64-128", "ECDH-SS+HKDF-256", true},
	{"ChaCha20/Poly1305", "EdDSA", "SHA-256", "A256GCM", "ECDH-SS+HKDF-512", true},
	{"A128CTR", "ES256", "SHA-256", "none", "none", false},
	{"A256CTR", "EdDSA", "SHA-512", "none", "none", false},
	{"AES-CCM-64-64-256", "EdDSA", "SHA-256", "AES-CCM-64-128-128", "none", true},
};

#define N_GROUPS ((int)(sizeof(groups) / sizeof(groups[0])))

/* Every member with the broker, both ways: in group mode, and pairwise where there is that. */
START_TEST(all_ends_of_a_group)
{
	char option[5][80];
	static const char *const names[] = {"group-encryption-algorithm", "signature-algorithm",
		"hkdf", "aead-algorithm", "pairwise-key-agreement-algorithm"};
	const char *const values[] = {groups[_i].encryption, groups[_i].signature, groups[_i].hkdf,
		groups[_i].aead, groups[_i].agreement};
	struct conf *broker, *member;
	struct context *b, *m;

	for (size_t i = 0; i < 5; i++)
		snprintf(option[i], sizeof(option[i]), "--%s=%s", names[i], values[i]);
	ck_assert_msg(MAKE(KEYARGS_GROUP, option[0], option[1], option[2], option[3], option[4],
			      "--members=a,lamp-25", "hall") == 0,
		"%s", why.text);
	broker = load_broker();
	ck_assert_uint_eq(broker->oscore_groups[0].n_members, 2);
	b = group_of(broker);
	ck_assert(context_has_pairwise_mode(b) == groups[_i].pairwise);
	for (int i = 0; i < 2; i++) {
		member = load(i == 0 ? "a/hall.yaml" : "lamp-25/hall.yaml");
		m = group_of(member);
		talk(m, b, OSCORE_GROUP);
		talk(b, m, OSCORE_GROUP);
		if (groups[_i].pairwise)
			talk(m, b, OSCORE_PAIRWISE);
		context_release(m);
		conf_free(member);
	}
	context_release(b);
	conf_free(broker);
}
END_TEST

START_TEST(a_group_that_is_joined)
{
	struct conf *c;

	ck_assert_int_eq(
		MAKE(KEYARGS_GROUP, "--gid=57ab2e", "--join-uri=coap://gm.example/ace-group/hall",
			"--as-uri=coap://as.example/token", "hall"),
		0);
	c = load_broker();
	ck_assert_str_eq(c->oscore_groups[0].join_uri, "coap://gm.example/ace-group/hall");
	ck_assert_str_eq(c->oscore_groups[0].group_name, "hall");
	ck_assert_str_eq(c->oscore_groups[0].as_uri, "coap://as.example/token");
	ck_assert(bytes_is(c->oscore_groups[0].gid, "\x57\xab\x2e"));
	conf_free(c);
}
END_TEST

/* Its secret and Gid are drawn by the broker, anew for each store. */
START_TEST(a_self_managed_group)
{
	struct conf *c;

	ck_assert_int_eq(MAKE(KEYARGS_GROUP, "--managed=self", "hall"), 0);
	c = load_broker();
	ck_assert_int_eq(c->oscore_groups[0].managed, CONF_MANAGED_SELF);
	ck_assert_ptr_null(c->oscore_groups[0].master_secret.p);
	ck_assert_ptr_null(c->oscore_groups[0].gid.p);
	ck_assert_uint_eq(c->oscore_groups[0].private_key.n, 32);
	ck_assert_uint_eq(c->n_notes, 0);
	conf_free(c);
}
END_TEST

START_TEST(a_group_managers_own_credential)
{
	char option[PATH_SIZE], path[PATH_SIZE];
	struct conf *first, *second;

	ck_assert_int_eq(MAKE(KEYARGS_GROUP, "one"), 0);
	snprintf(option, sizeof(option), "--gm-credential=%s/gm/one.ccs", folder);
	ck_assert_msg(MAKE(KEYARGS_GROUP, option, "--members=a", "two") == 0, "%s", why.text);
	snprintf(path, sizeof(path), "%s/gm/two.key", folder);
	ck_assert_int_ne(access(path, F_OK), 0);
	first = load_broker();
	second = load("a/two.yaml");
	ck_assert(bytes_equal(
		first->oscore_groups[0].gm_credential, second->oscore_groups[0].gm_credential));
	conf_free(first);
	conf_free(second);
	snprintf(option, sizeof(option), "--gm-credential=%s/gm/one.key", folder);
	ck_assert_int_eq(MAKE(KEYARGS_GROUP, option, "three"), -EBADMSG);
	snprintf(option, sizeof(option), "--gm-credential=%s/none", folder);
	ck_assert_int_eq(MAKE(KEYARGS_GROUP, option, "three"), -ENOENT);
}
END_TEST

static const struct {
	enum keyargs_what what;
	const char *words[3];
	const char *said;
} wrong[] = {
	{KEYARGS_IDENTITY, {NULL}, "no name"},
	{KEYARGS_IDENTITY, {"a", "b"}, "one name"},
	{KEYARGS_IDENTITY, {"../a"}, "wants a name"},
	{KEYARGS_IDENTITY, {"a/b"}, "wants a name"},
	{KEYARGS_IDENTITY, {""}, "wants a name"},
	{KEYARGS_IDENTITY, {"broker"}, "wants a name"},
	{KEYARGS_IDENTITY, {"anonymous"}, "wants a name"},
	{KEYARGS_IDENTITY, {"--nonsense", "a"}, "no option"},
	{KEYARGS_IDENTITY, {"--members=b", "a"}, "no option of this"},
	{KEYARGS_IDENTITY, {"--client-id=0", "a"}, "hexadecimal"},
	{KEYARGS_IDENTITY, {"--client-id=0g", "a"}, "hexadecimal"},
	{KEYARGS_IDENTITY, {"--client-id=0102030405060708", "a"}, ""},
	{KEYARGS_IDENTITY, {"--client-id=00", "a"}, "must not be the same"},
	{KEYARGS_IDENTITY, {"--psk", "--client-id=00", "a"}, "no Sender IDs"},
	{KEYARGS_GROUP, {"--psk", "a"}, "no option of this"},
	{KEYARGS_GROUP, {"--members=a,a", "g"}, "twice"},
	{KEYARGS_GROUP, {"--members=a,gm", "g"}, "wants a name"},
	{KEYARGS_GROUP, {"--members=a,", "--gid="}, "no name"},
	{KEYARGS_GROUP, {"--gid=", "g"}, "empty"},
	{KEYARGS_GROUP, {"--hkdf=MD5", "g"}, "no algorithm"},
	{KEYARGS_GROUP, {"--hkdf=none", "g"}, "needs"},
	{KEYARGS_GROUP, {"--aead-algorithm=A128CTR", "g"}, "authenticates"},
	{KEYARGS_GROUP, {"--managed=me", "g"}, "self or external"},
	{KEYARGS_GROUP, {"--managed=self", "--gid=01", "g"}, "draws its Gid"},
	{KEYARGS_GROUP, {"--as-uri=coap://a", "g"}, "come with"},
	{KEYARGS_GROUP, {"--join-uri=coap://a\"b", "g"}, "no quotes"},
	{KEYARGS_GROUP, {"--join-uri=not a uri", "g"}, "--join-uri must be a URI"},
	{KEYARGS_GROUP, {"--join-uri=coap://a", "--as-uri=b", "g"}, "--as-uri must be a URI"},
	{KEYARGS_GROUP, {"--join-uri=coap://\xc3\xa4", "g"}, "ASCII"},
	{KEYARGS_GROUP, {"-o", NULL}, "wants a value"},
};

START_TEST(what_cannot_be_made)
{
	const char *words[] = {wrong[_i].words[0], wrong[_i].words[1], wrong[_i].words[2], NULL};
	char path[PATH_SIZE];

	ck_assert_int_eq(make(wrong[_i].what, words, &why), -EINVAL);
	ck_assert_msg(strstr(why.text, wrong[_i].said) != NULL, "%s", why.text);
	snprintf(path, sizeof(path), "%s/broker", folder);
	ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

static void
put_file(const char *name, const char *content)
{
	char path[PATH_SIZE];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	ck_assert_ptr_nonnull((f = fopen(path, "we")));
	fputs(content, f);
	ck_assert_int_eq(fclose(f), 0);
}

static int
count_files(void)
{
	char line[128];
	int n = 0;
	FILE *p;

	snprintf(line, sizeof(line), "find %s -mindepth 1 | wc -l", folder);
	ck_assert_ptr_nonnull((p = popen(line, "re")));
	ck_assert_int_eq(fscanf(p, "%d", &n), 1);
	pclose(p);
	return n;
}

START_TEST(nothing_is_overwritten)
{
	char path[PATH_SIZE];
	struct bundle b;
	struct error e;
	int before;

	ck_assert_int_eq(MAKE(KEYARGS_GROUP, "--members=a", "hall"), 0);
	before = count_files();
	ck_assert_int_eq(MAKE(KEYARGS_GROUP, "--members=b", "hall"), -EEXIST);
	ck_assert_msg(strstr(why.text, "is there already") != NULL, "%s", why.text);
	ck_assert_int_eq(count_files(), before);
	/* A link to nowhere would be written through. */
	snprintf(path, sizeof(path), "%s/link", folder);
	ck_assert_int_eq(symlink("/nonexistent", path), 0);
	bundle_init(&b, folder);
	bundle_add(&b, BYTES_LIT("x"), "first");
	bundle_add(&b, BYTES_LIT("x"), "link");
	ck_assert_int_eq(bundle_write(&b, &e), -EEXIST);
	bundle_fini(&b);
	ck_assert_int_eq(count_files(), before + 1);
}
END_TEST

START_TEST(what_fails_leaves_nothing)
{
	struct bundle b;
	struct error e;

	put_file("file", "mine");
	bundle_init(&b, folder);
	bundle_add(&b, BYTES_LIT("x"), "new/deep/first");
	bundle_add(&b, BYTES_LIT("x"), "second");
	bundle_add(&b, BYTES_LIT("x"), "file/third");
	ck_assert_int_lt(bundle_write(&b, &e), 0);
	ck_assert_msg(strstr(e.text, "file") != NULL, "%s", e.text);
	bundle_fini(&b);
	ck_assert_int_eq(count_files(), 1);
	bundle_init(&b, folder);
	bundle_add(&b, BYTES_LIT("x"), "%01100d", 1);
	ck_assert_int_eq(bundle_write(&b, &e), -ENAMETOOLONG);
	bundle_fini(&b);
}
END_TEST

/* What others may read, and the folders on the way there; not the bundle itself. */
START_TEST(files_without_secrets_are_everybodys)
{
	static const struct {
		const char *name;
		mode_t mode;
	} wanted[] = {{"o/b/c.d/open", 0644}, {"o/b/c.d", 0755}, {"o/b", 0755}, {"o", 0700},
		{"o/b/key", 0600}, {"o/b/bb/key", 0600}, {"o/b/bb", 0700}, {"o/c", 0700}};
	char path[PATH_SIZE], root[PATH_SIZE];
	struct bundle b;
	struct stat st;
	struct error e;
	mode_t before;

	snprintf(root, sizeof(root), "%s/o", folder);
	bundle_init(&b, root);
	bundle_add(&b, BYTES_LIT("x"), "b/key");
	bundle_add(&b, BYTES_LIT("x"), "b/bb/key");
	bundle_add(&b, BYTES_LIT("x"), "c/key");
	bundle_add_open(&b, BYTES_LIT("x"), "b/c.d/open");
	before = umask(077);
	ck_assert_msg(bundle_write(&b, &e) == 0, "%s", e.text);
	(void)umask(before);
	bundle_fini(&b);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, wanted[i].name);
		ck_assert_int_eq(stat(path, &st), 0);
		ck_assert_msg((st.st_mode & 07777) == wanted[i].mode, "%s: %o", path, st.st_mode);
	}
}
END_TEST

START_TEST(files_are_the_owners_alone)
{
	char path[PATH_SIZE];
	struct bundle b;
	struct stat st;
	struct error e;
	mode_t before;

	bundle_init(&b, folder);
	bundle_add(&b, BYTES_LIT("x"), "d/f");
	before = umask(0);
	ck_assert_int_eq(bundle_write(&b, &e), 0);
	(void)umask(before);
	bundle_fini(&b);
	snprintf(path, sizeof(path), "%s/d/f", folder);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	snprintf(path, sizeof(path), "%s/d", folder);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("keygen");
	TCase *t = tcase_create("keygen");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, both_ends_of_an_identity);
	tcase_add_test(t, an_identity_with_ids_of_ones_own);
	tcase_add_test(t, both_ends_of_a_pre_shared_key);
	tcase_add_loop_test(t, all_ends_of_a_group, 0, N_GROUPS);
	tcase_add_test(t, a_group_that_is_joined);
	tcase_add_test(t, a_self_managed_group);
	tcase_add_test(t, a_group_managers_own_credential);
	tcase_add_loop_test(t, what_cannot_be_made, 0, sizeof(wrong) / sizeof(wrong[0]));
	tcase_add_test(t, nothing_is_overwritten);
	tcase_add_test(t, what_fails_leaves_nothing);
	tcase_add_test(t, files_are_the_owners_alone);
	tcase_add_test(t, files_without_secrets_are_everybodys);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
