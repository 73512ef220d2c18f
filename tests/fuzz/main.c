/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replays a corpus: feeds every file of a folder to the fuzz target it is
 * linked with. This is what `make check` runs where `make fuzz` searches.
 *
 *	replay_NAME [FOLDER]	(default: $srcdir/tests/fuzz/corpus/NAME)
 *
 * Prints TAP, one case per folder. A finding is a crash, so there is no way to
 * go on after one: the last "# file" line names the input.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INPUT_MAX (1U << 20)
#define TIMEOUT_S 300 /* an input that hangs the target is a finding */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Read a regular file into a block of exactly its size, so that a sanitizer
 * notices the first byte past it. Returns NULL on failure. */
static uint8_t *
slurp(const char *path, size_t *ret_n)
{
	uint8_t *p = NULL;
	struct stat st;
	FILE *f = fopen(path, "rb");

	if (f == NULL || fstat(fileno(f), &st) != 0)
		goto fail;
	if (!S_ISREG(st.st_mode) || st.st_size > INPUT_MAX)
		goto fail;
	p = malloc(st.st_size > 0 ? (size_t)st.st_size : 1);
	if (p == NULL || fread(p, 1, (size_t)st.st_size, f) != (size_t)st.st_size)
		goto fail;
	*ret_n = (size_t)st.st_size;
	fclose(f);
	return p;
fail:
	if (f != NULL)
		fclose(f);
	free(p);
	return NULL;
}

static bool
replay_file(const char *folder, const char *name)
{
	char path[4096];
	uint8_t *p;
	size_t n;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, name) >= sizeof(path))
		return false;
	p = slurp(path, &n);
	if (p == NULL) {
		printf("# cannot read %s: %s\n", path, strerror(errno));
		return false;
	}
	printf("# %s\n", name);
	fflush(stdout);
	LLVMFuzzerTestOneInput(p, n);
	free(p);
	return true;
}

/* The number of files fed, or -1. */
static int
replay_folder(const char *folder)
{
	DIR *d = opendir(folder);
	const struct dirent *e;
	int n = 0;

	if (d == NULL) {
		printf("# cannot open %s: %s\n", folder, strerror(errno));
		return -1;
	}
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		if (!replay_file(folder, e->d_name)) {
			n = -1;
			break;
		}
		n++;
	}
	closedir(d);
	return n;
}

/* The corpus that belongs to the program's own name: what is after "replay_". */
static bool
own_corpus(const char *argv0, char *out, size_t n_out)
{
	const char *srcdir = getenv("srcdir");
	const char *name = strstr(argv0, "replay_");
	int n;

	if (name == NULL)
		return false;
	n = snprintf(out, n_out, "%s/tests/fuzz/corpus/%s", srcdir != NULL ? srcdir : ".",
		name + strlen("replay_"));
	return n > 0 && (size_t)n < n_out;
}

int
main(int argc, char **argv)
{
	char own[4096];
	int n_failed = 0;
	int n_cases = argc > 1 ? argc - 1 : 1;

	if (argc < 2 && !own_corpus(argv[0], own, sizeof(own))) {
		fprintf(stderr, "usage: %s FOLDER...\n", argv[0]);
		return EXIT_FAILURE;
	}
	alarm(TIMEOUT_S);
	printf("1..%d\n", n_cases);
	for (int i = 1; i <= n_cases; i++) {
		const char *folder = argc > 1 ? argv[i] : own;
		int n = replay_folder(folder);

		/* An empty corpus would be a test that cannot fail. */
		printf("%s %d - %s: %d inputs\n", n > 0 ? "ok" : "not ok", i, folder, n);
		n_failed += n <= 0;
	}
	return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
