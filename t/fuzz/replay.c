/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Stands in for libFuzzer in ordinary builds: gives the target each file named on the command line,
 * or found in a directory named there, and small changes of it. By default the target's own seeds.
 */
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#include "t/fuzz/fuzz.h"

enum { FILE_MAX = 1 << 20 };

/* Valgrind takes some thirty times as long. */
enum { CHANGES_MAX = 512, CHANGES_MAX_VALGRIND = 8 };

static unsigned long files, runs;

static void run_input(const uint8_t *data, size_t size)
{
	uint8_t *copy = fuzz_copy(data, size);

	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	runs++;
}

/* Every truncation, and three changes of each byte. */
static void run_changes(uint8_t *data, size_t size)
{
	static const uint8_t flips[] = {0x01, 0x80, 0xff};
	size_t max = getenv("HF_VALGRIND") ? CHANGES_MAX_VALGRIND : CHANGES_MAX;
	size_t end = size < max ? size : max;

	for (size_t i = 0; i < end; i++) {
		uint8_t saved = data[i];

		run_input(data, i);
		for (size_t k = 0; k < sizeof(flips); k++) {
			data[i] = saved ^ flips[k];
			run_input(data, size);
		}
		data[i] = saved;
	}
}

static int replay_file(const char *path)
{
	uint8_t *data = malloc(FILE_MAX);
	FILE *file = fopen(path, "re");
	size_t size;

	if (!data || !file) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		free(data);
		if (file)
			fclose(file);
		return -1;
	}
	size = fread(data, 1, FILE_MAX, file);
	fclose(file);
	files++;
	run_input(data, size);
	run_changes(data, size);
	free(data);
	return 0;
}

static int replay(const char *path)
{
	struct dirent *entry;
	struct stat st;
	int ret = 0;
	DIR *dir;

	if (stat(path, &st)) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	if (!S_ISDIR(st.st_mode))
		return replay_file(path);
	dir = opendir(path);
	if (!dir) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	while (!ret && (entry = readdir(dir))) {
		char *name = NULL;

		if (entry->d_name[0] == '.')
			continue;
		if (asprintf(&name, "%s/%s", path, entry->d_name) < 0)
			abort();
		ret = replay(name);
		free(name);
	}
	closedir(dir);
	return ret;
}

int main(int argc, char **argv)
{
	const char *top = getenv("top_srcdir");
	char *seeds = NULL;
	int ret = 0;

	if (asprintf(&seeds, "%s/t/fuzz/seeds/%s", top ? top : ".", fuzz_name) < 0)
		return 99;
	if (argc < 2)
		ret = replay(seeds);
	for (int i = 1; i < argc && !ret; i++)
		ret = replay(argv[i]);
	printf("%s: %lu files, %lu inputs\n", fuzz_name, files, runs);
	free(seeds);
	return ret || !files ? 1 : 0;
}
