/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/conf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "conf/confcheck.h"
#include "conf/confkeys.h"
#include "conf/emit.h"
#include "conf/lookup.h"

#define MAX_FILE (1U << 20) /* 35,000 topics fit; more is not a configuration */
#define CONF_D "conf.d"

static struct conf *
conf_new(void)
{
	struct conf *c = mem_alloc(sizeof(*c));

	c->doc = mem_alloc(sizeof(*c->doc));
	schema_defaults(c->doc, confkeys, c);
	return c;
}

void
conf_free(struct conf *c)
{
	if (!c)
		return;
	schema_fini(c->doc);
	free(c->doc);
	free(c);
}

static int
finish(struct conf *c, struct error *e)
{
	schema_finish(c->doc, confkeys, c);
	return confcheck_all(c, e);
}

int
conf_parse(struct bytes text, const char *name, struct conf **ret, struct error *e)
{
	struct schema_source src = {.name = name};
	struct conf *c = conf_new();
	int rc = -EINVAL;

	if (text.n > MAX_FILE) {
		error_set(e, "%s: is larger than %u bytes", name, MAX_FILE);
		goto fail;
	}
	rc = schema_parse(c->doc, confkeys, c, text, &src, e);
	c->is_empty = c->doc->n_places == 0;
	if (rc == 0)
		rc = finish(c, e);
	if (rc != 0)
		goto fail;
	*ret = c;
	return 0;
fail:
	conf_free(c);
	return rc;
}

static const char *
folder_of(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return ".";
	if (slash == path)
		return "/";
	return arena_str(a, bytes_of(path, (size_t)(slash - path)));
}

static int
read_file(struct conf *c, const char *path, const char *folder, struct error *e)
{
	struct schema_source src = {.name = path, .folder = folder};
	struct arena content = {NULL};
	struct bytes text;
	struct error why;
	struct stat st;
	int fd, rc;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) != 0) {
		rc = -errno;
		error_set(e, "%s: cannot be read: %s", path, strerror(errno));
		goto out;
	}
	rc = S_ISREG(st.st_mode) ? 0 : -EINVAL;
	if (rc != 0) {
		error_set(e, "%s: is not a regular file", path);
		goto out;
	}
	src.shared = (st.st_mode & (S_IRWXG | S_IRWXO)) != 0;
	rc = lookup_slurp(fd, MAX_FILE, &content, &text, &why);
	if (rc != 0)
		error_set(e, "%s: %s", path, why.text);
	else
		rc = schema_parse(c->doc, confkeys, c, text, &src, e);
out:
	if (fd >= 0)
		close(fd);
	arena_fini(&content);
	return rc;
}

static int
is_snippet(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return d->d_name[0] != '.' && n > 5 && strcmp(d->d_name + n - 5, ".yaml") == 0;
}

/* Not alphasort(): the order must not depend on the locale. */
static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int
read_snippets(struct conf *c, const char *folder, struct error *e)
{
	const char *conf_d = lookup_join(&c->doc->arena, folder, CONF_D);
	struct dirent **found;
	int n = scandir(conf_d, &found, is_snippet, by_name), rc = 0;

	if (n < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (n < 0) {
		rc = -errno;
		error_set(e, "%s: cannot be read: %s", conf_d, strerror(errno));
		return rc;
	}
	for (int i = 0; i < n; i++) {
		const char *path = lookup_join(&c->doc->arena, conf_d, found[i]->d_name);

		if (rc == 0)
			rc = read_file(c, path, folder, e);
		free(found[i]);
	}
	free(found);
	return rc;
}

int
conf_load(const char *path, struct conf **ret, struct error *e)
{
	struct conf *c = conf_new();
	const char *folder = folder_of(&c->doc->arena, path);
	int rc;

	rc = read_file(c, path, folder, e);
	c->is_empty = c->doc->n_places == 0;
	if (rc == 0)
		rc = read_snippets(c, folder, e);
	if (rc == 0)
		rc = finish(c, e);
	if (rc != 0)
		goto fail;
	*ret = c;
	return 0;
fail:
	conf_free(c);
	return rc;
}

bool
conf_masked(const struct conf *c, struct error *e)
{
	for (size_t i = 0; i < c->doc->n_places; i++) {
		const struct schema_place *p = &c->doc->places[i];

		/* A later file may have taken back what an earlier one said. */
		if (!p->masked || schema_place(c->doc, p->masked) != p)
			continue;
		schema_error(e, p, p->masked, "is masked, --print-config does not show secrets");
		return true;
	}
	return false;
}

void
conf_forget_places(struct conf *c)
{
	schema_forget_places(c->doc);
}

int
conf_refuse(const struct conf *c, struct error *e, const char *list, size_t i, const char *key,
	const char *why)
{
	return confcheck_fail(c, e, list, i, key, why);
}

void
conf_print(const struct conf *c, FILE *out)
{
	emit_yaml(confkeys, c, out);
}

const struct schema_key *
conf_schema(void)
{
	return confkeys;
}
