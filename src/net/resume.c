/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Group observations and traditional observers that were kept: put back, as if there had
 * been no restart, where everything they depend on is as it was. Others are told that they are
 * over: a group by the 5.03 that cancels it.
 */
#include <errno.h>

#include <net/if.h>

#include "base/log.h"
#include "broker/group.h"
#include "broker/restore.h"
#include "net/keep_impl.h"

#define SOON 4 /* after a stop that was not clean a notification is due within Max-Age / SOON */

static const struct broker_group *
group_named(const struct keep *k, struct bytes name)
{
	const struct broker_conf *conf = &k->view.plan->broker;

	for (size_t i = 0; i < conf->n_groups; i++) {
		if (bytes_is(name, conf->groups[i].name))
			return &conf->groups[i];
	}
	return NULL;
}

/* What is kept of an older version does not say: as it is configured. */
static bool
is_same_interface(
	const struct keep *k, const struct store_group *r, const struct broker_group *group)
{
	return !r->interface.p || bytes_equal(r->interface, keep_interface_of(k, group));
}

/* 0: there is none of that name any more. */
static uint32_t
index_of(struct bytes interface)
{
	char name[IF_NAMESIZE];
	struct buf b = buf_of(name, sizeof(name));

	buf_put(&b, interface);
	return b.full ? 0 : if_nametoindex(buf_str(&b));
}

/* What protected it until now, whatever has become of its group; NULL: those keys are gone. */
static struct shield *
shield_of(struct keep *k, const struct store_group *r)
{
	const struct keep_binding binding = {
		.keys = r->keys, .gid = r->gid, .kid = r->kid, .piv = r->piv};

	return k->view.unpack_ended ? k->view.unpack_ended(k->view.ctx, &binding) : NULL;
}

/* "Cancellation": 5.03, Token T, no payload, no Observe; from where it was, to where it was. */
static int
cancel(struct keep *k, const struct store_group *r, const struct broker_group *now)
{
	struct parting_to to = {.way = {.group = r->address,
					.source = r->source,
					.hops = now ? now->hops : 1,
					.ifindex = now ? now->ifindex : 0},
		.token = r->token,
		.code = CODE_UNAVAILABLE};

	/* As far as it went. An interface that is gone may have another name now. */
	if (r->hops > 0)
		to.way.hops = (uint8_t)r->hops;
	if (r->interface.p)
		to.way.ifindex = index_of(r->interface);
	/* Nobody believes what is not protected as the rest was. */
	if (r->keys.p && (to.shield = shield_of(k, r)) == NULL)
		return -EACCES;
	return parting_tell(&k->partings, k->view.layer, &to);
}

static void
describe(const struct store_group *r, struct buf *out)
{
	char at[ADDR_STRLEN];

	buf_printf(out, "group=%.*s to=%s", (int)r->group.n, (const char *)r->group.p,
		addr_format(&r->address, at));
	if (r->interface.p)
		buf_printf(
			out, " interface=%.*s", (int)r->interface.n, (const char *)r->interface.p);
	buf_put_str(out, " token=");
	buf_put_hex(out, r->token);
}

/* Whether who is not protected may still be told: the group tells everybody. */
static bool
is_admitted(const struct keep *k, const struct store_group *r)
{
	const struct path way = {.remote = r->source, .local = r->source};

	return k->view.admits(k->view.ctx, &way);
}

/* Of the keys that it has; and of those before, if its members may have no others. */
static int
take_shields(struct keep *k, const struct broker_group *group, const struct store_group *r,
	struct group_kept *kept)
{
	const struct keep_binding binding = {
		.keys = r->keys, .gid = r->gid, .kid = r->kid, .piv = r->piv};
	struct keep_binding before;
	uint32_t who;

	if (r->keys.n == 0 || !k->view.unpack ||
		(kept->shield = k->view.unpack(k->view.ctx, group, &binding, &who)) == NULL)
		return -EACCES;
	kept->renewal = k->view.renewal(k->view.ctx, group, r->gid);
	if (keep_take_binding(r->before, &before) &&
		k->view.renewal(k->view.ctx, group, before.gid) == GROUP_KEYS_CHANGE)
		kept->before = k->view.unpack(k->view.ctx, group, &before, &who);
	return 0;
}

/* As a start of the same would make it now; -ESTALE: it cannot be. */
static int
bring_back(struct keep *k, const struct store_group *r, const struct broker_group *group)
{
	const struct restored *topic = keep_find(&k->topics, r->topic);
	const struct restored *seq = keep_find(&k->groups, r->id);
	struct group_kept kept = {.id = r->id,
		.group = group,
		.source = r->source,
		.token = {.n = (uint8_t)r->token.n},
		.phantom = r->phantom,
		.ending_s = r->ending_s,
		.n = (double)r->count_milli / 1000};
	int socket = udp_find_socket(k->view.udp, &r->source), rc;

	if (!group || !topic || !topic->topic || !seq || socket < 0 ||
		!addr_equal(&group->address, &r->address) || !is_same_interface(k, r, group) ||
		!(r->keys.p || is_admitted(k, r)))
		return -ESTALE;
	if (r->keys.p && (rc = take_shields(k, group, r, &kept)) < 0)
		return rc;
	memcpy(kept.token.b, r->token.p, r->token.n);
	kept.socket = (uint16_t)socket;
	kept.bound = seq->bound;
	kept.seq = k->clean ? seq->bound - 1 : seq->bound + TOPIC_SEQ_AHEAD;
	kept.told = k->clean;
	kept.refresh_ms = k->clean ? r->flags : group->max_age_s * 1000 / SOON;
	rc = group_resume(k->view.broker, topic->topic, &kept);
	if (rc < 0) {
		layer_shield_release(k->view.layer, kept.shield);
		layer_shield_release(k->view.layer, kept.before);
	}
	return rc;
}

/* The store does so when it runs, after these visits. */
static void
forget_group(struct keep *k, uint64_t id)
{
	const union store_record group = {.group = {.id = id}}, seq = {.seq = {.id = id}};
	const struct store_change changes[] = {
		{STORE_GROUP_SEQ, true, &seq}, {STORE_GROUP, true, &group}};

	(void)store_put_all(k->store, changes, 2, STORE_NOW, NULL);
}

int
resume_group(void *ctx, const union store_record *record)
{
	const struct store_group *r = &record->group;
	struct keep *k = ctx;
	const struct broker_group *group = group_named(k, r->group);
	char text[256];
	struct buf what = buf_of(text, sizeof(text));
	int rc = -ESTALE;

	if (r->token.n == 0 || r->token.n > sizeof(((struct token *)NULL)->b))
		return 0;
	if (k->same_collection)
		rc = bring_back(k, r, group);
	describe(r, &what);
	if (rc == 0) {
		k->n_groups++;
		k->differs |= !r->interface.p || r->hops != group->hops;
		log_info("broker: group observation resumed %s", buf_str(&what));
		return 0;
	}
	rc = cancel(k, r, group);
	log_notice("broker: group observation is not what it was, cancelled %s error=%d",
		buf_str(&what), -rc);
	k->n_ended++;
	forget_group(k, r->id);
	return 0;
}

/*
 * Its shield, and who it is; -EACCES: those keys are gone, -EPERM: who is not protected is not
 * served any more.
 */
static int
unshield(struct keep *k, const struct store_observer *r, struct restore_observer *kept)
{
	struct keep_binding binding;

	if (!r->binding.p)
		return k->view.admits(k->view.ctx, &kept->way) ? 0 : -EPERM;
	if (k->view.unpack && keep_take_binding(r->binding, &binding))
		kept->shield = k->view.unpack(k->view.ctx, NULL, &binding, &kept->who);
	return kept->shield ? 0 : -EACCES;
}

/* The topic that it is to observe, at the address where it did; NULL: there is none. */
static struct topic *
served(const struct keep *k, const struct store_observer *r)
{
	const struct restored *topic = keep_find(&k->topics, r->topic);

	if (!k->same_collection || !topic || udp_find_socket(k->view.udp, &r->local) < 0)
		return NULL;
	return topic->topic;
}

/* RFC 7641 4.2: the last notification, from where the others came. */
static void
tell_end(struct keep *k, const struct store_observer *r, struct shield *shield, enum msg_code code)
{
	const struct parting_to to = {
		.way = {.group = r->remote, .source = r->local, .ifindex = r->remote.scope},
		.token = r->token,
		.code = code,
		.shield = shield};

	/* Where that address is gone, so is the way to tell anybody. */
	if (parting_tell(&k->partings, k->view.layer, &to) == 0)
		k->n_left++;
}

/* Whether it goes on; who does not is told, if there is a way to. */
static bool
restore(struct keep *k, const struct store_observer *r)
{
	struct restore_observer kept = {
		.way = {.remote = r->remote, .local = r->local, .ifindex = r->remote.scope},
		.token = {.n = (uint8_t)r->token.n},
		.szx = (uint8_t)r->szx,
		.flags = r->flags};
	struct topic *topic = served(k, r);
	int rc = unshield(k, r, &kept);
	bool ok;

	if (topic && rc == 0) {
		if (r->token.n > 0)
			memcpy(kept.token.b, r->token.p, r->token.n);
		kept.way.socket = (uint16_t)udp_find_socket(k->view.udp, &r->local);
		ok = restore_observer(k->view.broker, topic, &kept);
		layer_shield_release(k->view.layer, kept.shield);
		return ok;
	}
	/* Who is protected believes nothing else, and asks when Max-Age has run out. */
	if (rc == -EACCES)
		k->n_untold++;
	else
		tell_end(k, r, kept.shield, topic ? CODE_UNAUTHORIZED : CODE_NOT_FOUND);
	return false;
}

int
resume_observer(void *ctx, const union store_record *record)
{
	const struct store_observer *r = &record->observer;
	struct keep *k = ctx;

	if (r->token.n <= sizeof(((struct token *)NULL)->b) && restore(k, r))
		k->n_observers++;
	else
		(void)store_remove(k->store, STORE_OBSERVER, record, STORE_NOW, NULL);
	return 0;
}
