/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client with object security, on watch.h, whose server moves it to a group observation in a
 * self-managed OSCORE group: phantom request, informative responses, notifications.
 */
#ifndef COAPCAST_UNIT_CLIENT_HALL_H
#define COAPCAST_UNIT_CLIENT_HALL_H

#include "client_oscore.h"
#include "watch.h"

#define KID BYTES_LIT("\x05")

/* A group of the server's, and a group observation in it. */
struct hall {
	struct context *c;
	uint8_t cred[256], material[256], ph[512], latest[512];
	size_t n_cred, n_material, n_ph, n_latest;
	struct oscore_binding bound; /* to the phantom request */
};

extern struct co_server hall_server;
extern struct groups hall_groups; /* whose keys the client has */
extern struct armor hall_armor;
extern struct hall hall;

void hall_init(struct hall *h, const char *secret, const char *gid);
void hall_fini(struct hall *h);
void hall_make_phantom(struct hall *h, const char *path);
/* What is sent to the group, protected: code, options, payload. */
size_t hall_protect(struct hall *h, const struct msg *m, uint8_t *out, size_t cap);
void hall_make_latest(struct hall *h, uint32_t observe, const char *value);
/* To the group, from the server, under T. */
void hall_send_raw(struct bytes inner);
void hall_send(struct hall *h, enum msg_code code, struct bytes payload, int observe);
void hall_notify(struct hall *h, uint32_t observe, const char *value);
void hall_setup(void);
void hall_teardown(void);
/* What the server says of the hall. */
struct inform hall_describe(const struct hall *h, bool keys);
/* The next datagram is a registration: it is answered with this. */
void hall_answer_with(const struct inform *in);
void hall_move(void);

#endif
