/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Configurations in files: the shipped ones, conf.d, files with secrets. Works
 * in a folder of its own below TMPDIR.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "conf/conf.h"
#include "unit.h"

static char folder[256]; /* of the test that runs */

static const char *
at(const char *name)
{
	static char path[2][512];
	static int turn;

	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", folder, name);
	return path[turn];
}

static void
put(const char *name, mode_t mode, const char *text)
{
	FILE *f = fopen(at(name), "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(at(name), mode), 0);
}

static void
setup(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(folder, sizeof(folder), "%s/coapcast-conf.XXXXXX", tmp ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(mkdir(at("conf.d"), 0700), 0);
	unsetenv("CREDENTIALS_DIRECTORY");
}

static void
teardown(void)
{
	char command[300];

	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	ck_assert_int_eq(system(command), 0);
	unsetenv("CREDENTIALS_DIRECTORY");
}

static const char *
source_path(const char *name)
{
	static char path[512];
	const char *top = getenv("top_srcdir");

	snprintf(path, sizeof(path), "%s/%s", top ? top : ".", name);
	return path;
}

static struct conf *
load(const char *path)
{
	struct conf *c = NULL;
	struct error e = {.text = ""};
	int rc = conf_load(path, &c, &e);

	ck_assert_msg(rc == 0, "%s", e.text);
	return c;
}

/* The line without the folder, which differs from run to run. */
static void
check_refused(const char *name, int want_rc, const char *want)
{
	struct conf *c = NULL;
	struct error e = {.text = ""};
	char said[sizeof(e.text)] = "";
	const char *from = e.text, *hit;
	int rc = conf_load(at(name), &c, &e);

	conf_free(c);
	while ((hit = strstr(from, folder))) {
		strncat(said, from, (size_t)(hit - from));
		strcat(said, "DIR");
		from = hit + strlen(folder);
	}
	strcat(said, from);
	ck_assert_str_eq(said, want);
	ck_assert_int_eq(rc, want_rc);
}

/* What `scripts/run` starts with: README, demo and tour rely on it. */
START_TEST(shipped)
{
	struct conf *c = load(source_path("etc/coapcast.yaml"));
	const struct conf_group *g = &c->groups[0];
	char text[ADDR_STRLEN];
	struct error e = {.text = ""};

	ck_assert_msg(!conf_masked(c, &e), "%s", e.text);
	ck_assert_uint_eq(c->n_notes, 0);
	ck_assert_uint_eq(c->n_listen, 1);
	ck_assert_int_eq(c->listen[0].scheme, CONF_COAP);
	ck_assert_str_eq(addr_format(&c->listen[0].addr, text), "[::]:5683");
	ck_assert_int_eq(c->security.nosec, CONF_NOSEC_LOOPBACK);
	ck_assert_uint_eq(c->n_groups, 1);
	ck_assert_str_eq(addr_format(&g->address, text), "239.255.17.4:61616");
	ck_assert_str_eq(g->interface, "lo");
	ck_assert_uint_eq(g->threshold, 3);
	ck_assert_uint_eq(g->n_topics, 1);
	ck_assert_str_eq(g->topics[0], "hall/*");
	ck_assert_uint_eq(c->n_topics, 2);
	ck_assert_str_eq(c->topics[0].name, "demo");
	ck_assert_str_eq(c->topics[1].name, "hall/demo");
	conf_free(c);
}
END_TEST

START_TEST(examples)
{
	static const char *const files[] = {"etc/examples/gateway.yaml", "etc/examples/lln.yaml"};
	struct conf *c = load(source_path(files[_i]));
	struct error e = {.text = ""};

	ck_assert_msg(!conf_masked(c, &e), "%s", e.text);
	ck_assert_uint_eq(c->n_notes, 0);
	conf_free(c);
}
END_TEST

/* Keys that the shipped file shows behind a # can be set by taking it away. */
START_TEST(shipped_with_every_key)
{
	static const char *const files[] = {"broker.crt", "broker.key", "ca.crt", "sensor-1.psk",
		"panel-1.secret", "hall.secret", "hall.key", "hall.ccs", "gm.ccs", "m25.ccs"};
	FILE *in = fopen(source_path("etc/coapcast.yaml"), "r");
	FILE *out = fopen(at("c.yaml"), "w");
	struct conf *c;
	char line[256];

	ck_assert_ptr_nonnull(in);
	ck_assert_ptr_nonnull(out);
	while (fgets(line, sizeof(line), in)) {
		bool is_key =
			line[0] == '#' && line[1] != '\n' && (line[1] != ' ' || line[2] == ' ');

		fputs(line + is_key, out);
	}
	fclose(in);
	fclose(out);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		put(files[i], 0600, "0123456789abcdef0123456789abcdef");
	c = load(at("c.yaml"));
	ck_assert_uint_eq(c->n_identities, 3);
	ck_assert_uint_eq(c->n_access, 2);
	ck_assert_ptr_eq(c->groups[0].oscore_group, &c->oscore_groups[0]);
	ck_assert_str_eq(c->security.certificate->key, at("broker.key"));
	conf_free(c);
}
END_TEST

/* Scalars replace, maps merge, lists append; by name, whatever the locale. */
START_TEST(snippets_are_merged)
{
	struct conf *c;

	put("c.yaml", 0644,
		"broker: { collection: /one, create-on-publish: true }\n"
		"listen: \"coap://10.0.0.1\"\n"
		"topics: [ { name: a } ]\n"
		"state: { directory: s }\n");
	put("conf.d/10-b.yaml", 0644,
		"broker: { collection: /two, limits: { topics: 7 } }\n"
		"topics: [ { name: b }, { name: c } ]\n");
	put("conf.d/10-a.yaml", 0644, "# nothing\n");
	put("conf.d/20.yaml", 0644,
		"broker: { collection: /three }\nlisten: \"coap://10.0.0.2\"\n"
		"topics: []\n");
	put("conf.d/B.yaml", 0644, "log: { level: info }\n");
	put("conf.d/a.yaml", 0644, "log: { level: error }\ntopics: [ { name: d } ]\n");
	put("conf.d/.hidden.yaml", 0644, "not: read\n");
	put("conf.d/other.yml", 0644, "not: read\n");
	put("conf.d/.yaml", 0644, "not: read\n");
	c = load(at("c.yaml"));
	ck_assert_str_eq(c->broker.collection, "/three");
	ck_assert(c->broker.create_on_publish);
	ck_assert_uint_eq(c->broker.limits.topics, 7);
	ck_assert_uint_eq(c->broker.limits.bodies, 64);
	ck_assert_uint_eq(c->n_listen, 2);
	ck_assert_uint_eq(c->n_topics, 4);
	ck_assert_str_eq(c->topics[0].name, "a");
	ck_assert_str_eq(c->topics[2].name, "c");
	ck_assert_str_eq(c->topics[3].name, "d");
	ck_assert_int_eq(c->log_level, LOG_LEVEL_ERROR);
	ck_assert_str_eq(c->state.directory, at("s"));
	conf_free(c);
}
END_TEST

/* What a reload refuses: net/reload.c. */
START_TEST(a_file_that_sets_nothing)
{
	static const struct {
		const char *text;
		bool is_empty;
	} files[] = {
		{"", true},
		{"\n# topics: [ { name: a } ]\n", true},
		{"---\n...\n", true},
		{"~\n", true},
		{"{}\n", true},
		{"topics: []\n", false},
		{"access: []\n", false},
		{"broker: {}\n", false},
	};

	put("conf.d/x.yaml", 0644, "log: { level: info }\n");
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct conf *c;

		put("c.yaml", 0644, files[i].text);
		c = load(at("c.yaml"));
		ck_assert_msg(c->is_empty == files[i].is_empty, "%s", files[i].text);
		ck_assert_int_eq(c->log_level, LOG_LEVEL_INFO);
		conf_free(c);
	}
}
END_TEST

/* Places go, what was said there stays. */
START_TEST(places_are_forgotten)
{
	struct error e = {.text = ""};
	struct conf *c;

	put("c.yaml", 0644,
		"topics:\n  - { name: a }\n  - { name: bc, initialize: x, content-format: 0 }\n");
	c = load(at("c.yaml"));
	ck_assert_int_eq(conf_refuse(c, &e, "topics", 1, "name", "is short"), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.text, "c.yaml:3:13: topics[1].name: is short"));
	conf_forget_places(c);
	ck_assert_int_eq(conf_refuse(c, &e, "topics", 1, "name", "is short"), -EINVAL);
	ck_assert_str_eq(e.text, "topics[1].name: is short");
	ck_assert(!conf_masked(c, &e));
	ck_assert_str_eq(c->topics[1].name, "bc");
	ck_assert(bytes_is(c->topics[1].initialize, "x"));
	conf_free(c);
}
END_TEST

START_TEST(snippets_have_their_own_place)
{
	put("c.yaml", 0644, "topics: [ { name: a } ]\n");
	put("conf.d/x.yaml", 0644, "log: { level: info }\ntopics:\n - name: a\n");
	check_refused("c.yaml", -EINVAL,
		"DIR/conf.d/x.yaml:3:10: topics[1].name: is the same as that of topics[0]");
	put("conf.d/x.yaml", 0644, "log: { level: loud }\n");
	check_refused("c.yaml", -EINVAL,
		"DIR/conf.d/x.yaml:1:15: log.level: must be one of error, "
		"warning, notice, info, debug");
	/* The same key in two files is no slip, in one of them it is. */
	put("c.yaml", 0644, "log: { level: info }\n");
	put("conf.d/x.yaml", 0644, "log: { level: info }\nlog: {}\n");
	check_refused("c.yaml", -EINVAL, "DIR/conf.d/x.yaml:2:1: log: is there twice");
}
END_TEST

/* A required key may come from another file, but not in an entry of a list. */
START_TEST(required_over_files)
{
	struct conf *c;

	put("k", 0600, "k");
	put("c.yaml", 0644, "security: { certificate: { file: k, key: k } }\n");
	put("conf.d/x.yaml", 0644, "security: { certificate: { ca: k } }\n");
	c = load(at("c.yaml"));
	ck_assert_str_eq(c->security.certificate->ca, at("k"));
	ck_assert_str_eq(c->security.certificate->file, at("k"));
	conf_free(c);
}
END_TEST

START_TEST(unreadable)
{
	check_refused(
		"none.yaml", -ENOENT, "DIR/none.yaml: cannot be read: No such file or directory");
	check_refused("conf.d", -EINVAL, "DIR/conf.d: is not a regular file");
	check_refused("conf.d/x/c.yaml", -ENOENT,
		"DIR/conf.d/x/c.yaml: cannot be read: No such file or directory");
	put("c.yaml", 0644, "");
	ck_assert_int_eq(mkdir(at("conf.d/x.yaml"), 0700), 0);
	check_refused("c.yaml", -EINVAL, "DIR/conf.d/x.yaml: is not a regular file");
}
END_TEST

/* A FIFO must not make the daemon wait for ever. */
START_TEST(fifo)
{
	ck_assert_int_eq(mkfifo(at("f"), 0600), 0);
	check_refused("f", -EINVAL, "DIR/f: is not a regular file");
	put("c.yaml", 0644, "identities: [ { name: a, psk: { identity: a, key: file:f } } ]\n");
	check_refused("c.yaml", -EINVAL,
		"DIR/c.yaml:1:51: identities[0].psk.key: DIR/f is not a regular file");
}
END_TEST

static const char psk_from_file[] =
	"identities: [ { name: a, psk: { identity: a, key: file:k } } ]\n";

START_TEST(secret_file)
{
	static const struct {
		mode_t mode;
		const char *error;
	} modes[] = {
		{0600, NULL},
		{0400, NULL},
		{0640, "DIR/k holds a secret but has mode 0640: chmod 600"},
		{0604, "DIR/k holds a secret but has mode 0604: chmod 600"},
		{0620, "DIR/k holds a secret but has mode 0620: chmod 600"},
		{0644, "DIR/k holds a secret but has mode 0644: chmod 600"},
	};
	char want[256];

	put("c.yaml", 0644, psk_from_file);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		put("k", 0600, "geheim\n");
		ck_assert_int_eq(chmod(at("k"), modes[i].mode), 0);
		if (modes[i].error) {
			snprintf(want, sizeof(want), "DIR/c.yaml:1:51: identities[0].psk.key: %s",
				modes[i].error);
			check_refused("c.yaml", -EINVAL, want);
		} else {
			struct conf *c = load(at("c.yaml"));

			ck_assert(bytes_is(c->identities[0].psk->key, "geheim\n"));
			conf_free(c);
		}
	}
}
END_TEST

START_TEST(secret_file_content)
{
	char large[66] = "";

	put("c.yaml", 0644, psk_from_file);
	check_refused("c.yaml", -EINVAL,
		"DIR/c.yaml:1:51: identities[0].psk.key: cannot read "
		"DIR/k: No such file or directory");
	put("k", 0600, "");
	check_refused("c.yaml", -EINVAL,
		"DIR/c.yaml:1:51: identities[0].psk.key: must be 1 to 64 bytes long, has 0");
	memset(large, 'x', 65);
	put("k", 0600, large);
	check_refused("c.yaml", -EINVAL,
		"DIR/c.yaml:1:51: identities[0].psk.key: DIR/k is larger than 64 bytes");
}
END_TEST

/* The private key of the certificate is a secret as well, the certificate is not. */
START_TEST(secret_path)
{
	put("c.yaml", 0644, "security: { certificate: { file: crt, key: key } }\n");
	put("crt", 0644, "x");
	put("key", 0644, "x");
	check_refused("c.yaml", -EINVAL,
		"DIR/c.yaml:1:44: security.certificate.key: DIR/key holds a "
		"secret but has mode 0644: chmod 600");
	ck_assert_int_eq(chmod(at("key"), 0600), 0);
	conf_free(load(at("c.yaml")));
	ck_assert_int_eq(unlink(at("crt")), 0);
	check_refused("c.yaml", -EINVAL,
		"DIR/c.yaml:1:34: security.certificate.file: cannot read "
		"DIR/crt: No such file or directory");
}
END_TEST

START_TEST(secret_in_the_configuration)
{
	static const char with_hex[] =
		"identities: [ { name: a, psk: { identity: a, key: hex:00 } } ]\n";

	put("c.yaml", 0600, with_hex);
	conf_free(load(at("c.yaml")));
	put("c.yaml", 0640, with_hex);
	check_refused("c.yaml", -EINVAL,
		"DIR/c.yaml:1:51: identities[0].psk.key: is a secret in a "
		"file that others can read: chmod 600 DIR/c.yaml");
	put("c.yaml", 0644, "");
	put("conf.d/x.yaml", 0644, with_hex);
	check_refused("c.yaml", -EINVAL,
		"DIR/conf.d/x.yaml:1:51: identities[0].psk.key: is a secret in a file that others "
		"can read: chmod 600 DIR/conf.d/x.yaml");
	/* What is not a secret may be seen. */
	put("conf.d/x.yaml", 0644,
		"identities: [ { name: a, psk: { identity: a, key: \"masked:\" } } ]\n");
	conf_free(load(at("c.yaml")));
}
END_TEST

/* First, without regard to the mode, which an ACL of the service manager changes. */
START_TEST(credentials_directory)
{
	struct conf *c;

	ck_assert_int_eq(mkdir(at("cred"), 0700), 0);
	put("conf.d/x.yaml", 0644, psk_from_file);
	put("c.yaml", 0644, "");
	put("k", 0600, "beside");
	put("cred/k", 0440, "credential");
	ck_assert_int_eq(setenv("CREDENTIALS_DIRECTORY", at("cred"), 1), 0);
	c = load(at("c.yaml"));
	ck_assert(bytes_is(c->identities[0].psk->key, "credential"));
	conf_free(c);
	ck_assert_int_eq(unlink(at("cred/k")), 0);
	c = load(at("c.yaml"));
	ck_assert(bytes_is(c->identities[0].psk->key, "beside"));
	conf_free(c);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("conf_files");
	TCase *t = tcase_create("conf_files");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, shipped);
	tcase_add_loop_test(t, examples, 0, 2);
	tcase_add_test(t, shipped_with_every_key);
	tcase_add_test(t, snippets_are_merged);
	tcase_add_test(t, a_file_that_sets_nothing);
	tcase_add_test(t, places_are_forgotten);
	tcase_add_test(t, snippets_have_their_own_place);
	tcase_add_test(t, required_over_files);
	tcase_add_test(t, unreadable);
	tcase_add_test(t, fifo);
	tcase_add_test(t, secret_file);
	tcase_add_test(t, secret_file_content);
	tcase_add_test(t, secret_path);
	tcase_add_test(t, secret_in_the_configuration);
	tcase_add_test(t, credentials_directory);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
