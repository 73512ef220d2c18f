/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/figures.h"

#include <stddef.h>

#define AT(field) .at = offsetof(struct figures, field)
#define COUNTER(section, name, field, help)                    \
	{                                                      \
		section, name, help, AT(field), .gauge = false \
	}
#define GAUGE(section, name, field, help)                     \
	{                                                     \
		section, name, help, AT(field), .gauge = true \
	}

static const struct figure table[] = {
	COUNTER("udp", "received", udp.received, "Datagrams received."),
	COUNTER("udp", "sent", udp.sent, "Datagrams sent."),
	COUNTER("udp", "truncated", udp.truncated,
		"Datagrams received that were too long to be read whole."),
	COUNTER("udp", "foreign", udp.foreign,
		"Datagrams at the socket of a group that came from somebody else."),
	COUNTER("udp", "overflowed", udp.overflowed,
		"Datagrams that the kernel dropped because a receive buffer was full."),
	COUNTER("udp", "receive-errors", udp.receive_errors, "Errors of receiving."),
	COUNTER("udp", "dropped", udp.dropped,
		"Datagrams not sent because too many waited, or because they were too long."),
	COUNTER("udp", "failed", udp.failed, "Datagrams that the kernel refused to send."),

	GAUGE("sessions", "open", sessions.sessions, "DTLS, TLS and TCP sessions."),
	COUNTER("sessions", "opened", sessions.opened, "Sessions set up."),
	COUNTER("sessions", "closed", sessions.closed, "Sessions that ended."),
	COUNTER("sessions", "refused", sessions.refused,
		"Sessions that found limits.sessions reached, handshakes limits.handshakes; "
		"connections that made room."),
	COUNTER("sessions", "crowded", sessions.crowded,
		"Handshakes and connections of addresses that had begun too many others."),
	COUNTER("sessions", "failed", sessions.failed, "Handshakes that failed."),
	COUNTER("sessions", "challenged", sessions.challenged,
		"DTLS clients that were sent a cookie, to prove their address."),
	COUNTER("sessions", "idle", sessions.idle, "Sessions closed for their silence."),
	COUNTER("sessions", "unread", sessions.unread,
		"Sessions closed because too much was left unread."),
	COUNTER("sessions", "received", sessions.received, "Messages received in sessions."),
	COUNTER("sessions", "sent", sessions.sent, "Messages sent in sessions."),
	COUNTER("sessions", "dropped", sessions.dropped,
		"Messages not sent because their session was gone, or because they were too long."),

	GAUGE("messages", "peers", peers, "Endpoints remembered."),
	GAUGE("messages", "exchanges", exchanges,
		"Confirmable messages that wait or are not acknowledged."),
	COUNTER("messages", "received", layer.received, "Messages received."),
	COUNTER("messages", "requests", layer.requests, "Requests run."),
	COUNTER("messages", "duplicates", layer.duplicates, "Requests that came again."),
	COUNTER("messages", "challenged", layer.challenged,
		"Requests answered with an Echo to be returned."),
	COUNTER("messages", "verified", layer.verified, "Requests that returned their Echo."),
	COUNTER("messages", "ignored", layer.ignored, "Messages that had to be ignored."),
	COUNTER("messages", "malformed", layer.malformed, "Messages with a format error."),
	COUNTER("messages", "pings", layer.pings, "Empty confirmable messages."),
	COUNTER("messages", "resets", layer.resets, "Resets received."),
	COUNTER("messages", "bad-options", layer.bad_options,
		"Requests with a critical option that is not understood."),
	COUNTER("messages", "con-sent", layer.con_sent, "Confirmable messages sent."),
	COUNTER("messages", "retransmitted", layer.retransmitted, "Retransmissions."),
	COUNTER("messages", "acked", layer.acked, "Confirmable messages acknowledged."),
	COUNTER("messages", "timeouts", layer.timeouts,
		"Confirmable messages that were never acknowledged."),
	COUNTER("messages", "refused-peers", layer.refused_peers,
		"Messages that found limits.peers reached."),
	COUNTER("messages", "refused-exchanges", layer.refused_exchanges,
		"Confirmable messages that found limits.exchanges reached."),
	COUNTER("messages", "crowded-out", layer.crowded_out,
		"Endpoints given up because confirmable messages to too many silent ones waited."),
	COUNTER("messages", "evicted-peers", layer.evicted_peers,
		"Endpoints forgotten because limits.peers was reached."),
	COUNTER("messages", "evicted-duplicates", layer.evicted_duplicates,
		"Answers kept for duplicates, forgotten for want of room in limits.exchanges."),
	COUNTER("messages", "held", layer.held,
		"Answers to multicast requests that left after a part of the leisure."),
	COUNTER("messages", "refused-held", layer.refused_held,
		"The same that there was no room for."),
	COUNTER("messages", "responses", layer.responses, "Responses received."),
	COUNTER("messages", "stray-responses", layer.stray_responses,
		"Responses that nobody asked for."),
	COUNTER("messages", "stray-acks", layer.stray_acks,
		"Acknowledgements and resets of no message of ours."),

	COUNTER("oscore", "requests", oscore.requests, "Protected requests run."),
	COUNTER("oscore", "refused", oscore.refused,
		"Protected requests that could not be opened, or came again."),
	COUNTER("oscore", "challenged", oscore.challenged,
		"Protected requests that had to echo first, as after a crash."),
	GAUGE("oscore", "shields", oscore.shields,
		"Protected requests that something may still be sent in answer to."),
	COUNTER("oscore", "keys-replaced", keys.rekeyed, "Keys of groups replaced by new ones."),
	COUNTER("oscore", "keys-expired", keys.expired,
		"Keys of groups that expired before there were new ones."),
	COUNTER("oscore", "keys-revoked", keys.revoked,
		"Keys of groups that somebody had who lost the right to them."),
	COUNTER("oscore", "groups-refused", keys.unprotected,
		"Group observations that could not begin, since nothing could protect them."),
	GAUGE("oscore", "group-shields", keys.shields,
		"The same of phantom requests, and of registrations kept with a group's keys."),

	GAUGE("broker", "topics", broker.topics, "Topics."),
	GAUGE("broker", "observers", broker.observers, "Traditional observations."),
	GAUGE("broker", "value-bytes", broker.value_bytes, "Bytes of all values."),
	COUNTER("broker", "publishes", broker.publishes, "Publishes accepted."),
	COUNTER("broker", "publishes-refused", broker.publishes_refused, "Publishes refused."),
	COUNTER("broker", "created", broker.created, "Topics created."),
	COUNTER("broker", "deleted", broker.deleted, "Topics deleted."),
	COUNTER("broker", "expired", broker.expired, "Topics whose expiration date passed."),
	COUNTER("broker", "registrations", broker.registrations, "Registrations accepted."),
	COUNTER("broker", "registrations-refused", broker.registrations_refused,
		"Registrations answered without Observe."),
	COUNTER("broker", "forbidden", broker.forbidden, "Requests that no access rule allows."),
	COUNTER("broker", "deregistrations", broker.deregistrations, "Observers that left."),
	COUNTER("broker", "notifications", broker.notifications, "Unicast notifications."),
	COUNTER("broker", "notifications-con", broker.notifications_con,
		"Those of them that were confirmable."),
	COUNTER("broker", "observers-dropped", broker.observers_dropped,
		"Observers that a reset or a timeout ended."),
	COUNTER("broker", "unprotected-refused", unprotected_refused,
		"Unprotected requests that security.nosec forbade."),

	GAUGE("broker", "bodies", broker.bodies, "Block-wise bodies in the making."),
	GAUGE("broker", "body-bytes", broker.body_bytes, "Bytes of them."),
	GAUGE("broker", "kept-bytes", broker.cover_bytes,
		"Bytes of protected messages that wait for their acknowledgement."),
	COUNTER("broker", "unkept", broker.unkept,
		"Protected messages that limits.memory had no room to keep: repeated as new ones."),

	COUNTER("refused", "topics", broker.refused_topics,
		"Topics not created because limits.topics was reached."),
	COUNTER("refused", "payload", broker.refused_payload,
		"Values longer than limits.payload, and other bodies too long."),
	COUNTER("refused", "memory", broker.refused_memory,
		"Values that limits.memory had no room for."),
	COUNTER("refused", "observers", broker.refused_observers,
		"Registrations that found limits.observers reached."),
	COUNTER("refused", "observers-per-peer", broker.refused_observers_per_peer,
		"Registrations that found limits.observers-per-peer reached."),
	COUNTER("refused", "bodies", broker.refused_bodies,
		"Block-wise bodies that found limits.bodies reached."),
	COUNTER("refused", "rate", broker.refused_rate,
		"Publishes that were faster than limits.publish-rate."),

	GAUGE("groups", "observations", broker.group_observations, "Group observations."),
	COUNTER("groups", "started", broker.group_started, "Group observations started."),
	COUNTER("groups", "cancelled", broker.group_cancelled, "Group observations cancelled."),
	COUNTER("groups", "informed", broker.informed, "Informative responses."),
	COUNTER("groups", "moved", broker.moved, "Those of them that were acknowledged."),
	COUNTER("groups", "notifications", broker.group_notifications,
		"Multicast notifications of a publish."),
	COUNTER("groups", "refreshes", broker.group_refreshes, "Multicast notifications repeated."),
	COUNTER("groups", "coalesced", broker.group_coalesced,
		"Publishes that a newer one overtook before they were sent."),
	COUNTER("groups", "dropped", broker.group_dropped,
		"Multicast messages that were not sent for want of room or of the interface."),
	COUNTER("groups", "notices", broker.group_notices,
		"Multicast messages that told new keys."),
	COUNTER("groups", "unaware", broker.unaware,
		"Clients found not to follow informative responses."),
	COUNTER("groups", "counts", broker.group_counts, "Rounds of rough counting."),
	COUNTER("groups", "confirmations", broker.group_confirmations, "Answers to them."),

	GAUGE("store", "well", store.well, "Whether the store can keep what is published."),
	GAUGE("store", "waiting", store.waiting, "Records that are not on the disk yet."),
	GAUGE("store", "waiting-bytes", store.waiting_bytes, "Bytes of them."),
	COUNTER("store", "commits", store.commits, "Commits of the store."),
	COUNTER("store", "records", store.records, "Records in them."),
	COUNTER("store", "failures", store.failures, "Commits that did not work out."),
	COUNTER("store", "broken", store.broken,
		"Commits among them that somebody was waiting for."),
	COUNTER("store", "refused", store.refused,
		"Records that the store had no room for, or could not promise to keep."),
	COUNTER("store", "anew", store.anew,
		"Databases that were damaged or gone, and started anew."),
	GAUGE("store", "longest-us", store.longest_us, "The longest commit, in microseconds."),
	GAUGE("store", "untold", store.untold,
		"Newest publishes that subscribers would be told again after a kill."),
	GAUGE("store", "groups-resumed", store.groups_resumed,
		"Group observations that went on when the daemon started."),
	GAUGE("store", "groups-ended", store.groups_ended,
		"Group observations that were cancelled when it started."),
	GAUGE("store", "observers-resumed", store.observers_resumed,
		"Observers that went on when it started."),

	{.name = NULL},
};

const struct figure *
figures_table(void)
{
	return table;
}

uint64_t
figures_value(const struct figures *f, const struct figure *what)
{
	uint64_t v;

	memcpy(&v, (const uint8_t *)f + what->at, sizeof(v));
	return v;
}

void
figures_metric_name(const struct figure *what, struct buf *out)
{
	buf_printf(out, "coapcast_%s_", what->section);
	for (const char *c = what->name; *c; c++)
		buf_put_u8(out, *c == '-' ? '_' : (uint8_t)*c);
	if (!what->gauge)
		buf_put_str(out, "_total");
}

void
figures_print(const struct figures *f, struct buf *out)
{
	buf_put_str(out, "# HELP coapcast_build_info The version.\n"
			 "# TYPE coapcast_build_info gauge\n"
			 "coapcast_build_info{version=\"" PACKAGE_VERSION "\"} 1\n");
	for (const struct figure *what = table; what->name; what++) {
		char room[96];
		struct buf name = buf_of(room, sizeof(room));

		figures_metric_name(what, &name);
		buf_printf(out, "# HELP %s %s\n", buf_str(&name), what->help);
		buf_printf(
			out, "# TYPE %s %s\n", buf_str(&name), what->gauge ? "gauge" : "counter");
		buf_printf(out, "%s %llu\n", buf_str(&name),
			(unsigned long long)figures_value(f, what));
	}
}
