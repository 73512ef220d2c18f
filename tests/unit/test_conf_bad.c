/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Configurations that are refused, each with the exact line that says why.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "conf/conf.h"
#include "unit.h"

#define GROUP "groups:\n- { name: g, address: 239.1.2.3, interface: eth0"
#define OSCORE_GROUP \
	"oscore-groups:\n- { name: k, private-key: \"text:0123456789abcdef0123456789abcdef\""
#define EXTERNAL                                                             \
	OSCORE_GROUP ", managed: external, gid: hex:01, sender-id: hex:05, " \
		     "master-secret: \"text:0123456789abcdef\", gm-credential: hex:a0"
#define OSCORE_ID(name, rest)                                                                 \
	"- { name: " name ", oscore: { sender-id: hex:03, master-secret: hex:00112233, " rest \
	" } }\n"

struct bad {
	const char *text;
	const char *error; /* what comes after "f:" */
};

static const struct bad form[] = {
	{"brokr: {}\n", "1:1: brokr: unknown key, did you mean broker?"},
	{"broker:\n  colection: /ps\n",
		"2:3: broker.colection: unknown key, did you mean collection?"},
	{"broker: { limits: { Topics: 5 } }\n",
		"1:21: broker.limits.Topics: unknown key, did you mean topics?"},
	{"broker: { create_on_publish: true }\n",
		"1:11: broker.create_on_publish: unknown key, did you mean create-on-publish?"},
	{"logg: {}\n", "1:1: logg: unknown key, did you mean log?"},
	{"xyzzy: 1\n", "1:1: xyzzy: unknown key"},
	{"\"a\\tb\\e\": 1\n", "1:1: a?b?: unknown key"},
	{"\xc3\xa4\xc3\xb6: 1\n", "1:1: \xc3\xa4\xc3\xb6: unknown key"},
	{"a123456789b123456789c123456789d123456789e123456789: 1\n",
		"1:1: a123456789b123456789c123456789d123456789e123...: unknown key"},
	{"log: {}\nlog: {}\n", "2:1: log: is there twice"},
	{"groups:\n- name: g\n  port: 1\n  port: 2\n", "4:3: groups[0].port: is there twice"},
	{"log: &a {}\n", "1:6: log: anchors are refused"},
	{"log: { level: &a notice }\n", "1:15: log.level: anchors are refused"},
	{"groups: &g []\n", "1:9: groups: anchors are refused"},
	{"log: *a\n", "1:6: log: aliases are refused"},
	{"a: &a [x]\nb: [*a, *a]\n", "1:1: a: unknown key"},
	{"log: !map {}\n", "1:6: log: tags are refused"},
	{"log: { level: !!str notice }\n", "1:15: log.level: tags are refused"},
	{"log: { level: ! notice }\n", "1:15: log.level: tags are refused"},
	{"listen: !!seq []\n", "1:9: listen: tags are refused"},
	{"<<: {}\n", "1:1: <<: unknown key"},
	{"log: {}\n---\nlog: {}\n", "2:1: a second document is refused"},
	{"--- {}\n--- {}\n", "2:1: a second document is refused"},
	{"- a\n", "1:1: must be a map of keys"},
	{"hello\n", "1:1: must be a map of keys"},
	{"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "1:1: must be a map of keys"},
	{"broker: { limits: { topics: { topics: 1 } } }\n",
		"1:29: broker.limits.topics: must be a single value"},
	{"broker: { limits: { topics: [[[[1]]]] } }\n",
		"1:29: broker.limits.topics: must be a single value"},
	{"broker: 1\n", "1:9: broker: must be a map of keys"},
	{"broker: []\n", "1:9: broker: must be a map of keys"},
	{"broker:\n", "1:8: broker: must be a map of keys"},
	{"groups:\n", "1:8: groups: must be a list, [] when it is to be empty"},
	{"groups: {}\n", "1:9: groups: must be a list, [] when it is to be empty"},
	{"groups: hall\n", "1:9: groups: must be a list, [] when it is to be empty"},
	{"groups: [ hall ]\n", "1:11: groups[0]: must be a map of keys"},
	{"groups: [ [] ]\n", "1:11: groups[0]: must be a map of keys"},
	{"access: ~\n", "1:9: access: must be a list, [] when it is to be empty"},
	{"listen: []\n", "1:9: listen: must have at least one entry"},
	{"listen:\n", "1:8: listen: must be a list, [] when it is to be empty"},
	{"log: { level: }\n", "1:15: log.level: needs a value"},
	{"log: { level: ~ }\n", "1:15: log.level: needs a value"},
	{"log: { level: null }\n", "1:15: log.level: needs a value"},
	{"{ ? { a: b } : c }\n", "1:5: keys must be plain words"},
	{"? [ a ]\n: b\n", "1:3: keys must be plain words"},
	{"log: { level: [ notice ] }\n", "1:15: log.level: must be a single value"},
	{"log: {\n",
		"2:1: log: not YAML: did not find expected node content while parsing a flow node"},
	{"log:\n\tlevel: notice\n", "2:1: log: not YAML: found character that cannot start any "
				    "token while scanning for "
				    "the next token"},
	{"log: { level: \"notice }\n",
		"2:1: log.level: not YAML: found unexpected end of stream while scanning a quoted "
		"scalar"},
	{"a: b: c\n", "1:1: a: unknown key"},
	{"log: {}\nx\xff: 1\n", "2:2: not UTF-8 text: invalid leading UTF-8 octet"},
	{"log: {}\nx\xc3(: 1\n", "2:3: not UTF-8 text: invalid trailing UTF-8 octet"},
	{"log: {}\nx\x01: 1\n", "2:2: not UTF-8 text: control characters are not allowed"},
	{"\xff\xfel\0o\0g\0", "1:1: not UTF-8 text: invalid leading UTF-8 octet"},
	{"%YAML 1.9\n---\nlog: {}\n", "1:1: not YAML: found incompatible YAML document"},
};

static const struct bad values[] = {
	{"broker: { create-on-publish: maybe }\n",
		"1:30: broker.create-on-publish: must be true or false"},
	{"broker: { limits: { topics: 0 } }\n",
		"1:29: broker.limits.topics: must be a whole number from 1 to 10000000"},
	{"broker: { limits: { topics: 10000001 } }\n",
		"1:29: broker.limits.topics: must be a whole number from 1 to 10000000"},
	{"broker: { limits: { topics: -1 } }\n",
		"1:29: broker.limits.topics: must be a whole number from 1 to 10000000"},
	{"broker: { limits: { topics: 1.5 } }\n",
		"1:29: broker.limits.topics: must be a whole number from 1 to 10000000"},
	{"broker: { limits: { topics: 0x10 } }\n",
		"1:29: broker.limits.topics: must be a whole number from 1 to 10000000"},
	{"broker: { limits: { topics: 99999999999999999999999 } }\n",
		"1:29: broker.limits.topics: must be a whole number from 1 to 10000000"},
	{"broker: { limits: { topics: \"5\\0\" } }\n",
		"1:29: broker.limits.topics: must not contain control characters"},
	{"broker: { limits: { payload: 1KB } }\n",
		"1:30: broker.limits.payload: must be a size (K, M, G) from 1 to 16M"},
	{"broker: { limits: { payload: 17M } }\n",
		"1:30: broker.limits.payload: must be a size (K, M, G) from 1 to 16M"},
	{"broker: { limits: { payload: 18446744073709551615T } }\n",
		"1:30: broker.limits.payload: must be a size (K, M, G) from 1 to 16M"},
	{"broker: { limits: { payload: 2M, memory: 1M } }\n",
		"1:30: broker.limits.payload: must not be more than broker.limits.memory"},
	{"state: { commit-interval: 5 }\n",
		"1:27: state.commit-interval: must be a duration (ms, s, m, h, d) from 0s to 1h"},
	{"state: { commit-interval: 2h }\n",
		"1:27: state.commit-interval: must be a duration (ms, s, m, h, d) from 0s to 1h"},
	{"state: { commit-interval: 1 s }\n",
		"1:27: state.commit-interval: must be a duration (ms, s, m, h, d) from 0s to 1h"},
	{"state: { directory: \"\" }\n",
		"1:21: state.directory: must be 1 to 1023 bytes long, has 0"},
	{"broker: { collection: ps }\n",
		"1:23: broker.collection: must be a path such as /ps, without a slash at its end"},
	{"broker: { collection: /ps/ }\n",
		"1:23: broker.collection: must be a path such as /ps, without a slash at its end"},
	{"broker: { collection: / }\n",
		"1:23: broker.collection: must be a path such as /ps, without a slash at its end"},
	{"broker: { collection: /a//b }\n",
		"1:23: broker.collection: must be a path such as /ps, without a slash at its end"},
	{"broker: { collection: /a b }\n", "1:23: broker.collection: must have letters, digits and "
					   "-._~ between the slashes"},
	{"broker: { collection: /.well-known }\n",
		"1:23: broker.collection: must not start with a dot or have . and .. in it"},
	{"broker: { collection: /a/.. }\n",
		"1:23: broker.collection: must not start with a dot or have . and .. in it"},
	{"listen: [ http://1.2.3.4:80 ]\n",
		"1:11: listen[0]: must start with coap://, coaps://, coap+tcp:// or coaps+tcp://"},
	{"listen: [ coap://localhost ]\n", "1:11: listen[0]: must have an address and maybe a port "
					   "after coap://, IPv6 in brackets"},
	{"listen: [ coap://1.2.3.4:0 ]\n", "1:11: listen[0]: must have an address and maybe a port "
					   "after coap://, IPv6 in brackets"},
	{"listen: [ \"coaps://::1\" ]\n", "1:11: listen[0]: must have an address and maybe a port "
					  "after coaps://, IPv6 in brackets"},
	{"listen: [ coap://1.2.3.4/ ]\n", "1:11: listen[0]: must have an address and maybe a port "
					  "after coap://, IPv6 in brackets"},
	{"listen: [ coap://224.0.1.187 ]\n", "1:11: listen[0]: must not be a multicast address"},
	{"listen: [ coap://1.2.3.4, coap://1.2.3.4:5683 ]\n",
		"1:27: listen[1]: is the same as listen[0]"},
	{"discovery: { interfaces: [ eth0/1 ] }\n",
		"1:28: discovery.interfaces[0]: must be the name of a network interface"},
	{"discovery: { interfaces: [ averyverylongname ] }\n",
		"1:28: discovery.interfaces[0]: must be the name of a network interface"},
	{"security: { nosec: maybe }\n",
		"1:20: security.nosec: must be one of deny, loopback, allow"},
	{"security: { certificate: { key: k } }\n", "1:26: security.certificate.file: is required"},
	{"metrics: { listen: 127.0.0.1 }\n",
		"1:20: metrics.listen: must be ADDRESS:PORT, IPv6 in brackets"},
	{"metrics: { listen: \"::1\" }\n",
		"1:20: metrics.listen: must be ADDRESS:PORT, IPv6 in brackets"},
	{"log: { level: loud }\n",
		"1:15: log.level: must be one of error, warning, notice, info, debug"},
	{"log: { level: \"a\\nb\" }\n",
		"1:15: log.level: must be one of error, warning, notice, info, debug"},
	{"protocol: { topic-format: 65536 }\n",
		"1:27: protocol.topic-format: must be a whole number from 0 to 65535"},
	{"protocol: { topic-format: 65001 }\n", "1:11: protocol.informative-response-format: must "
						"not be the same as topic-format"},
	{"protocol: { feedback-divider-option: 19 }\n",
		"1:38: protocol.feedback-divider-option: must be an even number that no other "
		"option "
		"has"},
	{"protocol: { feedback-divider-option: 6 }\n",
		"1:38: protocol.feedback-divider-option: must be an even number that no other "
		"option "
		"has"},
	{"topics: [ {} ]\n", "1:11: topics[0].name: is required"},
	{"topics: [ { name: \"\" } ]\n",
		"1:19: topics[0].name: must be 1 to 1024 bytes long, has 0"},
	{"topics: [ { name: \"a\\tb\" } ]\n",
		"1:19: topics[0].name: must not contain control characters"},
	{"topics: [ { name: \"a\\u0085\" } ]\n",
		"1:19: topics[0].name: must not contain control characters"},
	{"topics: [ { name: a }, { name: b }, { name: a } ]\n",
		"1:45: topics[2].name: is the same as that of topics[0]"},
	{"topics: [ { name: a, initialize: x } ]\n",
		"1:34: topics[0].initialize: needs content-format too"},
	{"topics: [ { name: a, content-format: 0, initialize: xyz } ]\nbroker: { limits: { "
	 "payload: 2 "
	 "} }\n",
		"1:53: topics[0].initialize: must not be longer than broker.limits.payload"},
	{"topics: [ { name: a }, { name: b } ]\nbroker: { limits: { topics: 1 } }\n",
		"1:9: topics: must not be more than broker.limits.topics"},
};

static const struct bad groups[] = {
	{"groups: [ { address: 239.1.2.3, interface: eth0 } ]\n",
		"1:11: groups[0].name: is required"},
	{"groups: [ { name: g, interface: eth0 } ]\n", "1:11: groups[0].address: is required"},
	{"groups: [ { name: g, address: 239.1.2.3 } ]\n", "1:11: groups[0].interface: is required"},
	{"groups: [ { name: g, address: 10.0.0.1, interface: eth0 } ]\n",
		"1:31: groups[0].address: must be a multicast address"},
	{"groups: [ { name: g, address: \"fd00::1\", interface: eth0 } ]\n",
		"1:31: groups[0].address: must be a multicast address"},
	{"groups: [ { name: g, address: hall, interface: eth0 } ]\n",
		"1:31: groups[0].address: must be an IPv4 or IPv6 address"},
	{"groups: [ { name: g, address: 239.1.2.3:5683, interface: eth0 } ]\n",
		"1:31: groups[0].address: must be an IPv4 or IPv6 address"},
	{"groups: [ { name: g, address: 224.0.1.187, interface: eth0 } ]\n",
		"1:31: groups[0].address: must not be an All-CoAP-Nodes address"},
	{"groups: [ { name: g, address: \"ff05::fd\", interface: eth0 } ]\n",
		"1:31: groups[0].address: must not be an All-CoAP-Nodes address"},
	{"groups: [ { name: g, address: \"ff02::fd\", interface: eth0 } ]\n",
		"1:31: groups[0].address: must not be an All-CoAP-Nodes address"},
	{"groups: [ { name: g, address: 224.0.0.251, interface: eth0 } ]\n",
		"1:31: groups[0].address: must not be of host or link-local scope"},
	{"groups: [ { name: g, address: \"ff01::5\", interface: eth0 } ]\n",
		"1:31: groups[0].address: must not be of host or link-local scope"},
	{"groups: [ { name: g, address: \"ff02::5\", interface: eth0 } ]\n",
		"1:31: groups[0].address: must not be of host or link-local scope"},
	{"groups: [ { name: g, address: \"ff12::5\", interface: eth0 } ]\n",
		"1:31: groups[0].address: must not be of host or link-local scope"},
	{GROUP ", port: 65536 } ]\n",
		"2:57: groups[0].port: must be a whole number from 1 to 65535"},
	{GROUP ", hops: 0 } ]\n", "2:57: groups[0].hops: must be a whole number from 1 to 255"},
	{GROUP ", threshold: 0 } ]\n",
		"2:62: groups[0].threshold: must be a whole number from 1 to 65535"},
	{GROUP ", topics: [] }\n", "2:59: groups[0].topics: must have at least one entry"},
	{GROUP ", members: [ 10.0.0.0/33 ] }\n", "2:62: groups[0].members[0]: must be an address "
						 "block such as 10.0.0.0/8 or fd00::/8"},
	{GROUP ", members: [ 10.0.0.0/8, \"fd00::/8\" ] }\n",
		"2:74: groups[0].members[1]: must be of the address family of the group"},
	{GROUP ", source: \"fd00::1\" }\n",
		"2:59: groups[0].source: must be of the address family of the group"},
	{GROUP ", source: 239.1.2.3 }\n",
		"2:59: groups[0].source: must be an address of this host"},
	{GROUP ", source: 0.0.0.0 }\n", "2:59: groups[0].source: must be an address of this host"},
	{GROUP ", source: 169.254.1.1 }\n", "2:59: groups[0].source: must not be link-local"},
	{GROUP ", max-age: 0s }\n", "2:60: groups[0].max-age: must be a duration (ms, s, m, h, d) "
				    "from 1s to 30d"},
	{GROUP ", max-age: 1500ms }\n", "2:60: groups[0].max-age: must be whole seconds"},
	{GROUP ", min-interval: 60s }\n",
		"2:65: groups[0].min-interval: must be less than max-age"},
	{GROUP ", threshold: 3, cancel-below: 4 }\n",
		"2:79: groups[0].cancel-below: must not be more than threshold"},
	{GROUP ", datagram: 100 }\n",
		"2:61: groups[0].datagram: must be a whole number from 256 to 2048"},
	{GROUP ", informative-response: all }\n",
		"2:73: groups[0].informative-response: must be one of both, current, seed"},
	{GROUP ", oscore: nothing }\n",
		"2:59: groups[0].oscore: must be the name of one of oscore-groups"},
	{GROUP " }\n- { name: g, address: 239.1.2.4, interface: eth0 }\n",
		"3:11: groups[1].name: is the same as that of groups[0]"},
	{GROUP " }\n- { name: h, address: 239.1.2.3, interface: eth0 }\n",
		"3:23: groups[1].address: is the same as that of groups[0]"},
};

static const struct bad security[] = {
	{"identities: [ { name: a } ]\n",
		"1:15: identities[0]: needs one of psk, oscore and certificate"},
	{"identities: [ { name: anonymous, certificate: { cn: a } } ]\n",
		"1:23: identities[0].name: must be a name without *, and not anonymous"},
	{"identities: [ { name: \"a*\", certificate: { cn: a } } ]\n",
		"1:23: identities[0].name: must be a name without *, and not anonymous"},
	{"identities:\n- { name: a, certificate: { cn: a } }\n- { name: a, certificate: { cn: b } "
	 "}\n",
		"3:11: identities[1].name: is the same as that of identities[0]"},
	{"identities:\n- { name: a, certificate: { cn: a } }\n- { name: b, certificate: { cn: a } "
	 "}\n",
		"3:33: identities[1].certificate.cn: is the same as that of identities[0]"},
	{"identities:\n- { name: a, psk: { identity: a, key: hex:00 } }\n"
	 "- { name: b, psk: { identity: a, key: hex:01 } }\n",
		"3:31: identities[1].psk.identity: is the same as that of identities[0]"},
	{"identities: [ { name: a, psk: { identity: a } } ]\n",
		"1:31: identities[0].psk.key: is required"},
	{"identities: [ { name: a, psk: { identity: a, key: secret } } ]\n",
		"1:51: identities[0].psk.key: must start with hex:, text: or file:"},
	{"identities: [ { name: a, psk: { identity: a, key: hex:0 } } ]\n",
		"1:51: identities[0].psk.key: must have pairs of hex digits after hex:"},
	{"identities: [ { name: a, psk: { identity: a, key: hex:0g } } ]\n",
		"1:51: identities[0].psk.key: must have pairs of hex digits after hex:"},
	{"identities: [ { name: a, psk: { identity: a, key: \"hex:\" } } ]\n",
		"1:51: identities[0].psk.key: must be 1 to 64 bytes long, has 0"},
	{"identities: [ { name: a, psk: { identity: a, key: \"file:\" } } ]\n",
		"1:51: identities[0].psk.key: must have a file name after file:"},
	{"identities: [ { name: a, psk: { identity: a, key: file:x } } ]\n",
		"1:51: identities[0].psk.key: files cannot be named here"},
	{"identities: [ { name: a, psk: { identity: a, key: masked:x } } ]\n",
		"1:51: identities[0].psk.key: must not be masked"},
	{"identities:\n" OSCORE_ID("a", "recipient-id: \"masked:\""),
		"2:86: identities[0].oscore.recipient-id: must not be masked"},
	{"identities:\n" OSCORE_ID("a", "recipient-id: hex:0102030405060708"),
		"2:86: identities[0].oscore.recipient-id: must be 0 to 7 bytes long, has 8"},
	{"identities:\n" OSCORE_ID("a", "recipient-id: hex:03"),
		"2:86: identities[0].oscore.recipient-id: must not be the same as sender-id"},
	{"identities:\n" OSCORE_ID("a", "recipient-id: hex:01")
			OSCORE_ID("b", "recipient-id: hex:01"),
		"3:86: identities[1].oscore.recipient-id: is the same as that of identities[0]"},
	{"identities:\n" OSCORE_ID("a", "recipient-id: hex:01, id-context: hex:37cb")
			OSCORE_ID("b", "recipient-id: hex:01, id-context: hex:37cb"),
		"3:86: identities[1].oscore.recipient-id: is the same as that of identities[0]"},
	{"identities:\n" OSCORE_ID("a", "recipient-id: hex:01, id-context: \"hex:\"")
			OSCORE_ID("b", "recipient-id: hex:01"),
		"3:86: identities[1].oscore.recipient-id: is the same as that of identities[0]"},
	{"access: [ { who: a, topics: b } ]\n", "1:11: access[0].may: is required"},
	{"access: [ { who: a, topics: b, may: [ fly ] } ]\n",
		"1:39: access[0].may: must be one of discover, read, subscribe, publish, create, "
		"configure, delete"},
	{"access: [ { who: a, topics: b, may: [] } ]\n",
		"1:37: access[0].may: must have at least one entry"},
	{"access: [ { who: a, topics: [], may: read } ]\n",
		"1:29: access[0].topics: must have at least one entry"},
	{"oscore-groups: [ { name: k } ]\n", "1:18: oscore-groups[0].private-key: is required"},
	{OSCORE_GROUP ", managed: external }\n",
		"2:3: oscore-groups[0].gid: is required with managed: external"},
	{OSCORE_GROUP ", gid: \"hex:\" }\n",
		"2:73: oscore-groups[0].gid: must be 1 to 255 bytes long, has 0"},
	{EXTERNAL ", join-uri: coap://gm/g }\n",
		"2:192: oscore-groups[0].join-uri: join-uri and group-name come together"},
	{EXTERNAL ", join-uri: gm/g }\n",
		"2:192: oscore-groups[0].join-uri: must be a URI such as coap://host/path"},
	{EXTERNAL ", as-uri: \"coap://\xc3\xa4/\" }\n",
		"2:190: oscore-groups[0].as-uri: must be written in ASCII, %-encoded"},
	{EXTERNAL ", aead-algorithm: AES-CCM-16-64-128 }\n",
		"2:198: oscore-groups[0].aead-algorithm: pairwise mode needs "
		"pairwise-key-agreement-algorithm as well"},
	{OSCORE_GROUP ", sender-id: hex:0102, group-encryption-algorithm: AES-CCM-64-64-128 }\n",
		"2:79: oscore-groups[0].sender-id: must be at most 1 bytes long with these "
		"algorithms"},
	{OSCORE_GROUP ", sender-id: hex:01020304050607, group-encryption-algorithm: A128GCM }\n",
		"2:79: oscore-groups[0].sender-id: must be at most 6 bytes long with these "
		"algorithms"},
	{EXTERNAL ", members: [ { name: m, sender-id: hex:05, credential: hex:a0 } ] }\n",
		"2:215: oscore-groups[0].members[0].sender-id: is the broker's own"},
	{EXTERNAL ", members: [ { name: m, sender-id: hex:06, credential: hex:a0 },\n"
		  "{ name: n, sender-id: hex:06, credential: hex:a0 } ] }\n",
		"3:23: oscore-groups[0].members[1].sender-id: is the same as that of "
		"oscore-groups[0].members[0]"},
	{OSCORE_GROUP " }\n- { name: k, private-key: \"text:0123456789abcdef0123456789abcdef\" }\n",
		"3:11: oscore-groups[1].name: is the same as that of oscore-groups[0]"},
	{EXTERNAL " }\n- { name: l, private-key: \"text:0123456789abcdef0123456789abcdef\", "
		  "managed: external, gid: hex:01, sender-id: hex:05, master-secret: hex:00, "
		  "gm-credential: hex:a0 }\n",
		"3:92: oscore-groups[1].gid: is the same as that of oscore-groups[0]"},
};

static const struct {
	const struct bad *bad;
	size_t n;
} tables[] = {
	{form, sizeof(form) / sizeof(form[0])},
	{values, sizeof(values) / sizeof(values[0])},
	{groups, sizeof(groups) / sizeof(groups[0])},
	{security, sizeof(security) / sizeof(security[0])},
};

/* The UTF-16 text has NULs in it. */
static struct bytes
text_of(const char *text)
{
	return text[0] == '\xff' ? bytes_of(text, 8) : bytes_str(text);
}

static bool
is_refused(const struct bad *b)
{
	struct error e = {.text = "f:accepted"};
	struct conf *c = NULL;
	int rc = conf_parse(text_of(b->text), "f", &c, &e);

	conf_free(c);
	if (rc == -EINVAL && strncmp(e.text, "f:", 2) == 0 && strcmp(e.text + 2, b->error) == 0)
		return true;
	printf("# %s#   is: %s\n#   not: f:%s\n", b->text, e.text, b->error);
	return false;
}

/* Port 5684 "MUST NOT be used for any CoAP group communication". */
START_TEST(groupcomm_3_4_no_group_at_the_port_of_dtls)
{
	static const struct bad bad = {GROUP ", port: 5684 }\n",
		"2:57: groups[0].port: must not be 5684, which is that of DTLS"};

	ck_assert(is_refused(&bad));
}

/* "MUST NOT provide link-local or site-local addresses": as a group or as our own. */
START_TEST(omn_4_2_no_link_local_group_or_source)
{
	static const struct bad bad[] = {
		{"groups: [ { name: g, address: 224.0.0.251, interface: eth0 } ]\n",
			"1:31: groups[0].address: must not be of host or link-local scope"},
		{"groups: [ { name: g, address: \"ff12::5\", interface: eth0 } ]\n",
			"1:31: groups[0].address: must not be of host or link-local scope"},
		{GROUP ", source: 169.254.1.1 }\n",
			"2:59: groups[0].source: must not be link-local"},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert(is_refused(&bad[i]));
}

START_TEST(refused)
{
	size_t n_wrong = 0;

	for (size_t i = 0; i < tables[_i].n; i++)
		n_wrong += !is_refused(&tables[_i].bad[i]);
	ck_assert_uint_eq(n_wrong, 0);
}
END_TEST

/* No secret may get into a message, wherever the fault is. */
START_TEST(secrets_are_not_quoted)
{
	static const char text[] = "identities: [ { name: a, psk: { identity: a, key: %s } } ]";
	static const char *const keys[] = {"hex:5ec4e7zz", "5ec4e7",
		"\"text:5ec4e7"
		"5ec4e7 5ec4e7 5ec4e7 5ec4e7 "
		"5ec4e7 5ec4e7 5ec4e7 5ec4e7 "
		"5ec4e7\""};
	char whole[256];

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct conf *c = NULL;
		struct error e;

		snprintf(whole, sizeof(whole), text, keys[i]);
		ck_assert_int_eq(conf_parse(bytes_str(whole), "f", &c, &e), -EINVAL);
		ck_assert_ptr_null(strstr(e.text, "5ec4e7"));
	}
}
END_TEST

START_TEST(too_large)
{
	size_t n = (1U << 20) + 1;
	char *text = malloc(n);
	struct conf *c = NULL;
	struct error e;

	ck_assert_ptr_nonnull(text);
	memset(text, '#', n);
	ck_assert_int_eq(conf_parse(bytes_of(text, n), "f", &c, &e), -EINVAL);
	ck_assert_str_eq(e.text, "f: is larger than 1048576 bytes");
	ck_assert_int_eq(conf_parse(bytes_of(text, n - 1), "f", &c, &e), 0);
	conf_free(c);
	free(text);
}
END_TEST

/* Deep nesting, a million times: refused where the schema ends. */
START_TEST(too_deep)
{
	static const char *const unit[] = {"[", "{a: ", "- ", "? "};
	size_t n = 100000, each = strlen(unit[_i]);
	char *text = malloc(32 + n * each);
	struct conf *c = NULL;
	struct error e;
	size_t at;

	ck_assert_ptr_nonnull(text);
	at = (size_t)sprintf(text, "listen:\n ");
	for (size_t i = 0; i < n; i++, at += each)
		memcpy(text + at, unit[_i], each);
	ck_assert_int_eq(conf_parse(bytes_of(text, at), "f", &c, &e), -EINVAL);
	ck_assert_msg(strncmp(e.text, "f:2:", 4) == 0, "%s", e.text);
	free(text);
}
END_TEST

/* Every part of a good text that is not good itself says where it stops. */
START_TEST(truncated)
{
	static const char text[] =
		"listen: [ \"coap://[::]:5683\" ]\n"
		"groups:\n  - name: hall\n    address: 239.255.17.4\n"
		"    interface: eth0\n    members: [ 10.0.0.0/8 ]\n"
		"topics: [ { name: demo, content-format: 0, initialize: \"hello\" } "
		"]\n";
	size_t n_bad = 0;

	for (size_t n = 0; n < sizeof(text); n++) {
		struct conf *c = NULL;
		struct error e = {.text = ""};
		int rc = conf_parse(bytes_of(text, n), "f", &c, &e);

		ck_assert(rc == 0 || strncmp(e.text, "f:", 2) == 0);
		ck_assert_int_eq(rc == 0, c != NULL);
		n_bad += rc != 0;
		conf_free(c);
	}
	ck_assert_uint_gt(n_bad, 100);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("conf_bad");
	TCase *t = tcase_create("conf_bad");

	tcase_add_loop_test(t, refused, 0, (int)(sizeof(tables) / sizeof(tables[0])));
	tcase_add_test(t, groupcomm_3_4_no_group_at_the_port_of_dtls);
	tcase_add_test(t, omn_4_2_no_link_local_group_or_source);
	tcase_add_test(t, secrets_are_not_quoted);
	tcase_add_test(t, too_large);
	tcase_add_loop_test(t, too_deep, 0, 4);
	tcase_add_test(t, truncated);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return unit_run(suite());
}
