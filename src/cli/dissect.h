/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a capture says, datagram by datagram: CoAP messages in words, those under OSCORE
 * and Group OSCORE decrypted as far as the keyring has keys, responses and notifications
 * after their requests, multicast notifications after the phantom request of an informative
 * response. What it remembers is bounded, whatever the capture holds.
 */
#ifndef COAPCAST_CLI_DISSECT_H
#define COAPCAST_CLI_DISSECT_H

#include "cli/keyring.h"
#include "cli/pieces.h"
#include "cli/telling.h"

#define DISSECT_MAX_EXCHANGES 16384 /* the one not used for longest goes first */
#define DISSECT_TEXT 65536 /* bytes of text about one datagram: enough for all there is */

struct dissect_exchange;

struct dissect {
	struct keyring *keys; /* borrowed */
	uint16_t inform_format; /* Content-Format of informative responses */
	bool all; /* datagrams that are no CoAP, too */
	struct map exchanges;
	struct dissect_exchange *newest, *oldest; /* by use */
	struct pieces pieces; /* informative responses whose blocks are not all there yet */
	uint32_t seed;
	unsigned long n_messages; /* CoAP messages */
	unsigned long n_others; /* datagrams that are none */
	unsigned long n_opened; /* of the messages: decrypted and verified */
	unsigned long n_closed; /* of the messages: could not be */
};

void dissect_init(struct dissect *d, struct keyring *keys, uint16_t inform_format);
void dissect_fini(struct dissect *d);

/*
 * Reads what datagram_parse made of a frame, for telling_free; NULL: there is nothing to tell.
 * The result borrows from the datagram and from the keyring. `when_us`: since 1970.
 */
struct telling *dissect_read(
	struct dissect *d, enum datagram_verdict v, const struct datagram *g, int64_t when_us);

#endif
