/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any text as a configuration. What is accepted must print as something that is
 * accepted again and prints the same; what is refused must say where.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct conf *
parse(struct bytes text)
{
	struct conf *c = NULL;
	struct error e = {.text = ""};

	if (conf_parse(text, "f", &c, &e) == 0)
		return c;
	assert(strncmp(e.text, "f:", 2) == 0 && strlen(e.text) > 3);
	for (const char *p = e.text; *p; p++)
		assert((unsigned char)*p >= 0x20 && *p != 0x7f);
	return NULL;
}

static char *
print(const struct conf *c, size_t *ret_n)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_n);

	if (!out)
		abort();
	conf_print(c, out);
	fclose(out);
	return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf *c = parse(bytes_of(data, size)), *again;
	size_t n, n_again;
	char *text, *text_again;
	struct error e;

	if (!c)
		return 0;
	(void)conf_masked(c, &e);
	text = print(c, &n);
	again = parse(bytes_of(text, n));
	/* Printed it can be larger than what may be read. */
	if (again) {
		text_again = print(again, &n_again);
		assert(n == n_again && memcmp(text, text_again, n) == 0);
		free(text_again);
	} else {
		assert(n > 1U << 20);
	}
	conf_free(again);
	conf_free(c);
	free(text);
	return 0;
}
