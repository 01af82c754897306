/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A driver whose only library here is for a private ABI that this library does not take. */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "shared/text.h"
#include "core/base/reason.h"
#include "core/foreign/family.h"
#include "core/foreign/other_abi.h"

static const char mark[] = "-rdmav";

/* "libmlx5-rdmav66.so", where the missing one is "libmlx5-rdmav34.so": its number. */
static bool is_same_driver(const char *entry, const char *missing, uint64_t *ret)
{
	const char *at = strstr(missing, mark);
	size_t length = at ? (size_t)(at - missing) + strlen(mark) : 0, digits;
	char number[16];

	if (!length || strncmp(entry, missing, length) != 0)
		return false;
	digits = strspn(entry + length, "0123456789");
	/* "-rdmav065.so" is the name of no ABI. */
	return entry[length] != '0' && !strcmp(entry + length + digits, ".so") &&
	       !hfi_print(number, sizeof(number), "%.*s", (int)digits, entry + length) &&
	       !hfi_parse_number(number, 10, UINT32_MAX, ret);
}

/* The newest of them. */
static bool find_in_dir(const char *dir, const char *missing, char *path, uint32_t *abi)
{
	DIR *stream = opendir(dir);
	struct dirent *entry;
	bool found = false;

	while (stream && (entry = readdir(stream))) {
		char other[HF_PATH_MAX];
		uint64_t number;

		if (!is_same_driver(entry->d_name, missing, &number) || (found && number < *abi) ||
		    hfi_print(other, sizeof(other), "%s/%s", dir, entry->d_name))
			continue;
		hfi_copy(path, HF_PATH_MAX, other);
		*abi = (uint32_t)number;
		found = true;
	}
	if (stream)
		closedir(stream);
	return found;
}

void hfi_other_abi_name(struct hf_candidate *candidate)
{
	const struct hf_family *newest = &hfi_families[hfi_num_families - 1];
	const struct hf_manifest *m = &candidate->manifest;
	const char *base = hfi_last_component(m->file);
	char dir[HF_PATH_MAX] = HF_DRIVER_DIR, path[HF_PATH_MAX];
	char wanted[96], found[32], known[40];
	uint32_t abi = 0;

	if (base != m->file)
		snprintf(dir, sizeof(dir), "%.*s", (int)(base - m->file) - 1, m->file);
	if (!find_in_dir(dir, base, path, &abi))
		return;
	candidate->other_abi = abi;
	hfi_family_numbers(known, sizeof(known));
	snprintf(wanted, sizeof(wanted), "private ABI %s (rdma-core %u to %u)", known,
		 hfi_families[0].profiles[0].first,
		 newest->profiles[newest->num_profiles - 1].last);
	snprintf(found, sizeof(found), "private ABI %u", abi);
	hfi_reason_set(&candidate->reason, HF_REASON_ABI, wanted, found,
		       "%s is for private ABI %u of libibverbs, known are %s",
		       hfi_last_component(path), abi, known);
}

void hfi_other_abi_file(const struct hf_candidate *candidate, char *ret, size_t size)
{
	const char *file = candidate->manifest.file;
	const char *at = strstr(hfi_last_component(file), mark);
	const char *dir = file == hfi_last_component(file) ? HF_DRIVER_DIR "/" : "";

	if (!candidate->other_abi || !at ||
	    hfi_print(ret, size, "%s%.*s%s%u.so", dir, (int)(at - file), file, mark,
		      candidate->other_abi))
		hfi_copy(ret, size, file);
}
