/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text of others, such as the name of a topic, made fit for a terminal: one line
 * without control characters. Not for values, which are printed as they are.
 */
#ifndef COAPCAST_CLI_TEXT_H
#define COAPCAST_CLI_TEXT_H

#include "base/bytes.h"

#define TEXT_ESCAPED(n) (4 * (n) + 1) /* room for n bytes of text, escaped */

/*
 * Writes the text with \xNN for each byte of a control character (C0, DEL and, in
 * UTF-8, C1), and a NUL; the length without it. `out` has TEXT_ESCAPED(text.n) bytes.
 */
size_t text_escape(struct bytes text, char *out);

#endif
