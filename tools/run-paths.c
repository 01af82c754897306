/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* holdfast run: lets programs see soft devices at the fixed paths of the kernel's devices. */
#include <stdlib.h>
#include <string.h>

#include "soft/root.h"
#include "tools/doctor.h"
#include "tools/roots.h"
#include "tools/run.h"

/* Adds a root that is there, unless the list could not hold its name. */
static void add_shown_root(char **list, const char *sysfs)
{
	char *longer;

	if (*sysfs != '/' || strchr(sysfs, ':') || !hfi_exists(sysfs, "class/infiniband") ||
	    hfi_is_kernel_root(sysfs))
		return;
	longer = hfi_tool_print("%s%s%s", *list, **list ? ":" : "", sysfs);
	free(*list);
	*list = longer;
}

/* The trees that the program will look for devices in, whose nodes are in their own directory. */
static char *find_shown_roots(const struct hf_tool *tool)
{
	const char *given = getenv("HOLDFAST_ROOTS"), *sysfs = getenv("SYSFS_PATH");
	char *list = hfi_tool_print("%s", ""), path[256];
	struct hf_roots roots;

	if (tool->num_roots || (given && *given)) {
		hfi_roots_get(tool, &roots);
		for (size_t i = 0; i < roots.count; i++) {
			char *dev = hfi_tool_print("%s/dev", roots.v[i].sysfs);

			if (!strcmp(dev, roots.v[i].dev))
				add_shown_root(&list, roots.v[i].sysfs);
			free(dev);
		}
		hfi_roots_free(&roots);
	} else if (!sysfs || !*sysfs) {
		add_shown_root(&list, "/run/holdfast/soft");
		if (!hfi_soft_root(false, path, sizeof(path)) &&
		    strcmp(path, "/run/holdfast/soft") != 0)
			add_shown_root(&list, path);
	}
	return list;
}

void hfi_run_show_paths(const struct hf_tool *tool, struct hf_run *run)
{
	const char *given = getenv("LD_PRELOAD");

	/* The loader takes a blank in LD_PRELOAD for the end of a name. */
	if (!hfi_exists(run->shim_dir, HF_PATHS_FILE) || strpbrk(run->shim_dir, " \t\n"))
		return;
	run->shown = find_shown_roots(tool);
	if (!*run->shown)
		return;
	/* Last: the library of a sanitizer must come first. */
	run->preload = hfi_tool_print("%s%s%s/" HF_PATHS_FILE, given ? given : "",
				      given && *given ? ":" : "", run->shim_dir);
}
