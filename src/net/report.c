/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/report.h"

#include <errno.h>

#include "base/log.h"

void
report_ready(const struct conf *conf)
{
	char text[512], at[ADDR_STRLEN];
	struct buf b = buf_of(text, sizeof(text) - 1);

	for (size_t i = 0; i < conf->n_listen; i++)
		buf_printf(&b, "%scoap://%s", i ? "," : "", addr_format(&conf->listen[i].addr, at));
	log_notice("server: ready listen=%s groups=%zu topics=%zu", buf_str(&b), conf->n_groups,
		conf->n_topics);
}

/* One line of counters: name and value, as many as there are. */
struct counter {
	const char *name;
	uint64_t value;
};

static void
report_counters(const char *what, const struct counter *c, size_t n)
{
	char text[900];
	struct buf b = buf_of(text, sizeof(text) - 1);

	for (size_t i = 0; i < n; i++)
		buf_printf(&b, " %s=%llu", c[i].name, (unsigned long long)c[i].value);
	log_notice("state: %s%s", what, buf_str(&b));
}

#define REPORT(what, ...)                                                       \
	do {                                                                    \
		const struct counter list_[] = {__VA_ARGS__};                   \
		report_counters(what, list_, sizeof(list_) / sizeof(list_[0])); \
	} while (0)

static void
report_layer(const struct layer *layer)
{
	const struct layer_stats *s = layer_stats(layer);

	REPORT("messages", {"peers", layer_n_peers(layer)}, {"exchanges", layer_n_exchanges(layer)},
		{"received", s->received}, {"requests", s->requests}, {"duplicates", s->duplicates},
		{"challenged", s->challenged}, {"verified", s->verified}, {"ignored", s->ignored},
		{"malformed", s->malformed}, {"pings", s->pings}, {"resets", s->resets},
		{"bad-options", s->bad_options}, {"con-sent", s->con_sent},
		{"retransmitted", s->retransmitted}, {"acked", s->acked}, {"timeouts", s->timeouts},
		{"refused-peers", s->refused_peers}, {"refused-exchanges", s->refused_exchanges},
		{"held", s->held}, {"refused-held", s->refused_held},
		{"stray-responses", s->stray_responses}, {"stray-acks", s->stray_acks});
}

static void
report_broker(const struct broker *broker, uint64_t n_refused)
{
	struct broker_stats s;

	broker_stats(broker, &s);
	REPORT("broker", {"topics", s.topics}, {"observers", s.observers},
		{"value-bytes", s.value_bytes}, {"publishes", s.publishes},
		{"publishes-refused", s.publishes_refused}, {"created", s.created},
		{"deleted", s.deleted}, {"expired", s.expired}, {"registrations", s.registrations},
		{"registrations-refused", s.registrations_refused},
		{"deregistrations", s.deregistrations}, {"notifications", s.notifications},
		{"notifications-con", s.notifications_con},
		{"observers-dropped", s.observers_dropped}, {"unprotected-refused", n_refused},
		{"forbidden", s.forbidden});
	REPORT("groups", {"observations", s.group_observations}, {"started", s.group_started},
		{"cancelled", s.group_cancelled}, {"informed", s.informed}, {"moved", s.moved},
		{"notifications", s.group_notifications}, {"refreshes", s.group_refreshes},
		{"coalesced", s.group_coalesced}, {"dropped", s.group_dropped},
		{"unaware", s.unaware}, {"counts", s.group_counts},
		{"confirmations", s.group_confirmations});
}

static void
report_group(void *ctx, const struct group_observation *g)
{
	char token[17];
	struct buf hex = buf_of(token, sizeof(token));
	struct token t;

	(void)ctx;
	group_token(g, &t);
	buf_put_hex(&hex, bytes_of(t.b, t.n));
	log_notice("state: group-observation topic=%s group=%s token=%s observers=%.1f",
		group_topic_name(g), group_conf(g)->name, buf_str(&hex), group_count(g));
}

void
report_state(
	const struct udp *udp, const struct layer *layer, struct broker *broker, uint64_t n_refused)
{
	struct udp_stats s;

	udp_stats(udp, &s);
	REPORT("udp", {"received", s.received}, {"sent", s.sent}, {"truncated", s.truncated},
		{"overflowed", s.overflowed}, {"receive-errors", s.receive_errors},
		{"dropped", s.dropped}, {"failed", s.failed});
	report_layer(layer);
	report_broker(broker, n_refused);
	broker_each_group(broker, report_group, NULL);
}

void
report_topics(struct broker *broker, const struct conf *conf)
{
	for (size_t i = 0; i < conf->n_topics; i++) {
		const struct conf_topic *t = &conf->topics[i];
		uint32_t format =
			t->content_format == CONF_NO_FORMAT ? BROKER_NO_FORMAT : t->content_format;
		int rc = broker_create_topic(broker, bytes_str(t->name), format, t->initialize);

		if (rc < 0 && rc != -EEXIST)
			log_warning("broker: cannot create topic=%s error=%d", t->name, -rc);
	}
}
