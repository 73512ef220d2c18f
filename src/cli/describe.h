/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages and informative responses in words, for `coapcast decode`: options by their
 * names, payloads cut short, key material named but never shown. Nothing is decrypted here.
 */
#ifndef COAPCAST_CLI_DESCRIBE_H
#define COAPCAST_CLI_DESCRIBE_H

#include "wire/inform.h"

/* "CON", and the code: "GET", "2.05". */
void describe_type(const struct msg *m, struct buf *out);
/* Message id and token; nothing of an empty token. */
void describe_ids(const struct msg *m, struct buf *out);

/*
 * Each option after a blank, the path as one. The value of OSCORE is told by its fields.
 * With `inform_format`, the Content-Format of informative responses, their payload is told by
 * its length alone, as there may be keys in it.
 */
void describe_content(const struct msg *m, uint16_t inform_format, struct buf *out);

/* Whether the payload may be shown: it is not protected, and there are no keys in it. */
bool describe_may_show(const struct msg *m, uint16_t inform_format);

/* Whether this is an informative response, or a block of one. */
bool describe_is_informative(const struct msg *m, uint16_t inform_format);

/*
 * The fields of an informative response but ph_req and last_notif, each on a line after
 * `indent`.
 */
void describe_inform(const struct inform *in, const char *indent, struct buf *out);

#endif
