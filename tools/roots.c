/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Finds the roots that the library searches: options, then the environment, then /sys. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/roots.h"

/* The library accepts absolute paths only, and users may type relative ones. */
static char *absolute(char *path)
{
	char *dir, *full;

	if (*path == '/')
		return path;
	dir = getcwd(NULL, 0);
	full = hfi_tool_print("%s/%s", dir ? dir : "", path);
	free(dir);
	free(path);
	return full;
}

int hfi_root_parse(const char *text, struct hf_root *ret)
{
	const char *colon = strchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : strlen(text);
	char *sysfs;

	if (!length || (colon && !colon[1]))
		return -EINVAL;
	sysfs = absolute(hfi_tool_print("%.*s", (int)length, text));
	*ret = (struct hf_root){.sysfs = sysfs};
	if (colon)
		ret->dev = absolute(hfi_tool_print("%s", colon + 1));
	else if (!strcmp(sysfs, "/sys"))
		ret->dev = hfi_tool_print("/dev");
	else
		ret->dev = hfi_tool_print("%s/dev", sysfs);
	return 0;
}

static void append_root(struct hf_roots *roots, const struct hf_root *root)
{
	roots->v = hfi_tool_alloc(roots->v, roots->count + 1, sizeof(*roots->v));
	roots->v[roots->count++] = *root;
}

static void add_copy(struct hf_roots *roots, const char *sysfs, const char *dev)
{
	struct hf_root root = {.sysfs = hfi_tool_print("%s", sysfs),
			       .dev = hfi_tool_print("%s", dev)};

	append_root(roots, &root);
}

void hfi_roots_get(const struct hf_tool *tool, struct hf_roots *ret)
{
	const char *list = secure_getenv("HOLDFAST_ROOTS"), *sysfs = secure_getenv("SYSFS_PATH");
	struct hf_root root;

	ret->v = NULL;
	ret->count = 0;
	for (size_t i = 0; i < tool->num_roots; i++)
		add_copy(ret, tool->roots[i].sysfs, tool->roots[i].dev);
	while (!tool->num_roots && list && *list) {
		size_t length = strcspn(list, ",");
		char *text = hfi_tool_print("%.*s", (int)length, list);

		if (!hfi_root_parse(text, &root))
			append_root(ret, &root);
		free(text);
		list += length;
		list += *list == ',';
	}
	if (!ret->count)
		add_copy(ret, sysfs && *sysfs ? sysfs : "/sys", "/dev");
}

void hfi_roots_free(struct hf_roots *roots)
{
	for (size_t i = 0; i < roots->count; i++) {
		free((char *)roots->v[i].sysfs);
		free((char *)roots->v[i].dev);
	}
	free(roots->v);
}

char *hfi_roots_find_hidden(const struct hf_tool *tool, const char *name)
{
	struct hf_roots roots;
	char *path, *found = NULL;

	if (!*name || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
		return NULL;
	path = hfi_tool_print("class/infiniband/%s", name);
	hfi_roots_get(tool, &roots);
	for (size_t i = 0; i < roots.count && !found; i++)
		if (hfi_exists(roots.v[i].sysfs, path))
			found = hfi_tool_print("%s", roots.v[i].sysfs);
	hfi_roots_free(&roots);
	free(path);
	return found;
}
