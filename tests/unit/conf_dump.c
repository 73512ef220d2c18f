/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prints the schema of the configuration, a line per key:
 * path TAB description TAB default TAB help. scripts/check-conf reads it.
 */
#include <stdio.h>

#include "conf/conf.h"
#include "conf/emit.h"

/* Goes as deep as the tables do. */
static void
dump(const struct schema_key *keys, const char *above)
{
	char path[256];

	for (; keys->name; keys++) {
		snprintf(path, sizeof(path), "%s%s%s%s", above, above[0] ? "." : "", keys->name,
			keys->list && keys->keys ? "[]" : "");
		printf("%s\t", path);
		emit_description(keys, stdout);
		printf("\t%s\t%s\n", keys->dflt ? keys->dflt : "", keys->help);
		if (keys->keys)
			dump(keys->keys, path);
	}
}

int
main(void)
{
	dump(conf_schema(), "");
	return 0;
}
