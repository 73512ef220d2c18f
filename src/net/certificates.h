/* SPDX-License-Identifier: BSD-2-Clause */
/* The broker's certificate: whether its files are of use, with the place that names them. */
#ifndef COAPCAST_NET_CERTIFICATES_H
#define COAPCAST_NET_CERTIFICATES_H

#include "conf/conf.h"
#include "transport/coapd.h"

/* False: none is configured. The names are borrowed. */
bool certificates_of(const struct conf *conf, struct coapd_certificate *ret);

/* 0, or -EINVAL with "file:line:column: key.path: what is wrong" in *e. */
int certificates_check(const struct conf *conf, struct error *e);
/*
 * The same for a reload, which may take rights away: that is not to fail because of a
 * certificate that has expired meanwhile, which is logged.
 */
int certificates_check_again(const struct conf *conf, struct error *e);

#endif
