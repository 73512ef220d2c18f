/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/cri.h"

#include <errno.h>

void
cri_put(struct buf *out, const struct addr *a)
{
	bool with_port = a->port != CRI_DEFAULT_PORT;

	cborbuf_put_array(out, 2);
	cborbuf_put_int(out, CRI_SCHEME_COAP);
	cborbuf_put_array(out, with_port ? 2 : 1);
	cborbuf_put_bstr(out, addr_ip(a));
	if (with_port)
		cborbuf_put_uint(out, a->port);
}

int
cri_host(struct bytes ip, uint16_t port, struct addr *ret)
{
	if (ip.n != 4 && ip.n != 16)
		return -EBADMSG;
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->ip, ip.p, ip.n);
	ret->family = ip.n == 4 ? AF_INET : AF_INET6;
	ret->port = port;
	return 0;
}

/* host-ip and, when there is a second item, port. */
static int
get_host_port(struct cborget *c, uint64_t n_items, struct addr *ret)
{
	uint64_t port = CRI_DEFAULT_PORT;
	struct bytes ip;

	if (n_items < 1 || n_items > 2 || cborget_bstr(c, &ip) != 0)
		return -EBADMSG;
	if (n_items == 2 && cborget_uint(c, &port) != 0)
		return -EBADMSG;
	if (port == 0 || port > UINT16_MAX)
		return -EBADMSG;
	return cri_host(ip, (uint16_t)port, ret);
}

int
cri_get(struct cborget *c, struct addr *ret)
{
	struct cborget ahead = *c;
	struct addr a;
	uint64_t n;
	int64_t scheme;
	int rc;

	if (cborget_array(&ahead, &n) != 0 || n < 2 || cborget_int(&ahead, &scheme) != 0)
		return -EBADMSG;
	if (scheme != CRI_SCHEME_COAP)
		return -EBADMSG;
	n--;
	if (cborget_peek(&ahead) == ITEM_ARRAY) {
		uint64_t n_authority;

		if (n != 1 || cborget_array(&ahead, &n_authority) != 0)
			return -EBADMSG;
		n = n_authority;
	}
	rc = get_host_port(&ahead, n, &a);
	if (rc != 0)
		return rc;
	*c = ahead;
	*ret = a;
	return 0;
}
