/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What encryption and signature of one message are computed over: nonce (RFC 8613 5.2),
 * AAD (RFC 8613 5.4, oscore-groupcomm 3.4), what is signed (3.5.1, RFC 9338) and what the
 * signature is encrypted with (oscore-groupcomm 3.5.2). Room-internal; one thread, as the bytes
 * returned are in memory of the module until the next call.
 */
#ifndef COAPCAST_OSCORE_FRAME_H
#define COAPCAST_OSCORE_FRAME_H

#include "oscore/binding.h"
#include "oscore/context_impl.h"

struct frame {
	const struct context *context;
	const struct recipient *sender; /* who protects this message */
	enum oscore_mode mode;
	bool is_request;
	struct bytes request_kid; /* of the request, in requests and responses alike */
	struct bytes request_piv;
	struct bytes request_kid_context;
	struct bytes class_i; /* encoded options */
	struct bytes option; /* value of the OSCORE option of this message */
	struct bytes piv; /* what the nonce is made of: this message's or the request's */
	struct bytes piv_id; /* Sender ID of whoever generated it */
};

/* The cipher of the frame's mode. */
const struct suite_cipher *frame_cipher(const struct frame *f);
/* -EINVAL: the id is longer than the cipher's nonce allows. */
int frame_nonce(const struct frame *f, uint8_t ret[SUITE_MAX_NONCE]);
/* The aad_array, and the Enc_structure around it. -ENOBUFS when it does not fit. */
int frame_aad(const struct frame *f, struct bytes *ret_array, struct bytes *ret_aad);
/* The Countersign_structure. */
int frame_tbs(struct bytes aad_array, struct bytes ciphertext, struct bytes *ret);
/* The info of the key stream that the signature is encrypted with. */
void frame_put_mask_info(const struct frame *f, struct buf *out);
/* Encrypts or decrypts the signature in place. -EIO. */
int frame_mask(const struct frame *f, uint8_t signature[SUITE_SIGNATURE]);

#endif
