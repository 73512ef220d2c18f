/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of CoAP options by number: the tables of RFC 7252 5.10, RFC 7641,
 * RFC 7959, RFC 7967, RFC 8613, RFC 8768 and RFC 9175, which of them this build
 * recognizes in a request, and how OSCORE treats them (RFC 8613 4.1). It drops and
 * reports options by the rules that need no more than the table (RFC 7252 5.4); what
 * an option asks for is the business of msg/ and broker/.
 */
#ifndef COAPCAST_WIRE_OPTION_H
#define COAPCAST_WIRE_OPTION_H

#include "wire/msg.h"

#define OPT_FEEDBACK_DIVIDER 18 /* not assigned yet: see option_feedback_divider */

enum option_format { OPTION_EMPTY, OPTION_OPAQUE, OPTION_UINT, OPTION_STRING };

enum option_flag {
	OPTION_REPEATABLE = 1,
	OPTION_RECOGNIZED = 2, /* by a server of this build */
	OPTION_CLASS_E = 4, /* OSCORE: encrypted */
	OPTION_CLASS_U = 8, /* OSCORE: outside; both bits: one each way (RFC 8613 4.1.3) */
};

struct option_info {
	const char *name;
	uint16_t number;
	uint16_t min; /* bytes of value */
	uint16_t max;
	uint8_t format; /* enum option_format */
	uint8_t flags; /* enum option_flag */
};

/*
 * The number of the Feedback-Divider option, OPT_FEEDBACK_DIVIDER unless set to another
 * one. One for the process: to be set before anything is decoded or encoded, to a number
 * that is elective and no other option's.
 */
uint16_t option_feedback_divider(void);
void option_set_feedback_divider(uint16_t number);

/* NULL for a number that is not in the table. */
const struct option_info *option_info(uint16_t number);

/* RFC 7252 5.4.6: the lowest bit of the number says so, for unknown ones too. */
bool option_is_critical(uint16_t number);

/* OPTION_CLASS_E, OPTION_CLASS_U or both; E for what is not in the table (RFC 8613 4.1). */
unsigned option_class(uint16_t number);

enum option_verdict {
	OPTION_FINE,
	OPTION_UNRECOGNIZED, /* critical and not understood: RFC 7252 5.4.1 */
	OPTION_BAD_LENGTH, /* critical and too short or long: 5.4.3 */
	OPTION_SUPERNUMERARY, /* critical, not repeatable, and repeated: 5.4.5 */
};

/*
 * Takes every elective option out of `m` that is unrecognized, of a bad length
 * or supernumerary; its other options stay in order. The verdict is about the
 * first critical option with such a fault, whose number goes to *ret_critical;
 * critical options are never taken out.
 */
enum option_verdict option_sift(struct msg *m, uint16_t *ret_critical);

/* The value of Block1 and Block2 (RFC 7959 2.2). */
struct block {
	uint32_t num; /* 0..2^20-1 */
	bool more;
	uint8_t szx; /* 0..6: blocks of 2^(szx+4) bytes */
};

#define OBSERVE_MASK 0xffffffu /* RFC 7641 4.4: a notification's number has 24 bits */
#define BLOCK_MAX_SZX 6
#define BLOCK_MAX_NUM 0xfffff

/* 0, or -EBADMSG for a value over 3 bytes or the reserved szx 7. */
int block_decode(const struct opt *o, struct block *ret);
/* The option value, for msg_add_uint. */
uint32_t block_value(const struct block *b);
/* Bytes per block, and where this one starts in the body. */
size_t block_size(const struct block *b);
size_t block_offset(const struct block *b);

#endif
