/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/keygen.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/rnd.h"
#include "cli/connection.h"
#include "oscore/context.h"
#include "oscore/crypto.h"

#define SECRET_LEN 16 /* of AES-CCM-16-64-128, which identities have */
#define SALT_LEN 8
#define CLIENT_ID_LEN 4 /* drawn: two identities of a broker are not to have the same */
#define TEXT_MAX 2048
#define UNIT_FOLDER "/etc/systemd/system/coapcastd.service.d"
#define HEX_MAX (2 * KEYARGS_MAX_ID + 1)

static struct bytes
id_bytes(const struct keyargs_id *id)
{
	return bytes_of(id->b, id->n);
}

static const char *
id_hex(const struct keyargs_id *id, char out[HEX_MAX])
{
	struct buf hex = buf_of(out, HEX_MAX);

	buf_put_hex(&hex, id_bytes(id));
	return buf_str(&hex);
}

static void
put_credential(const struct keyargs *a, const char *kind, struct buf *out)
{
	if (kind)
		buf_printf(out, "LoadCredential=%s.%s:" SYSCONFDIR "/coapcast/%s.%s\n", a->name,
			kind, a->name, kind);
}

void
keygen_add_unit(const struct keyargs *a, const char *kind, const char *kind2, struct bundle *b)
{
	uint8_t text[TEXT_MAX];
	struct buf out = BUF_OF(text);

	buf_printf(&out,
		"# Keys of %s for the service, which does not run as root. In this bundle's folder "
		"broker,\n# as root:\n"
		"#\tcp -r --preserve=mode . " SYSCONFDIR "/coapcast/\n"
		"#\tmkdir -p " UNIT_FOLDER "\n"
		"#\tcp systemd/%s.conf " UNIT_FOLDER "/\n"
		"#\tsystemctl daemon-reload\n"
		"#\tsystemctl restart coapcastd\n"
		"[Service]\n",
		a->name, a->name);
	put_credential(a, kind, &out);
	put_credential(a, kind2, &out);
	bundle_add_open(b, buf_bytes(&out), "broker/systemd/%s.conf", a->name);
}

/* Text, so that clients which take the key from a command line can have it as well. */
static void
fill_psk(const struct keyargs *a, struct bundle *b)
{
	uint8_t raw[SECRET_LEN], text[TEXT_MAX], hex[2 * SECRET_LEN];
	struct buf key = BUF_OF(hex), out = BUF_OF(text);

	rnd_fill(raw, sizeof(raw));
	buf_put_hex(&key, BYTES_OF(raw));
	buf_printf(&out,
		"identities:\n"
		"  - name: \"%s\"\n"
		"    psk: { identity: \"%s\", key: \"file:%s.psk\" }\n",
		a->name, a->name, a->name);
	bundle_add(b, buf_bytes(&key), "broker/%s.psk", a->name);
	keygen_add_unit(a, "psk", NULL, b);
	bundle_add_open(b, buf_bytes(&out), "broker/conf.d/%s.yaml", a->name);
	bundle_add(b, buf_bytes(&key), "%s/%s.psk", a->name, a->name);
	bundle_add(b, buf_bytes(&out), "%s/%s.yaml", a->name, a->name);
	mem_wipe(raw, sizeof(raw));
	mem_wipe(hex, sizeof(hex));
}

/* One end's view of an OSCORE context. */
static void
put_oscore(const struct keyargs *a, const struct keyargs_id *sender,
	const struct keyargs_id *recipient, const struct keyargs_id *salt, struct buf *out)
{
	char hex[HEX_MAX];

	buf_printf(out, "identities:\n  - name: \"%s\"\n    oscore:\n", a->name);
	buf_printf(out, "      sender-id: \"hex:%s\"\n", id_hex(sender, hex));
	buf_printf(out, "      recipient-id: \"hex:%s\"\n", id_hex(recipient, hex));
	buf_printf(out, "      master-secret: \"file:%s.secret\"\n", a->name);
	buf_printf(out, "      master-salt: \"hex:%s\"\n", id_hex(salt, hex));
	if (a->id_context.given)
		buf_printf(out, "      id-context: \"hex:%s\"\n", id_hex(&a->id_context, hex));
}

static void
draw_id(struct keyargs_id *id, uint8_t n)
{
	*id = (struct keyargs_id){.given = true, .n = n};
	rnd_fill(id->b, n);
}

/* That a context can be made of it says that the ids are as they must be. */
static int
try_oscore(const struct keyargs *a, const struct keyargs_id *broker,
	const struct keyargs_id *client, struct bytes secret, struct error *e)
{
	struct context_plain p = {.master_secret = secret,
		.id_context = a->id_context.given ? id_bytes(&a->id_context) : BYTES_NONE,
		.sender_id = id_bytes(broker),
		.recipient_id = id_bytes(client)};
	struct context *c;
	int rc;

	/* RFC 8613 3.3: the two directions would share keys and nonces. */
	if (bytes_equal(p.sender_id, p.recipient_id)) {
		error_set(e, "--broker-id and --client-id must not be the same");
		return -EINVAL;
	}
	if ((rc = context_new_plain(&p, e, &c)) == 0)
		context_release(c);
	return rc;
}

static int
fill_oscore(const struct keyargs *a, struct bundle *b, struct error *e)
{
	struct keyargs_id broker = a->broker_id, client = a->client_id, salt;
	uint8_t secret[SECRET_LEN], text[TEXT_MAX];
	struct buf out = BUF_OF(text);
	int rc;

	if (!broker.given)
		broker = (struct keyargs_id){.given = true, .n = 1};
	if (!client.given)
		draw_id(&client, CLIENT_ID_LEN);
	draw_id(&salt, SALT_LEN);
	rnd_fill(secret, sizeof(secret));
	rc = try_oscore(a, &broker, &client, BYTES_OF(secret), e);
	if (rc == 0) {
		put_oscore(a, &broker, &client, &salt, &out);
		bundle_add(b, BYTES_OF(secret), "broker/%s.secret", a->name);
		keygen_add_unit(a, "secret", NULL, b);
		bundle_add_open(b, buf_bytes(&out), "broker/conf.d/%s.yaml", a->name);
		buf_clear(&out);
		put_oscore(a, &client, &broker, &salt, &out);
		bundle_add(b, BYTES_OF(secret), "%s/%s.secret", a->name, a->name);
		bundle_add(b, buf_bytes(&out), "%s/%s.yaml", a->name, a->name);
	}
	mem_wipe(secret, sizeof(secret));
	return rc;
}

int
keygen_fill_identity(const struct keyargs *a, struct bundle *b, struct error *e)
{
	if (!a->psk)
		return fill_oscore(a, b, e);
	fill_psk(a, b);
	return 0;
}

/* What was made, for people and for scripts. */
static enum cli_exit
print_paths(const struct bundle *b)
{
	uint8_t line[BUNDLE_PATH + 1];
	enum connection_written w = CONNECTION_WRITTEN;

	for (size_t i = 0; i < b->n && w == CONNECTION_WRITTEN; i++) {
		struct buf out = BUF_OF(line);

		buf_put_str(&out, b->files[i].path);
		buf_put_str(&out, "\n");
		w = connection_write(buf_bytes(&out));
	}
	return connection_wrote(w);
}

static enum cli_exit
run(int argc, char **argv, enum keyargs_what what,
	int (*fill)(const struct keyargs *a, struct bundle *b, struct error *e), bool *ret_help)
{
	struct keyargs *a = mem_alloc(sizeof(*a)); /* large */
	enum cli_exit rc = CLI_USAGE;
	struct bundle b;
	struct error e;
	int filled;

	if (keyargs_parse(argc, argv, what, a, &e) < 0) {
		connection_complain("%s", e.text);
		goto out;
	}
	*ret_help = a->help;
	rc = CLI_OK;
	if (a->help)
		goto out;
	bundle_init(&b, a->folder);
	/* What does not fit together was asked for like that. */
	filled = fill(a, &b, &e);
	if (filled < 0 || bundle_write(&b, &e) < 0) {
		connection_complain("%s", e.text);
		rc = filled == -EINVAL ? CLI_USAGE : CLI_OTHER;
	} else {
		rc = print_paths(&b);
	}
	bundle_fini(&b);
	crypto_stop();
out:
	free(a);
	return rc;
}

enum cli_exit
keygen_identity(int argc, char **argv, bool *ret_help)
{
	return run(argc, argv, KEYARGS_IDENTITY, keygen_fill_identity, ret_help);
}

enum cli_exit
keygen_group(int argc, char **argv, bool *ret_help)
{
	return run(argc, argv, KEYARGS_GROUP, keygen_fill_group, ret_help);
}
