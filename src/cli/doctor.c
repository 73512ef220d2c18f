/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/doctor.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/diagnosis.h"
#include "cli/json.h"
#include "cli/text.h"

struct doctor {
	struct findings all;
	const struct args *args;
	const char *family; /* of what is looked at; NULL: of neither */
	enum connection_written written;
};

static const char *const verdicts[] = {
	[FINDING_OK] = "ok", [FINDING_WARN] = "warn", [FINDING_FAIL] = "fail"};

static void
print_json(struct doctor *d, const struct finding *f)
{
	struct json j = {0};

	json_open(&j);
	json_put_str(&j, "check", f->check);
	if (d->family)
		json_put_str(&j, "family", d->family);
	json_put_str(&j, "verdict", verdicts[f->verdict]);
	json_put_payload(&j, "text", bytes_str(f->text));
	if (f->hint)
		json_put_payload(&j, "hint", bytes_str(f->hint));
	d->written = connection_write_json(&j);
}

static void
print_plain(struct doctor *d, const struct finding *f)
{
	char text[TEXT_ESCAPED(FINDING_TEXT)], hint[TEXT_ESCAPED(FINDING_TEXT)];
	char line[2 * sizeof(text)];
	struct buf out = buf_of(line, sizeof(line));

	(void)text_escape(bytes_str(f->text), text);
	buf_printf(&out, "%-4s  %-12s  %s%s%s\n", verdicts[f->verdict], f->check,
		d->family ? d->family : "", d->family ? ": " : "", text);
	if (f->hint) {
		(void)text_escape(bytes_head(bytes_str(f->hint), FINDING_TEXT), hint);
		buf_printf(&out, "      %-12s  to mend it: %s\n", "", hint);
	}
	d->written = connection_write(buf_bytes(&out));
}

static void
on_finding(void *ctx, const struct finding *f)
{
	struct doctor *d = ctx;

	if (d->written != CONNECTION_WRITTEN)
		return;
	if (d->args->json)
		print_json(d, f);
	else
		print_plain(d, f);
}

/* --- what has no family ------------------------------------------------------------- */

static void
check_clock(struct findings *all)
{
	time_t now = time(NULL);
	char text[40];
	struct tm tm;

	if (!gmtime_r(&now, &tm) || strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		(void)snprintf(text, sizeof(text), "%lld", (long long)now);
	if (now < BUILT_S)
		finding_warn(all, "clock", "timedatectl set-ntp true, or: date -s ...",
			"%s is before this program was built: dates in informative responses and "
			"sequence numbers of OSCORE go by the clock",
			text);
	else
		finding_ok(all, "clock", "it is %s", text);
}

/* The folder of the credentials, where their sequence numbers are kept. */
static void
folder_of(const char *path, char *ret, size_t cap)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		(void)snprintf(ret, cap, ".");
	else
		(void)snprintf(ret, cap, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

/* True when there is nothing wrong with the file, or there is none. */
static bool
check_numbers(struct findings *all, const char *path)
{
	char file[4096 + 8], hint[FINDING_TEXT];
	struct stat st;

	(void)snprintf(file, sizeof(file), "%s.ssn", path);
	if (lstat(file, &st) < 0)
		return true;
	(void)snprintf(
		hint, sizeof(hint), "chown %u %.150s; chmod 600 %.150s", geteuid(), file, file);
	if (S_ISREG(st.st_mode) && (st.st_mode & 07777) == 0600 && st.st_uid == geteuid())
		return true;
	finding_fail(all, CLI_SECURITY, "state", hint,
		"%.200s is not a file of ours that nobody else can read", file);
	return false;
}

static void
check_state(struct findings *all, const struct args *a)
{
	struct credentials *c;
	char folder[4096];
	struct error e;

	if (!a->credentials) {
		finding_ok(all, "state", "without --credentials nothing is kept");
		return;
	}
	if (credentials_load(a->credentials, a->identity, &c, &e) < 0) {
		finding_fail(all, CLI_SECURITY, "state", NULL, "%s", e.text);
		return;
	}
	credentials_free(c);
	folder_of(a->credentials, folder, sizeof(folder));
	if (access(folder, W_OK | X_OK) < 0)
		finding_fail(all, CLI_SECURITY, "state",
			"let it be written to: sequence numbers of OSCORE are kept there",
			"%.200s is not a folder we may write to", folder);
	else if (check_numbers(all, a->credentials))
		finding_ok(all, "state", "%.200s can be read, and numbers be kept beside it",
			a->credentials);
}

/* --- the host ----------------------------------------------------------------------- */

/* False when nobody needs to look further. */
static bool
check_host(struct doctor *d, uint8_t family, uint32_t ifindex, struct doctor_host *ret)
{
	enum looptest_end end;
	struct error why;
	int read;

	d->family = family == AF_INET6 ? "IPv6" : "IPv4";
	hostfacts_read(ifindex, family, HOSTFACTS_PROC, &ret->facts);
	ret->firewall.n = 0;
	if (!diagnosis_interface(&d->all, &ret->facts))
		return false;
	diagnosis_limits(&d->all, &ret->facts);
	diagnosis_route(&d->all, &ret->facts);
	read = firewall_read(family, &ret->firewall);
	diagnosis_firewall(&d->all, &ret->facts, &ret->firewall, read);
	end = looptest_run(&ret->facts.own, ifindex, &why);
	diagnosis_loop(&d->all, &ret->facts, &ret->firewall, end, why.text);
	return true;
}

/* Nobody said which broker: each family that the interface has. */
static void
check_families(struct doctor *d)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct doctor_host host[2];
	uint32_t at[2];
	bool has[2];

	for (int i = 0; i < 2; i++) {
		at[i] = d->args->ifindex ? d->args->ifindex : hostfacts_interface(families[i]);
		hostfacts_read(at[i], families[i], HOSTFACTS_PROC, &host[i].facts);
		has[i] = at[i] != 0 && host[i].facts.own.family != AF_UNSPEC;
	}
	/* Nobody expects it there. */
	if (has[0] && (host[1].facts.flags & IFF_LOOPBACK))
		has[1] = false;
	for (int i = 0; i < 2; i++) {
		/* What is wrong with an interface of neither is told once. */
		if (!has[i] && (i > 0 || has[1]))
			continue;
		if (!check_host(d, families[i], at[i], &host[i]))
			continue;
		diagnosis_rp_filter(&d->all, &host[i].facts, NULL, 0);
		diagnosis_flag(&d->all, &host[i].facts, false);
	}
}

/* The way to a broker, and the broker. */
static void
check_broker(struct doctor *d)
{
	const struct addr *server;
	struct doctor_host host = {.firewall = {.n = 0}};
	struct connection c;
	enum cli_exit rc = connection_open(&c, d->args);
	bool sound, heard;

	if (rc != CLI_OK) {
		check_families(d);
		d->family = NULL;
		finding_fail(&d->all, rc, "broker", NULL, "%s cannot be asked", d->args->uri);
		return;
	}
	server = session_server(endpoint_session(c.ep));
	sound = check_host(d, server->family,
		d->args->ifindex ? d->args->ifindex : hostfacts_way_to(server), &host);
	heard = doctor_ask_broker(&c, &host, &d->all);
	if (sound)
		diagnosis_flag(&d->all, &host.facts, heard);
	connection_close(&c);
}

enum cli_exit
doctor_run(const struct args *a)
{
	struct doctor d = {.args = a, .written = CONNECTION_WRITTEN};

	d.all = (struct findings){.tell = on_finding, .ctx = &d};
	check_clock(&d.all);
	check_state(&d.all, a);
	if (a->uri)
		check_broker(&d);
	else
		check_families(&d);
	return d.all.exit != CLI_OK ? d.all.exit : connection_wrote(d.written);
}
