/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/certificates.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "transport/certificate.h"

bool
certificates_of(const struct conf *conf, struct coapd_certificate *ret)
{
	const struct conf_certificate *c = conf->security.certificate;

	if (c)
		*ret = (struct coapd_certificate){.file = c->file, .key = c->key, .ca = c->ca};
	return c != NULL;
}

/* As certificate_check(). */
static int
check(const struct conf *conf, struct error *e)
{
	static const char *const keys[] = {
		[CERTIFICATE_FILE] = "security.certificate.file",
		[CERTIFICATE_KEY] = "security.certificate.key",
		[CERTIFICATE_CA] = "security.certificate.ca",
	};
	struct coapd_certificate files;
	enum certificate_part part;
	struct error why;
	int rc;

	if (!certificates_of(conf, &files) || (rc = certificate_check(&files, &why, &part)) == 0)
		return 0;
	(void)conf_refuse(conf, e, NULL, 0, keys[part], why.text);
	return rc;
}

int
certificates_check(const struct conf *conf, struct error *e)
{
	return check(conf, e) < 0 ? -EINVAL : 0;
}

int
certificates_check_again(const struct conf *conf, struct error *e)
{
	int rc = check(conf, e);

	if (rc == -EKEYEXPIRED) {
		log_warning("server: %s", e->text);
		rc = 0;
	}
	return rc;
}

static bool
is_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

int
certificates_renew(const struct conf *boot, const struct conf *conf, const struct pemfiles *shown,
	struct error *e, struct pemfiles **ret)
{
	struct coapd_certificate from, now;
	struct pemfiles *files;
	int rc;

	*ret = NULL;
	if (!shown || !certificates_of(boot, &from) || !certificates_of(conf, &now) ||
		!is_same(from.file, now.file) || !is_same(from.key, now.key) ||
		!is_same(from.ca, now.ca))
		return 0;
	if ((rc = pemfiles_read(&from, e, &files)) < 0)
		return rc;
	if (pemfiles_equal(files, shown)) {
		pemfiles_free(files);
		return 0;
	}
	/* One in use may grow old, which is no reason to refuse a reload: another is not taken. */
	if (certificates_check(conf, e) < 0) {
		pemfiles_free(files);
		return -EINVAL;
	}
	*ret = files;
	return 0;
}
