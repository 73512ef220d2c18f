/* SPDX-License-Identifier: BSD-2-Clause */
/* A ClientHello of DTLS 1.2 without a cookie, for one cipher suite with pre-shared keys. */
#ifndef COAPCAST_TESTS_HELLO_H
#define COAPCAST_TESTS_HELLO_H

#include <stdint.h>

static const uint8_t hello[] = {
	22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 54, /* a handshake record */
	1, 0, 0, 42, 0, 0, 0, 0, 0, 0, 0, 42, /* ClientHello, whole */
	0xfe, 0xfd, /* DTLS 1.2 */
	1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, /* random */
	1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, /* */
	0, 0, /* neither session nor cookie */
	0, 2, 0xc0, 0xa8, /* TLS_PSK_WITH_AES_128_CCM_8 */
	1, 0, /* no compression */
};

#endif
