/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The process that looks into foreign libraries, see core/foreign/scan.h. */
#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "shared/attr.h"
#include "shared/text.h"
#include "core/compat.h"
#include "core/device/trial.h"
#include "core/foreign/registered.h"
#include "core/foreign/tables.h"

enum { LIMIT_S = 20 };

static void refuse_library(struct hf_tables *tables, const char *text)
{
	*tables = (struct hf_tables){0};
	snprintf(tables->error, sizeof(tables->error), "%s", text);
	for (char *c = tables->error; *c; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c >= 0x7f)
			*c = '?';
}

static void read_library_tables(const char *file, struct hf_tables *tables)
{
	const struct verbs_device_ops *ops;
	char found[HF_PATH_MAX] = "";
	struct link_map *map;
	uint32_t abi = 0; /* that it is the right one was told by its symbols: learn.c */
	void *library;

	library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		const char *why = dlerror();

		refuse_library(tables, why ? why : "the loader gave no reason");
		return;
	}
	if (file[0] != '/' && dlinfo(library, RTLD_DI_LINKMAP, &map) == 0 &&
	    hfi_copy(found, sizeof(found), map->l_name))
		found[0] = '\0';
	ops = hfi_registered_by(library, &abi);
	if (!ops) {
		refuse_library(tables, "it registered no driver");
	} else if (abi == HF_SEVERAL_ABIS) {
		refuse_library(tables, "it registered by the calls of several private ABIs");
	} else if (!ops->alloc_device || !ops->alloc_context) {
		refuse_library(tables, "it lacks alloc_device or alloc_context");
	} else if (hfi_tables_take(ops, tables)) {
		refuse_library(tables, "its match table makes no sense");
	} else {
		hfi_trial_run(ops);
		hfi_copy(tables->file, sizeof(tables->file), found);
	}
	dlclose(library);
	if (ops)
		hfi_registered_forget(ops);
}

HF_EXPORT int hf_compat_scan(int fd, const char *shim, char **files)
{
	FILE *report = fdopen(fd, "w");

	/* A library that is cut while it is looked into ends in a signal: no core file of that. */
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	alarm(LIMIT_S);
	if (!report || !dlopen(shim, RTLD_NOW | RTLD_LOCAL))
		return 2;
	for (; *files; files++) {
		struct hf_tables tables = {0};

		read_library_tables(*files, &tables);
		if (hfi_tables_print(&tables, report) < 0 || fflush(report) < 0)
			return 3;
		hfi_tables_clear(&tables);
	}
	return 0;
}
