/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/firewall.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#define READ_MAX 32768
#define ANSWER_S 2

/* What is told of a chain. */
struct attributes {
	struct bytes of[NFTA_CHAIN_MAX + 1];
};

/* Attributes that are not known are passed over. */
static void
read_attributes(struct bytes in, struct bytes *ret, unsigned max)
{
	struct nlattr a;

	while (in.n >= sizeof(a)) {
		unsigned type;

		memcpy(&a, in.p, sizeof(a));
		if (a.nla_len < sizeof(a) || a.nla_len > in.n)
			return;
		type = a.nla_type & NLA_TYPE_MASK;
		if (type <= max)
			ret[type] = bytes_of(in.p + sizeof(a), a.nla_len - sizeof(a));
		in = bytes_from(in, NLA_ALIGN(a.nla_len));
	}
}

static uint32_t
number_of(struct bytes b)
{
	uint32_t v;

	if (b.n != sizeof(v))
		return UINT32_MAX;
	memcpy(&v, b.p, sizeof(v));
	return ntohl(v);
}

static void
copy_name(char *ret, struct bytes b)
{
	/* An attribute that is not there has no bytes at all. */
	const char *text = b.n ? (const char *)b.p : "";

	(void)snprintf(ret, FIREWALL_NAME, "%.*s", (int)strnlen(text, b.n), text);
}

/* "inet" is both; others, such as "netdev", are not asked. */
static const char *
family_name(uint8_t nfproto, uint8_t family)
{
	if (nfproto == NFPROTO_INET)
		return "inet";
	if (nfproto == NFPROTO_IPV4 && family == AF_INET)
		return "ip";
	return nfproto == NFPROTO_IPV6 && family == AF_INET6 ? "ip6" : NULL;
}

static void
take_chain(struct firewall *f, uint8_t family, struct bytes message)
{
	struct attributes a = {.of = {BYTES_NONE}};
	struct bytes hook[NFTA_HOOK_MAX + 1] = {BYTES_NONE};
	struct firewall_chain chain = {.drops = false};
	struct nfgenmsg head;
	const char *name;
	uint32_t number;

	if (message.n < sizeof(head))
		return;
	memcpy(&head, message.p, sizeof(head));
	if ((name = family_name(head.nfgen_family, family)) == NULL)
		return;
	read_attributes(bytes_from(message, NLMSG_ALIGN(sizeof(head))), a.of, NFTA_CHAIN_MAX);
	/* Without a hook it is one that others jump to. */
	read_attributes(a.of[NFTA_CHAIN_HOOK], hook, NFTA_HOOK_MAX);
	number = number_of(hook[NFTA_HOOK_HOOKNUM]);
	if ((number != NF_INET_LOCAL_IN && number != NF_INET_PRE_ROUTING) ||
		!bytes_is(bytes_head(a.of[NFTA_CHAIN_TYPE], 6), "filter"))
		return;
	(void)snprintf(chain.family, sizeof(chain.family), "%s", name);
	copy_name(chain.table, a.of[NFTA_CHAIN_TABLE]);
	copy_name(chain.chain, a.of[NFTA_CHAIN_NAME]);
	chain.drops = number_of(a.of[NFTA_CHAIN_POLICY]) == NF_DROP;
	if (f->n++ == 0 || (chain.drops && !f->first.drops))
		f->first = chain;
}

bool
firewall_take(struct firewall *f, uint8_t family, struct bytes datagram, int *ret_error)
{
	struct nlmsghdr h;
	int32_t error;

	while (datagram.n >= sizeof(h)) {
		struct bytes message;

		memcpy(&h, datagram.p, sizeof(h));
		if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > datagram.n)
			break;
		message = bytes_of(datagram.p + NLMSG_HDRLEN, h.nlmsg_len - NLMSG_HDRLEN);
		if (h.nlmsg_type == NLMSG_DONE)
			return true;
		if (h.nlmsg_type == NLMSG_ERROR && message.n >= sizeof(error)) {
			memcpy(&error, message.p, sizeof(error));
			*ret_error = error;
			return true;
		}
		if (h.nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN))
			take_chain(f, family, message);
		datagram = bytes_from(datagram, NLMSG_ALIGN(h.nlmsg_len));
	}
	return false;
}

static int
ask(int fd)
{
	struct {
		struct nlmsghdr h;
		struct nfgenmsg m;
	} q = {.h = {.nlmsg_len = sizeof(q),
		       .nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.m = {.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0}};
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

	if (sendto(fd, &q, sizeof(q), 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return -errno;
	return 0;
}

int
firewall_read(uint8_t family, struct firewall *ret)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER), rc;
	const struct timeval patience = {.tv_sec = ANSWER_S};
	struct firewall f = {.n = 0};
	uint8_t room[READ_MAX];
	ssize_t n;

	if (fd < 0)
		return -ENOTSUP;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	rc = ask(fd);
	while (rc == 0) {
		if ((n = recv(fd, room, sizeof(room), 0)) < 0)
			rc = -errno;
		else if (firewall_take(&f, family, bytes_of(room, (size_t)n), &rc))
			break;
	}
	(void)close(fd);
	if (rc < 0)
		return rc == -EPERM ? rc : -ENOTSUP;
	*ret = f;
	return 0;
}
