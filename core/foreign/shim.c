/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Finds Holdfast's own libibverbs.so.1, which foreign libraries need, and loads it. */
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <holdfast/context.h>

#include "shared/attr.h"
#include "core/base/process.h"
#include "core/base/reason.h"
#include "shared/text.h"
#include "core/compat.h"
#include "core/foreign/shim.h"

static const char soname[] = "libibverbs.so.1";

/*
 * Static because it is the process's: there is one libibverbs.so.1 in it or none. The shim that is
 * mapped says so itself, while a name may belong to any.
 */
static _Atomic(const void *) shim_address;
static _Thread_local bool opening;

void hfi_compat_shim(const void *address)
{
	atomic_store(&shim_address, address);
	hfi_program_uses_shim_set(address && !opening);
}

static int refuse_without_shim(struct hf_reason *reason, const char *wanted, const char *found,
			       const char *path)
{
	hfi_reason_set(reason, HF_REASON_LOAD, wanted, found,
		       "the distribution's providers need %s, but: %s", wanted, path);
	return -EACCES;
}

static bool is_readable_file(char *path, const char *dir, const char *name)
{
	if (hfi_print(path, HF_PATH_MAX, "%s/%s", dir, name) == 0 && access(path, R_OK) == 0)
		return true;
	path[0] = '\0';
	return false;
}

int hfi_shim_find(struct hf_shim_files *ret, struct hf_reason *reason)
{
	static const struct {
		const char *shim, *scan;
	} moved[] = {
		/* As a build tree has them, and as they are installed below a directory of libraries. */
		{"../compat/.libs/libibverbs.so.1", "../compat/holdfast-scan-provider"},
		{"holdfast/compat/libibverbs.so.1", "../libexec/holdfast/holdfast-scan-provider"},
	};
	struct hf_shim_files files = {0};
	char dir[HF_PATH_MAX];
	Dl_info info;

	if (!dladdr((void *)(uintptr_t)hf_version, &info) || info.dli_fname[0] != '/' ||
	    hfi_copy(files.self, sizeof(files.self), info.dli_fname))
		return refuse_without_shim(reason, "a shared libholdfast", "one within the program",
					   "it is linked into the program");
	snprintf(dir, sizeof(dir), "%.*s", (int)(strrchr(files.self, '/') - files.self),
		 files.self);
	if (strcmp(dir, HF_LIB_DIR) == 0 && is_readable_file(files.shim, HF_COMPAT_DIR, soname)) {
		is_readable_file(files.scan, HF_LIBEXEC_DIR, "holdfast-scan-provider");
		*ret = files;
		return 0;
	}
	for (size_t i = 0; i < HF_ARRAY_SIZE(moved); i++) {
		if (!is_readable_file(files.shim, dir, moved[i].shim))
			continue;
		is_readable_file(files.scan, dir, moved[i].scan);
		*ret = files;
		return 0;
	}
	return refuse_without_shim(reason, "Holdfast's libibverbs.so.1", "none",
				   "it is not installed beside libholdfast");
}

/* Whether the library loaded under that name, if any, is the shim that called this library. */
static int check_present(void *library, struct hf_reason *reason)
{
	const void *address = atomic_load(&shim_address);
	struct link_map *present = NULL, *shim = NULL;
	Dl_info info;

	if (dlinfo(library, RTLD_DI_LINKMAP, &present) == 0 && address &&
	    dladdr1(address, &info, (void **)&shim, RTLD_DL_LINKMAP) && shim == present)
		return 0;
	return refuse_without_shim(reason, "Holdfast's libibverbs.so.1",
				   "another one is in the process",
				   present ? present->l_name : "another one is in the process");
}

int hfi_shim_open(const char *path, void **ret, struct hf_reason *reason)
{
	void *library = dlopen(soname, RTLD_LAZY | RTLD_LOCAL | RTLD_NOLOAD);
	int err;

	if (!library) {
		opening = true;
		library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
		opening = false;
	}
	if (!library) {
		const char *why = dlerror();

		return refuse_without_shim(reason, "Holdfast's libibverbs.so.1",
					   "the loader's refusal", why ? why : path);
	}
	err = check_present(library, reason);
	if (err)
		dlclose(library);
	else
		*ret = library;
	return err;
}
