/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Files of anybody in the place of libibverbs.so.1, which tell the release by name, exports and nodes. The first byte
 * chooses the release in the name, the second the private ABI and whether the release is stated; the rest is the file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/foreign/family.h"
#include "core/provider/elf.h"
#include "t/fuzz/fuzz.h"

const char fuzz_name[] = "landmarks";

static const char *const names[] = {
	"libibverbs.so.1.18.65.0", "libibverbs.so.1.17.64.0", "libibverbs.so.1.16.62.0",
	"libibverbs.so.1.15.59.0", "libibverbs.so.1.14.57.0", "libibverbs.so.1.14.53.0",
	"libibverbs.so.1.14.36.0", "libibverbs.so.1.19.66.0", "libibverbs.so.1.18",
};
enum { NUM_NAMES = sizeof(names) / sizeof(names[0]) };

static char directory[64];

static void remove_library_dir(void)
{
	char path[128];

	for (size_t i = 0; i < NUM_NAMES; i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/libibverbs.so.1", directory);
	unlink(path);
	rmdir(directory);
}

static void make_library_dir(void)
{
	snprintf(directory, sizeof(directory), "%s/hf-landmarks-XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(directory))
		abort();
	atexit(remove_library_dir);
}

static void write_library(const char *name, const uint8_t *data, size_t size)
{
	char path[128], link[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	snprintf(link, sizeof(link), "%s/libibverbs.so.1", directory);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	fuzz_check(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	close(fd);
	unlink(link);
	fuzz_check(symlink(name, link) == 0);
}

/* A refusal has a text; a layout is the one of the release, with all that is new until then. */
static void check_evidence(const struct hf_family *family, const struct hf_evidence *e,
			   unsigned int stated)
{
	struct hf_elf elf = {0};
	struct hf_reason reason;
	char path[128];

	if (!e->profile) {
		fuzz_check(e->reason.code && e->reason.text[0]);
		fuzz_check(fuzz_is_string(e->reason.text) && fuzz_is_string(e->reason.found));
		return;
	}
	fuzz_check(!e->reason.code);
	fuzz_check(e->version >= e->profile->first && e->version <= e->profile->last);
	fuzz_check(e->profile >= family->profiles &&
		   e->profile < family->profiles + family->num_profiles);
	if (stated)
		return;
	snprintf(path, sizeof(path), "%s/libibverbs.so.1", directory);
	fuzz_check(hfi_elf_read(path, &elf, &reason) == 0);
	for (size_t i = 0; i < hfi_num_families; i++)
		fuzz_check(hfi_elf_names(&elf, hfi_families[i].node) ==
			   (&hfi_families[i] == family));
	for (size_t i = 0; i < family->num_landmarks; i++)
		fuzz_check(hfi_elf_names(&elf, family->landmarks[i].name) ==
			   (e->version >= family->landmarks[i].since));
	hfi_elf_clear(&elf);
}

/* The same file in the place of a provider: what may be loaded can also be read. */
static void check_provider(void)
{
	struct hf_reason reason = {0};
	struct hf_elf elf = {0};
	char path[128];
	int err;

	snprintf(path, sizeof(path), "%s/libibverbs.so.1", directory);
	err = hfi_elf_read_to_load(path, &elf, &reason);
	if (err) {
		fuzz_check(err == -EACCES && reason.code && reason.text[0]);
		return;
	}
	hfi_elf_clear(&elf);
	fuzz_check(hfi_elf_read(path, &elf, &reason) == 0);
	hfi_elf_clear(&elf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct hf_family *family;
	unsigned int stated = 0;
	const struct hf_cache nothing = {.v = NULL};
	struct hf_evidence e;

	if (size < 2)
		return 0;
	if (!directory[0])
		make_library_dir();
	write_library(names[data[0] % NUM_NAMES], data + 2, size - 2);
	family = &hfi_families[data[1] % hfi_num_families];
	if (data[1] & 0x80)
		stated = data[0];
	fuzz_fill(&e, sizeof(e));
	fuzz_check(hfi_family_evidence(family, directory, stated, &nothing, &e) == 0);
	check_evidence(family, &e, stated);
	check_provider();
	return 0;
}
