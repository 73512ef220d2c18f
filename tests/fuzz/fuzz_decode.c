/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A capture as `coapcast decode` reads it, frame by frame: a byte for the link type, then
 * frames, each after its length in two bytes. The reader has keys of an identity and of a
 * group, which the corpus is protected with.
 */
#include <pcap/dlt.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/dissect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INFORM_FORMAT 65001

static const int links[] = {
	DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_NULL, DLT_LOOP, DLT_RAW, DLT_IPV4, DLT_IPV6};

/* Those of the tests of dissect. */
#define CCS                                            \
	"a2026662726f6b657208a101a4010103272006215820" \
	"77ec358c1d344e41ee0e87b8383d23a2099acd39bdf989ce45b52e887463389b"
static const char keys[] =
	"identities: [ { name: panel-1, oscore: { sender-id: hex:02, recipient-id: hex:01, "
	"master-secret: hex:0102030405060708090a0b0c0d0e0f10, "
	"master-salt: hex:9e7ca92223786340 } } ]\n"
	"oscore-groups: [ { name: hall-keys, managed: external, gid: hex:57ab2e, "
	"sender-id: hex:05, master-secret: hex:0102030405060708090a0b0c0d0e0f10, "
	"master-salt: hex:9e7ca92223786340, private-key: "
	"hex:857eb61d3f6d70a278a36740d132c099f62880ed497e27bdfd4685fa1a304f26, "
	"credential: hex:" CCS ", gm-credential: hex:" CCS " } ]\n";

static void
require(bool what)
{
	if (!what)
		abort();
}

static void
take_keys(struct keyring *k)
{
	static struct conf *c;
	struct error e;

	if (!c)
		require(conf_parse(bytes_str(keys), "keys", &c, &e) == 0);
	keyring_init(k);
	require(keyring_add_conf(k, c, "broker", &e) == 0);
}

static void
say(struct dissect *d, int link, struct bytes frame, struct buf *out)
{
	struct datagram g = {.payload = BYTES_NONE};
	enum datagram_verdict v = datagram_parse(link, frame, &g);
	struct telling *t = dissect_read(d, v, &g, 0);
	static struct json j;

	buf_clear(out);
	if (t) {
		telling_put_text(t, out);
		telling_put_json(t, &j);
		for (size_t i = 0; i < j.n; i++)
			require((uint8_t)j.p[i] >= 0x20 || (j.p[i] == '\n' && i + 1 == j.n));
	}
	telling_free(t);
	/* Lines of text that steer no terminal, and there is room for all of them. */
	require(!out->full);
	require(out->n == 0 || out->p[out->n - 1] == '\n');
	for (size_t i = 0; i < out->n; i++)
		require(out->p[i] == '\n' || (out->p[i] >= 0x20 && out->p[i] != 0x7f));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);
	static uint8_t text[DISSECT_TEXT];
	struct buf out = BUF_OF(text);
	struct keyring k;
	struct dissect d;
	int link;

	if (size == 0)
		return 0;
	link = links[data[0] % (sizeof(links) / sizeof(links[0]))];
	in = bytes_from(in, 1);
	take_keys(&k);
	dissect_init(&d, &k, INFORM_FORMAT);
	while (in.n >= 2) {
		size_t n = (size_t)(in.p[0] << 8 | in.p[1]);

		in = bytes_from(in, 2);
		say(&d, link, bytes_head(in, n), &out);
		in = bytes_from(in, n);
	}
	dissect_fini(&d);
	keyring_fini(&k);
	return 0;
}
