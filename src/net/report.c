/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/report.h"

#include <errno.h>

#include "base/log.h"
#include "broker/restore.h"
#include "net/listen.h"

void
report_ready(const struct conf *conf)
{
	char text[512];
	struct buf b = buf_of(text, sizeof(text) - 1);

	for (size_t i = 0; i < conf->n_listen; i++) {
		buf_put_str(&b, i ? "," : "");
		listen_describe(&conf->listen[i], &b);
	}
	log_notice("server: ready listen=%s groups=%zu topics=%zu", buf_str(&b), conf->n_groups,
		conf->n_topics);
}

/* One line per section of the table. */
static void
report_figures(const struct figures *f)
{
	const struct figure *what = figures_table();

	while (what->name) {
		const char *section = what->section;
		char text[900];
		struct buf b = buf_of(text, sizeof(text) - 1);

		for (; what->name && strcmp(what->section, section) == 0; what++)
			buf_printf(&b, " %s=%llu", what->name,
				(unsigned long long)figures_value(f, what));
		log_notice("state: %s%s", section, buf_str(&b));
	}
}

void
report_change(const struct group_observation *g, bool began)
{
	char to[ADDR_STRLEN], token[17];
	struct buf hex = buf_of(token, sizeof(token));
	struct token t;

	group_token(g, &t);
	buf_put_hex(&hex, bytes_of(t.b, t.n));
	log_info("broker: group observation %s topic=%s group=%s to=%s token=%s observers=%.1f",
		began ? "started" : "cancelled", group_topic_name(g), group_conf(g)->name,
		addr_format(&group_conf(g)->address, to), buf_str(&hex), group_count(g));
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
report_state(const struct figures *f, struct broker *broker)
{
	report_figures(f);
	broker_each_group(broker, report_group, NULL);
}

void
report_topics(struct broker *broker, const struct conf *conf)
{
	/* At a first start. */
	restore_reserve(broker, conf->n_topics);
	for (size_t i = 0; i < conf->n_topics; i++) {
		const struct conf_topic *t = &conf->topics[i];
		uint32_t format =
			t->content_format == CONF_NO_FORMAT ? BROKER_NO_FORMAT : t->content_format;
		int rc = broker_create_topic(broker, bytes_str(t->name), format, t->initialize);

		if (rc == -ENOSPC)
			log_warning("broker: no room for a topic of the file, limits.topics is "
				    "reached topic=%s",
				t->name);
		else if (rc < 0 && rc != -EEXIST)
			log_warning("broker: cannot create topic=%s error=%d", t->name, -rc);
	}
}
