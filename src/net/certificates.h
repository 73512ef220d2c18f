/* SPDX-License-Identifier: BSD-2-Clause */
/* The broker's certificate: whether its files are of use, with the place that names them. */
#ifndef COAPCAST_NET_CERTIFICATES_H
#define COAPCAST_NET_CERTIFICATES_H

#include "conf/conf.h"
#include "transport/pemfiles.h"

/* False: none is configured. The names are borrowed. */
bool certificates_of(const struct conf *conf, struct coapd_certificate *ret);

/* 0, or -EINVAL with "file:line:column: key.path: what is wrong" in *e. */
int certificates_check(const struct conf *conf, struct error *e);
/*
 * The same for a reload, which may take rights away: that is not to fail because of a
 * certificate that has expired meanwhile, which is logged.
 */
int certificates_check_again(const struct conf *conf, struct error *e);

/*
 * What the files have that are shown, if the configuration names the same ones as `boot` and
 * their content is another one than `shown`: in *ret, or NULL. 0, or negative errno with e filled.
 */
int certificates_renew(const struct conf *boot, const struct conf *conf,
	const struct pemfiles *shown, struct error *e, struct pemfiles **ret);

#endif
