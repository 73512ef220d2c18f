/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/server_impl.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "base/rnd.h"
#include "net/discovery.h"
#include "net/certificates.h"
#include "net/keycheck.h"
#include "net/notify.h"
#include "net/reload.h"
#include "net/report.h"
#include "net/shields.h"
#include "wire/option.h"

#define CROWD_EVERY_MS 10000 /* between two lines of the log about it */

static struct buf *
on_open(void *ctx, const struct path *way)
{
	struct server *s = ctx;

	s->to_session = way->transport != PATH_UDP;
	return s->to_session ? coapd_open(s->coapd, way) : udp_open(s->udp, way);
}

static struct buf *
on_open_group(void *ctx, const struct group_path *way)
{
	struct server *s = ctx;
	const struct udp_group to = {.group = way->group,
		.source = way->source,
		.ifindex = way->ifindex,
		.socket = way->socket,
		.hops = way->hops};

	/* With 0 the kernel would choose an interface, which may be anybody's. */
	if (way->ifindex == 0)
		return NULL;
	s->to_session = false;
	return udp_open_group(s->udp, &to);
}

static void
on_commit(void *ctx)
{
	struct server *s = ctx;

	if (s->to_session)
		coapd_commit(s->coapd);
	else
		udp_commit(s->udp);
}

static void
on_random(void *ctx, void *p, size_t n)
{
	(void)ctx;
	rnd_fill(p, n);
}

static int64_t
on_wall(void *ctx)
{
	struct timespec now;

	(void)ctx;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec;
}

/* product.md, security.nosec: who may use the broker without DTLS or OSCORE. */
static bool
is_admitted(const struct server *s, const struct path *way)
{
	if (path_is_secure(way))
		return true;
	switch (s->boot->security.nosec) {
	case CONF_NOSEC_ALLOW:
		return true;
	case CONF_NOSEC_LOOPBACK:
		return addr_is_loopback(&way->remote);
	case CONF_NOSEC_DENY:
		return false;
	}
	return false;
}

static void
run(void *ctx, struct request *r)
{
	struct server *s = ctx;

	if (farewell_is_on(s->farewell))
		farewell_answer(r);
	else
		broker_request(s->broker, r);
}

static void
on_request(void *ctx, struct request *r)
{
	struct server *s = ctx;
	char from[ADDR_STRLEN];
	uint32_t held;

	if (msg_has(r->msg, OPT_OSCORE)) {
		guard_request(secure_guard(s->secure), r);
		return;
	}
	if (r->way->transport != PATH_UDP)
		r->who = coapd_subject(s->coapd, r->way);
	if (farewell_is_on(s->farewell) || is_admitted(s, r->way)) {
		run(s, r);
		return;
	}
	s->n_refused++;
	request_reply_code(r, CODE_UNAUTHORIZED);
	if (log_brake_pass(&s->refused, layer_now(s->layer), &held))
		log_notice("server: unprotected request refused peer=%s suppressed=%u",
			addr_format(&r->way->remote, from), held);
}

/* Who needs no challenge: who cannot be spoofed from elsewhere, and who is refused anyway. */
static bool
on_is_verified(void *ctx, const struct path *way, struct bytes echo)
{
	const struct server *s = ctx;

	if (s->boot->security.echo != CONF_ECHO_ALWAYS && addr_is_loopback(&way->remote))
		return true;
	return !is_admitted(s, way) || echo_check(&s->echo, way, layer_now(s->layer), echo);
}

static void
on_challenge(void *ctx, const struct path *way, struct buf *echo)
{
	const struct server *s = ctx;

	(void)echo_put(&s->echo, way, layer_now(s->layer), echo);
}

static void
on_reset(void *ctx, struct peer *p, uint16_t mid)
{
	struct server *s = ctx;

	broker_reset(s->broker, p, mid);
}

static bool
on_may(void *ctx, uint32_t who, unsigned verbs, struct bytes topic)
{
	struct server *s = ctx;

	return access_allows(s->access, who, verbs, topic);
}

static void
on_keep(void *ctx, enum broker_keep what, const struct topic *t)
{
	struct server *s = ctx;

	keep_put(s->keep, what, t);
}

static bool
on_keep_group(void *ctx, enum broker_keep_group what, const struct group_observation *g)
{
	const struct broker_security *security = group_conf(g)->security;
	struct server *s = ctx;

	if (what == BROKER_GROUP_BEGINS && security)
		secure_note(s->secure, security, bytes_str(group_topic_name(g)));
	return keep_group(s->keep, what, g);
}

static void
on_keep_observer(void *ctx, const struct observer *o, bool stays)
{
	struct server *s = ctx;

	keep_observer(s->keep, o, stays);
}

static bool
must_promise(void *ctx)
{
	const struct server *s = ctx;

	return keep_must_promise(s->keep);
}

static int
on_promise(void *ctx, const struct broker_promise *p, uint64_t *ret_ticket)
{
	struct server *s = ctx;

	return keep_promise(s->keep, p, ret_ticket);
}

static bool
can_keep(void *ctx)
{
	struct server *s = ctx;

	return keep_is_possible(s->keep);
}

static void
on_peer_lost(void *ctx, struct peer *p)
{
	struct server *s = ctx;

	broker_lost(s->broker, p);
}

static struct shield *
on_group_phantom(void *ctx, const struct broker_group *g, const struct msg *plain, struct buf *out)
{
	struct server *s = ctx;

	return groupkeys_phantom(secure_groups(s->secure), g, plain, out);
}

static void
on_group_inform(void *ctx, const struct broker_group *g, struct inform *in)
{
	struct server *s = ctx;

	groupkeys_inform(secure_groups(s->secure), g, in);
}

static bool
on_udp_local(void *ctx, const struct path *way, struct addr *ret_local, uint16_t *ret_socket)
{
	struct server *s = ctx;

	return listen_udp_of(s->boot, s->udp, &way->local, ret_local, ret_socket);
}

static void
on_group(void *ctx, const struct group_observation *g, bool began)
{
	(void)ctx;
	report_change(g, began);
}

static void
on_unaware(void *ctx, const struct group_observation *g, const struct addr *client)
{
	struct server *s = ctx;
	char at[ADDR_STRLEN];
	uint32_t held;

	if (log_brake_pass(&s->unaware, layer_now(s->layer), &held))
		log_notice("broker: client does not follow informative responses and stays "
			   "traditional peer=%s topic=%s suppressed=%u",
			addr_format(client, at), group_topic_name(g), held);
}

static void
on_crowd(void *ctx, size_t n_waiting)
{
	struct server *s = ctx;
	uint64_t now = layer_now(s->layer);

	if (s->crowd_told_ms > 0 && now - s->crowd_told_ms < CROWD_EVERY_MS)
		return;
	s->crowd_told_ms = now;
	log_notice("server: many clients acknowledge nothing; confirmable messages wait n=%zu",
		n_waiting);
}

static void on_timer(uv_timer_t *t);

/* Sets the timer to the layer's next deadline, if that is earlier than what it waits for. */
static void
arm(struct server *s)
{
	uint64_t next = layer_next(s->layer), now = uv_now(&s->loop);

	if (next >= s->armed_ms || s->stopping)
		return;
	s->armed_ms = next;
	(void)uv_timer_start(&s->timer, on_timer, next > now ? next - now : 0, 0);
}

static void on_more(uv_idle_t *idle);

/* After a batch: notify, send, and sleep until the next deadline. */
void
server_settle(void *ctx)
{
	struct server *s = ctx;

	if (broker_flush(s->broker))
		(void)uv_idle_start(&s->more, on_more);
	else
		(void)uv_idle_stop(&s->more);
	arm(s);
}

static void
on_more(uv_idle_t *idle)
{
	server_settle(idle->data);
}

static void
on_timer(uv_timer_t *t)
{
	struct server *s = t->data;

	s->armed_ms = WHEEL_NEVER;
	layer_advance(s->layer, uv_now(&s->loop));
	server_settle(s);
}

void
server_on_datagram(void *ctx, const struct path *from, struct bytes datagram)
{
	struct server *s = ctx;
	struct path way = *from;

	if (way.multicast && !discovery_redirect(s->udp, &way))
		return;
	if (uv_now(&s->loop) != layer_now(s->layer))
		layer_advance(s->layer, uv_now(&s->loop));
	layer_receive(s->layer, &way, datagram);
}

static void
on_truncated(void *ctx, const struct path *from, struct bytes head)
{
	struct server *s = ctx;

	layer_receive_cut(s->layer, from, head);
}

void
server_on_batch(void *ctx)
{
	server_settle(ctx);
}

static void
on_network(void *ctx)
{
	struct server *s = ctx;
	const struct network_view v = {.conf = s->conf,
		.boot = s->boot,
		.plan = &s->plan,
		.udp = s->udp,
		.broker = s->broker};

	layer_advance(s->layer, uv_now(&s->loop));
	network_follow(s->network, &v);
	server_settle(s);
}

static void
on_watchdog(uv_timer_t *t)
{
	(void)t;
	notify_send("WATCHDOG=1");
}

static const int signals[N_SIGNALS] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};

/*
 * Whoever says it again, as timeout(1) and a service manager may, does not end a stop that is
 * under way. Without their handles the signals would; every other thread blocks all of them.
 */
static void
stop_signals(struct server *s)
{
	sigset_t ours;

	(void)sigemptyset(&ours);
	for (int i = 0; i < N_SIGNALS; i++)
		(void)sigaddset(&ours, signals[i]);
	(void)pthread_sigmask(SIG_BLOCK, &ours, NULL);
	for (int i = 0; i < N_SIGNALS; i++)
		uv_close((uv_handle_t *)&s->signals[i], NULL);
}

/* Ends everything that lives in the loop; what the handles need is freed after it. */
void
server_stop(struct server *s)
{
	if (s->stopping)
		return;
	s->stopping = true;
	notify_send("STOPPING=1");
	stop_signals(s);
	uv_close((uv_handle_t *)&s->timer, NULL);
	uv_close((uv_handle_t *)&s->watchdog, NULL);
	uv_close((uv_handle_t *)&s->more, NULL);
	if (s->udp)
		udp_close(s->udp, NULL);
	s->udp = NULL;
	metrics_close(s->metrics);
	s->metrics = NULL;
	network_close(s->network);
	s->network = NULL;
	farewell_close(s->farewell);
	s->farewell = NULL;
	secure_remember(s->secure, s->conf, s->access);
	secure_stop(s->secure);
	s->kept = keep_close(s->keep);
	if (s->coapd)
		coapd_close(s->coapd, NULL);
	s->coapd = NULL;
}

static void
reload(struct server *s)
{
	struct conf *fresh = NULL;
	struct reload r = {.boot = s->boot,
		.conf = &s->conf,
		.plan = &s->plan,
		.subjects = s->subjects,
		.access = &s->access,
		.layer = s->layer,
		.broker = s->broker,
		.coapd = s->coapd,
		.keep = s->keep,
		.secure = s->secure,
		.verbose = s->verbose};
	struct error e;

	notify_send("RELOADING=1");
	layer_advance(s->layer, uv_now(&s->loop));
	if (keycheck_load(s->path, &fresh, &e) < 0 || conf_masked(fresh, &e) ||
		certificates_check_again(fresh, &e) < 0 || reload_apply(&r, fresh, &e) < 0) {
		log_error("server: reload failed, the old configuration stays: %s", e.text);
		conf_free(fresh);
	}
	/* Interfaces may be wanted that nobody looked at before. */
	on_network(s);
	notify_send("READY=1");
}

static void
take_figures(void *ctx, struct figures *ret)
{
	const struct server *s = ctx;

	udp_stats(s->udp, &ret->udp);
	ret->layer = *layer_stats(s->layer);
	broker_stats(s->broker, &ret->broker);
	ret->peers = layer_n_peers(s->layer);
	ret->exchanges = layer_n_exchanges(s->layer);
	keep_figures(s->keep, &ret->store);
	ret->unprotected_refused = s->n_refused;
	guard_stats(secure_guard(s->secure), &ret->oscore);
	groupkeys_stats(secure_groups(s->secure), &ret->keys);
	if (s->coapd)
		coapd_stats(s->coapd, &ret->sessions);
}

static void
on_signal(uv_signal_t *h, int number)
{
	struct server *s = h->data;
	struct figures f = {0};

	switch (number) {
	case SIGHUP:
		reload(s);
		break;
	case SIGUSR1:
		take_figures(s, &f);
		report_state(&f, s->broker);
		break;
	default:
		log_notice("server: stopping signal=%d", number);
		server_stop(s);
		break;
	}
}

static void
start_signals(struct server *s)
{
	for (int i = 0; i < N_SIGNALS; i++) {
		(void)uv_signal_init(&s->loop, &s->signals[i]);
		s->signals[i].data = s;
		(void)uv_signal_start(&s->signals[i], on_signal, signals[i]);
	}
}

static int
start_listening(struct server *s, struct error *e)
{
	static const struct udp_ops ops = {.on_datagram = server_on_datagram,
		.on_truncated = on_truncated,
		.on_batch = server_on_batch};
	int rc;

	s->udp = udp_new(&s->loop, &ops, s);
	udp_hold(s->udp, true);
	if ((rc = server_start_sessions(s, e)) < 0 ||
		(rc = listen_start(&s->listen, s->conf, s->udp, s->coapd, e)) < 0)
		return rc;
	if (s->conf->metrics_listen.family != AF_UNSPEC &&
		(rc = metrics_open(
			 &s->loop, &s->conf->metrics_listen, take_figures, s, e, &s->metrics)) < 0)
		return rc;
	return discovery_join(
		s->udp, s->conf->discovery_interfaces, s->conf->n_discovery_interfaces, e);
}

/* What comes waited in the kernel: now it can be answered, with numbers that are not used again. */
static void
start_reading(struct server *s)
{
	keep_wait(s->keep, &s->loop, &s->stopping);
	secure_wait(s->secure, &s->loop, &s->stopping);
	if (s->stopping)
		return;
	secure_review(s->secure, s->conf, s->access);
	udp_hold(s->udp, false);
	if (s->coapd)
		coapd_hold(s->coapd, false);
	secure_announce(s->secure);
	keep_announce(s->keep);
}

static bool
on_admits(void *ctx, const struct path *way)
{
	return is_admitted(ctx, way);
}

/*
 * Nobody knows who is in an unprotected group observation that was resumed; in a protected
 * one are those who have its keys.
 */
static bool
is_closed(void *ctx, const struct broker_group *group, struct bytes topic)
{
	return !group->security && !on_may(ctx, 0, BROKER_MAY_SUBSCRIBE, topic);
}

static bool
on_pack(void *ctx, const struct broker_group *group, struct shield *shield,
	struct keep_binding *ret)
{
	struct server *s = ctx;

	return secure_pack(s->secure, group, shield, ret);
}

static struct shield *
on_unpack(void *ctx, const struct broker_group *group, const struct keep_binding *binding,
	uint32_t *ret_who)
{
	struct server *s = ctx;

	return secure_unpack(s->secure, group, binding, ret_who);
}

static struct shield *
on_unpack_ended(void *ctx, const struct keep_binding *binding)
{
	struct server *s = ctx;

	return secure_unpack_ended(s->secure, binding);
}

static enum group_renewal
on_renewal(void *ctx, const struct broker_group *group, struct bytes gid)
{
	(void)ctx;
	return secure_renewal(group, gid);
}

static int
start_groups(struct server *s, struct error *e)
{
	const struct secure_groups_with with = {.conf = s->conf,
		.subjects = s->subjects,
		.groups = s->plan.groups,
		.layer = s->layer,
		.broker = s->broker};

	return secure_start_groups(s->secure, &with, e);
}

static int
restore(struct server *s, struct error *e)
{
	const struct keep_view view = {.broker = s->broker,
		.layer = s->layer,
		.udp = s->udp,
		.plan = &s->plan,
		.pack = on_pack,
		.unpack = on_unpack,
		.unpack_ended = on_unpack_ended,
		.renewal = on_renewal,
		.admits = on_admits,
		.settle = server_settle,
		.ctx = s};

	return keep_restore(s->keep, &view, e);
}

static int
start_core(struct server *s, struct error *e)
{
	static const struct layer_ops layer_ops = {.open = on_open,
		.commit = on_commit,
		.random = on_random,
		.on_request = on_request,
		.on_reset = on_reset,
		.is_verified = on_is_verified,
		.challenge = on_challenge,
		.on_lost = on_peer_lost,
		.shields = &shields_ops,
		.on_crowd = on_crowd};
	static const enum layer_verify verify[] = {[CONF_ECHO_OFF] = LAYER_VERIFY_NEVER,
		[CONF_ECHO_AUTO] = LAYER_VERIFY_AUTO,
		[CONF_ECHO_ALWAYS] = LAYER_VERIFY_ALWAYS};
	static const struct broker_ops broker_ops = {.open_group = on_open_group,
		.commit = on_commit,
		.random = on_random,
		.wall_s = on_wall,
		.keep = on_keep,
		.keep_group = on_keep_group,
		.keep_observer = on_keep_observer,
		.must_promise = must_promise,
		.promise = on_promise,
		.can_keep = can_keep,
		.may = on_may,
		.group_phantom = on_group_phantom,
		.group_inform = on_group_inform,
		.udp_local = on_udp_local,
		.on_group = on_group,
		.on_unaware = on_unaware};
	int rc;

	option_set_feedback_divider((uint16_t)s->conf->protocol.feedback_divider_option);
	s->access = access_new(s->conf, s->subjects);
	s->layer = layer_new(&layer_ops, s, &s->plan.layer, uv_now(&s->loop));
	echo_init(&s->echo);
	layer_verify(s->layer, verify[s->conf->security.echo]);
	s->broker = broker_new(&s->plan.broker, &broker_ops, s, s->layer);
	if ((rc = secure_new(s->conf, s->keep, s->subjects, run, s, &s->secure, e)) < 0 ||
		(rc = start_groups(s, e)) < 0)
		return rc;
	if ((rc = restore(s, e)) < 0)
		return rc;
	/* What is not allowed any more. */
	broker_review(s->broker, is_closed, s);
	report_topics(s->broker, s->conf);
	return 0;
}

static void
start_network(struct server *s)
{
	s->network = network_new(&s->loop, on_network, s);
	on_network(s);
}

static void
start_timers(struct server *s)
{
	uint64_t every = notify_watchdog_ms();

	s->armed_ms = WHEEL_NEVER;
	(void)uv_timer_init(&s->loop, &s->timer);
	s->timer.data = s;
	(void)uv_timer_init(&s->loop, &s->watchdog);
	if (every > 0)
		(void)uv_timer_start(&s->watchdog, on_watchdog, every, every);
	(void)uv_idle_init(&s->loop, &s->more);
	s->more.data = s;
}

static enum server_exit
finish(struct server *s, enum server_exit status)
{
	server_stop(s);
	(void)uv_run(&s->loop, UV_RUN_DEFAULT);
	if (!s->kept && status == EXIT_OK)
		status = EXIT_STORE;
	broker_free(s->broker);
	keep_free(s->keep);
	layer_free(s->layer);
	secure_free(s->secure);
	echo_fini(&s->echo);
	access_free(s->access);
	subjects_free(s->subjects);
	plan_fini(&s->plan);
	listen_end(&s->listen);
	/* Every handle is closed: what is left would be a leak. */
	if (uv_loop_close(&s->loop) != 0) {
		log_error("server: handles left in the loop");
		status = EXIT_INTERNAL;
	}
	if (s->boot != s->conf)
		conf_free(s->boot);
	conf_free(s->conf);
	free(s);
	return status;
}

enum server_exit
server_run(const char *path, struct conf *conf, unsigned verbose)
{
	struct server *s = mem_alloc(sizeof(*s));
	struct error e = {0};

	s->path = path;
	s->conf = s->boot = conf;
	s->verbose = verbose;
	s->subjects = subjects_new();
	reload_set_level(conf, verbose);
	if (uv_loop_init(&s->loop) != 0) {
		log_error("server: cannot make an event loop");
		conf_free(conf);
		subjects_free(s->subjects);
		free(s);
		return EXIT_INTERNAL;
	}
	start_signals(s);
	start_timers(s);
	if (plan_init(&s->plan, conf, conf, NULL, &e) < 0 || start_listening(s, &e) < 0) {
		log_error("server: %s", e.text);
		return finish(s, EXIT_UNAVAILABLE);
	}
	if (keep_open(conf, &s->loop, &s->keep, &e) < 0 || start_core(s, &e) < 0) {
		log_error("store: %s", e.text);
		return finish(s, EXIT_STORE);
	}
	start_network(s);
	server_start_farewell(s);
	start_reading(s);
	if (!s->stopping) {
		report_ready(conf);
		conf_forget_places(conf);
		mem_trim();
		notify_send("READY=1");
	}
	(void)uv_run(&s->loop, UV_RUN_DEFAULT);
	return finish(s, EXIT_OK);
}
