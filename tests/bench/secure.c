/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What Group OSCORE adds to a publish with a group observation: CPU of broker and object
 * security without a network, next to the bare cost of what is the least to be computed,
 * one AES-CCM-16-64-128 and one Ed25519 signature in libcrypto. Lines of KEY, tab, value.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/rnd.h"
#include "net/groupkeys.h"
#include "net/plan.h"
#include "net/shields.h"
#include "wire/option.h"

#define N_PUBLISHES 10000 /* in a sample; a second of the broker's clock has 30,000 numbers */
#define N_SAMPLES 3
#define VALUE_LEN 64
#define TBS_LEN 260 /* what is signed: credentials, option and ciphertext among it */
#define AAD_LEN 170

static const char text[] =
	"groups: [ { name: g, address: 239.255.17.4, port: 61616, interface: lo, topics: [ \"*\" "
	"], "
	"threshold: 1%s } ]\noscore-groups: [ { name: keys, sender-id: hex:05, private-key: "
	"\"hex:1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100\" } ]\n";

static struct layer *layer;
static struct broker *broker;
static struct groupkeys *keys;
static uint8_t room_bytes[2048];
static struct buf room;
static unsigned n_to_group;
static bool to_group;

static void
die(const char *what)
{
	fprintf(stderr, "secure: %s\n", what);
	exit(1);
}

static double
cpu_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static struct buf *
on_open(void *ctx, const struct path *way)
{
	(void)ctx;
	(void)way;
	to_group = false;
	buf_clear(&room);
	return &room;
}

static struct buf *
on_open_group(void *ctx, const struct group_path *way)
{
	(void)ctx;
	(void)way;
	to_group = true;
	buf_clear(&room);
	return &room;
}

static void
on_commit(void *ctx)
{
	(void)ctx;
	n_to_group += to_group;
}

static void
on_random(void *ctx, void *p, size_t n)
{
	(void)ctx;
	rnd_fill(p, n);
}

static void
on_request(void *ctx, struct request *r)
{
	(void)ctx;
	broker_request(broker, r);
}

static int64_t
on_wall(void *ctx)
{
	(void)ctx;
	return time(NULL);
}

static struct shield *
on_phantom(void *ctx, const struct broker_group *g, const struct msg *plain, struct buf *out)
{
	(void)ctx;
	return groupkeys_phantom(keys, g, plain, out);
}

static void
on_inform(void *ctx, const struct broker_group *g, struct inform *in)
{
	(void)ctx;
	groupkeys_inform(keys, g, in);
}

static bool
on_udp_local(void *ctx, const struct path *way, struct addr *ret_local, uint16_t *ret_socket)
{
	(void)ctx;
	*ret_local = way->local;
	*ret_socket = 0;
	return true;
}

/* --- the groups', without a disk ------------------------------------------------------ */

static void
on_reserve(void *ctx, struct ssn *s, uint64_t upto)
{
	(void)ctx;
	ssn_reserved(s, upto);
}

static struct ssn *
on_ssn(void *ctx, const uint8_t fingerprint[SSN_FINGERPRINT], bool fresh)
{
	static const struct ssn_ops ops = {.reserve = on_reserve};
	struct ssn *s = ssn_new(fingerprint, &ops, NULL);
	struct error e;

	(void)ctx;
	(void)fresh;
	(void)ssn_start_fresh(s, &e);
	return s;
}

static bool
on_load_secret(void *ctx, struct bytes name, struct buf *out)
{
	(void)ctx;
	(void)name;
	(void)out;
	return false;
}

static void
on_save_secret(void *ctx, struct bytes name, struct bytes secret)
{
	(void)ctx;
	(void)name;
	(void)secret;
}

/* --- the samples --------------------------------------------------------------------- */

static void
receive(enum path_transport transport, enum msg_code code, struct bytes value)
{
	static uint16_t mid;
	const struct path way = {.remote = {.family = AF_INET, .ip = {10, 0, 0, 1}, .port = 40000},
		.local = {.family = AF_INET, .ip = {192, 0, 2, 1}, .port = 5683},
		.socket = transport == PATH_UDP ? 0 : PATH_FIRST_SESSION,
		.transport = transport};
	uint8_t bytes[512];
	struct buf out = BUF_OF(bytes);
	struct msg m;

	msg_init(&m, TYPE_NON, code);
	m.mid = ++mid;
	if (code == CODE_GET)
		(void)msg_add_uint(&m, OPT_OBSERVE, 0);
	(void)msg_add(&m, OPT_URI_PATH, BYTES_LIT("ps"));
	(void)msg_add(&m, OPT_URI_PATH, BYTES_LIT("data"));
	(void)msg_add(&m, OPT_URI_PATH, BYTES_LIT("t"));
	m.payload = value;
	if (msg_encode(&m, &out) < 0)
		die("a request does not fit");
	layer_receive(layer, &way, buf_bytes(&out));
	(void)broker_flush(broker);
}

static double
publishes(bool secure)
{
	enum path_transport transport = secure ? PATH_DTLS : PATH_UDP;
	uint8_t value[VALUE_LEN] = {0};
	double began_us;

	n_to_group = 0;
	receive(transport, CODE_GET, BYTES_NONE);
	layer_advance(layer, layer_now(layer) + 60000);
	n_to_group = 0;
	began_us = cpu_us();
	for (uint32_t i = 0; i < N_PUBLISHES; i++) {
		memcpy(value, &i, sizeof(i));
		receive(transport, CODE_PUT, BYTES_OF(value));
	}
	began_us = cpu_us() - began_us;
	if (n_to_group != N_PUBLISHES)
		die("not every publish was sent to the group");
	return began_us / N_PUBLISHES;
}

static double
sample(bool secure)
{
	static const struct layer_ops layer_ops = {.open = on_open,
		.commit = on_commit,
		.random = on_random,
		.on_request = on_request,
		.shields = &shields_ops};
	static const struct broker_ops broker_ops = {.open_group = on_open_group,
		.commit = on_commit,
		.random = on_random,
		.wall_s = on_wall,
		.group_phantom = on_phantom,
		.group_inform = on_inform,
		.udp_local = on_udp_local};
	static const struct groupkeys_ops ops = {.ssn = on_ssn,
		.load_secret = on_load_secret,
		.save_secret = on_save_secret,
		.wall_s = on_wall};
	struct groupkeys_options options = {.ops = &ops};
	struct context_table contexts;
	char conf_text[1024];
	struct conf *conf;
	struct plan plan;
	struct error e;
	double us;

	(void)snprintf(conf_text, sizeof(conf_text), text, secure ? ", oscore: keys" : "");
	if (conf_parse(bytes_str(conf_text), "secure", &conf, &e) < 0 ||
		plan_init(&plan, conf, conf, NULL, &e) < 0)
		die(e.text);
	layer = layer_new(&layer_ops, NULL, &plan.layer, 1000000);
	broker = broker_new(&plan.broker, &broker_ops, NULL, layer);
	context_table_init(&contexts, 1);
	options.conf = conf;
	options.subjects = subjects_new();
	options.contexts = &contexts;
	options.wheel = layer_wheel(layer);
	if (groupkeys_new(&options, &keys, &e) < 0 ||
		broker_create_topic(broker, BYTES_LIT("t"), BROKER_NO_FORMAT, BYTES_LIT("0")) < 0)
		die(e.text);
	if (groupkeys_secure(keys, conf->groups, plan.groups, conf->n_groups, &e) < 0)
		die(e.text);
	us = publishes(secure);
	broker_free(broker);
	groupkeys_free(keys);
	layer_free(layer);
	context_table_fini(&contexts);
	subjects_free(options.subjects);
	plan_fini(&plan);
	conf_free(conf);
	return us;
}

static int
seal(EVP_CIPHER_CTX *c, const uint8_t nonce[13], const uint8_t *aad, const uint8_t *plain)
{
	uint8_t out[VALUE_LEN + 32], tag[8];
	int n;

	return EVP_EncryptInit_ex(c, NULL, NULL, NULL, nonce) == 1 &&
	       EVP_EncryptUpdate(c, NULL, &n, NULL, VALUE_LEN) == 1 &&
	       EVP_EncryptUpdate(c, NULL, &n, aad, AAD_LEN) == 1 &&
	       EVP_EncryptUpdate(c, out, &n, plain, VALUE_LEN) == 1 &&
	       EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, sizeof(tag), tag) == 1;
}

static double
bare(void)
{
	static const uint8_t key[32] = {1};
	uint8_t nonce[13] = {0}, tbs[TBS_LEN] = {0}, signature[64];
	EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, key, sizeof(key));
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	double began_us;

	if (!pkey || !c || !md || EVP_EncryptInit_ex(c, EVP_aes_128_ccm(), NULL, NULL, NULL) != 1 ||
		EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_IVLEN, sizeof(nonce), NULL) != 1 ||
		EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, 8, NULL) != 1 ||
		EVP_EncryptInit_ex(c, NULL, NULL, key, nonce) != 1 ||
		EVP_DigestSignInit(md, NULL, NULL, NULL, pkey) != 1)
		die("libcrypto");
	began_us = cpu_us();
	for (uint32_t i = 0; i < N_PUBLISHES; i++) {
		size_t n = sizeof(signature);

		memcpy(nonce, &i, sizeof(i));
		memcpy(tbs, &i, sizeof(i));
		if (!seal(c, nonce, tbs, tbs) ||
			EVP_DigestSign(md, signature, &n, tbs, sizeof(tbs)) != 1)
			die("libcrypto");
	}
	began_us = cpu_us() - began_us;
	EVP_MD_CTX_free(md);
	EVP_CIPHER_CTX_free(c);
	EVP_PKEY_free(pkey);
	return began_us / N_PUBLISHES;
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
median(double *v)
{
	qsort(v, N_SAMPLES, sizeof(*v), by_size);
	return v[N_SAMPLES / 2];
}

int
main(void)
{
	double secure[N_SAMPLES], plain[N_SAMPLES], least[N_SAMPLES], ratio[N_SAMPLES];

	room = BUF_OF(room_bytes);
	/* Next to each other, so that the machine is the same. */
	for (int i = 0; i < N_SAMPLES; i++) {
		least[i] = bare();
		plain[i] = sample(false);
		secure[i] = sample(true);
		ratio[i] = secure[i] / (plain[i] + least[i]);
	}
	printf("bare_us\t%.2f\nplain_us\t%.2f\nsecure_us\t%.2f\nsecure_to_bare\t%."
	       "2f\ncomplete\t1\n",
		median(least), median(plain), median(secure), median(ratio));
	return 0;
}
