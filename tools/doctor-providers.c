/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* holdfast doctor: checks the providers: which are refused, and who may change them. */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/userns.h"
#include "tools/doctor.h"
#include "tools/names.h"

static char *provider_dirs(const struct hf_tool *tool)
{
	char *text = hfi_tool_print("%s", tool->num_provider_dirs ? "" : HF_PROVIDER_DIR);

	for (size_t i = 0; i < tool->num_provider_dirs; i++) {
		char *longer =
			hfi_tool_print("%s%s%s", text, i ? ", " : "", tool->provider_dirs[i]);

		free(text);
		text = longer;
	}
	return text;
}

enum { PROVIDER_PATHS = 4 };

/* The library, the manifest and their directories. The caller frees each. Returns how many. */
static size_t provider_paths(const struct hf_provider_info *info, char *ret[PROVIDER_PATHS])
{
	const char *const files[] = {info->file, info->manifest};
	size_t count = 0;

	for (size_t i = 0; i < 2; i++) {
		char *dir, *slash;

		/* A driver may be named by a variable, without a path, and found by the loader. */
		if (*files[i] != '/')
			continue;
		dir = hfi_tool_print("%s", files[i]);
		slash = strrchr(dir, '/');
		slash[slash == dir] = '\0';
		if (count && !strcmp(dir, ret[0]))
			free(dir);
		else
			ret[count++] = dir;
		ret[count++] = hfi_tool_print("%s", files[i]);
	}
	return count;
}

/*
 * The files of a provider that every user can write, quoted for a shell; all of its files if a link
 * hides which.
 */
static char *writable_files(const struct hf_provider_info *info)
{
	char *paths[PROVIDER_PATHS], *text = hfi_tool_print("%s", ""), *longer;
	size_t count = provider_paths(info, paths);

	for (int all = 0; all < 2 && !*text; all++)
		for (size_t i = 0; i < count; i++) {
			struct stat st;
			char *quoted;

			if (!all && (stat(paths[i], &st) || !(st.st_mode & S_IWOTH)))
				continue;
			quoted = hfi_quote(paths[i]);
			longer = hfi_tool_print("%s%s%s", text, *text ? " " : "", quoted);
			free(quoted);
			free(text);
			text = longer;
		}
	for (size_t i = 0; i < count; i++)
		free(paths[i]);
	return text;
}

/* Others than root and this user. In a user namespace an owner without a number here is not judged. */
static bool others_may_write(const char *path)
{
	struct stat st;

	if (stat(path, &st) || hfi_uid_is_unmapped(st.st_uid))
		return false;
	return (st.st_uid != 0 && st.st_uid != geteuid()) ||
	       ((st.st_mode & S_IWGRP) && st.st_gid != 0);
}

/* Such providers are not refused; the note is for users who did not intend this. */
static void note_writers(struct hf_findings *findings, const struct hf_provider_info *list,
			 size_t count)
{
	char *first = NULL;
	size_t writable = 0;

	for (size_t i = 0; i < count; i++) {
		char *paths[PROVIDER_PATHS];
		size_t num = provider_paths(&list[i], paths);
		bool found = false;

		for (size_t j = 0; j < num; j++) {
			if (!found && !list[i].reason.code && others_may_write(paths[j])) {
				found = true;
				writable++;
				if (!first)
					first = hfi_tool_print("%s", paths[j]);
			}
			free(paths[j]);
		}
	}
	if (writable)
		hfi_found(findings, HF_NOTE, "provider-writers", NULL,
			  hfi_tool_print("%zu provider%s can be changed by users other than root: "
					 "the first such file is %s.",
					 writable, writable == 1 ? "" : "s", first),
			  hfi_tool_print("If these users should not decide what programs run, let "
					 "only root own and write the files: see holdfast(7)."));
	free(first);
}

/* One of the distribution's libraries, for the private ABI or the layout of another rdma-core. */
static char *foreign_abi_remedy(const struct hf_provider_info *info)
{
	if (!strncmp(info->reason.found, "private ABI", strlen("private ABI")))
		return hfi_tool_print("Holdfast takes libraries of %s only. Install the provider "
				      "package of such a release, here or in a container, or run "
				      "the program on that rdma-core's own libibverbs.",
				      info->reason.wanted);
	/* The layout is known, so the library itself is wrong. */
	if (*info->layout)
		return hfi_tool_print("Install the package of %s again.", info->file);
	return hfi_tool_print(
		"Put the libibverbs.so.1 of the same rdma-core beside it, with its "
		"whole name such as libibverbs.so.1.14.44.0 behind the link; or state "
		"the release, if you know it to be one of %s: "
		"HOLDFAST_DRIVER_LAYOUT=NUMBER.",
		info->reason.wanted);
}

static char *missing_remedy(const struct hf_provider_info *info)
{
	char *quoted = hfi_quote(info->manifest), *text;

	if (!*info->file && !*info->name)
		text = hfi_tool_print("Let users read it: chmod a+rX %s", quoted);
	else if (*info->family)
		text = hfi_tool_print("Install the package of %s, or take its name out of %s.",
				      info->name, info->manifest);
	else
		text = hfi_tool_print("Install the package of %s again, or remove its manifest %s.",
				      info->name, info->manifest);
	free(quoted);
	return text;
}

static char *load_remedy(const struct hf_provider_info *info)
{
	char *quoted = hfi_quote(info->file), *text;

	if (strstr(info->reason.wanted, "libibverbs.so.1"))
		text = hfi_tool_print("Run programs on Holdfast's libibverbs.so.1, see "
				      "libholdfast-compat(7).");
	else if (*info->file != '/')
		text = missing_remedy(info);
	else
		text = hfi_tool_print("Install it again, or see which library is missing: ldd %s",
				      quoted);
	free(quoted);
	return text;
}

static char *provider_remedy(const struct hf_provider_info *info)
{
	char *text, *all;

	switch (info->reason.code) {
	case HF_REASON_ABI:
		if (*info->family)
			return foreign_abi_remedy(info);
		return hfi_tool_print("Install a build of %s for ABI %" PRIu32 " to %" PRIu32
				      ", or the holdfast that it was built for.",
				      info->name, info->abi_min, info->abi_max);
	case HF_REASON_FILE_MISSING:
		return missing_remedy(info);
	case HF_REASON_UNSAFE:
		all = writable_files(info);
		text = hfi_tool_print("Every user could change what programs run. Let others not "
				      "write, where this is installed: chmod o-w %s",
				      all);
		free(all);
		return text;
	case HF_REASON_LOAD:
		return load_remedy(info);
	case HF_REASON_BAD_MANIFEST:
		return hfi_tool_print("Correct %s or install its package again.", info->manifest);
	default:
		return hfi_tool_print(
			"See \"holdfast providers\"; \"holdfast -vv providers\" says more.");
	}
}

enum { NAMES_SHOWN = 4 };

/* The names of those that were refused; "" for none. */
static char *refused_names(struct hf *hf)
{
	char *names = hfi_tool_print("%s", ""), *longer;
	struct hf_provider_info *list;
	int count = hf_provider_list(hf, sizeof(*list), &list), refused = 0;

	for (int i = 0; i < count; i++) {
		const char *name = *list[i].name ? list[i].name : list[i].manifest;

		if (list[i].reason.code == HF_REASON_NONE ||
		    list[i].reason.code == HF_REASON_KERNEL_ABI ||
		    list[i].reason.code == HF_REASON_PROVIDER_FAILED)
			continue;
		if (++refused > NAMES_SHOWN + 1)
			continue;
		if (refused > NAMES_SHOWN)
			name = "and others";
		longer = hfi_tool_print("%s%s%s", names, *names ? ", " : "", name);
		free(names);
		names = longer;
	}
	if (count >= 0)
		free(list);
	return names;
}

/* Does a file of the directory seem to name a provider? */
static bool has_files(const char *dir)
{
	DIR *stream = opendir(dir);
	struct dirent *entry;
	bool has = false;

	while (stream && !has && (entry = readdir(stream)))
		has = entry->d_name[0] != '.';
	if (stream)
		closedir(stream);
	return has;
}

char *hfi_doctor_no_provider(const struct hf_tool *tool, struct hf *hf,
			     const struct hf_device_info *info)
{
	const char *given = secure_getenv("HOLDFAST_DRIVER_CONFIG");
	const char *config = given && *given ? given : HF_DRIVER_CONFIG_DIR;
	const char *driver = info->driver_id ? hfi_driver_name(info->driver_id) : "this hardware";
	char *refused = refused_names(hf), *text;

	if (*refused)
		text = hfi_tool_print("The provider for %s may be among those that were refused "
				      "(%s): \"holdfast providers\" says why.",
				      driver, refused);
	else if (tool->num_provider_dirs)
		text = hfi_tool_print("Only the directories of --provider-dir were searched: give "
				      "that of the provider for %s as well.",
				      driver);
	else if (*config != '/')
		text = hfi_tool_print(
			"The distribution's providers are switched off: unset "
			"HOLDFAST_DRIVER_CONFIG; or install Holdfast's provider for %s.",
			driver);
	else if (!has_files(config))
		text = hfi_tool_print(
			"%s names none of the distribution's providers. Install their "
			"package (Debian: ibverbs-providers), or Holdfast's provider "
			"for %s.",
			config, driver);
	else
		text = hfi_tool_print("Install the provider for %s, or give its directory with "
				      "--provider-dir; \"holdfast providers\" shows what is "
				      "installed.",
				      driver);
	free(refused);
	return text;
}

void hfi_doctor_providers(struct hf_findings *findings, const struct hf_tool *tool, struct hf *hf,
			  size_t devices)
{
	struct hf_provider_info *list = NULL;
	int count = hf_provider_list(hf, sizeof(*list), &list);

	if (count < 0) {
		hfi_found(findings, HF_PROBLEM, "no-provider-list", NULL,
			  hfi_tool_print("The providers cannot be listed: %s.", strerror(-count)),
			  hfi_tool_print("\"holdfast -vv providers\" says more."));
		return;
	}
	if (!count && devices) {
		char *dirs = provider_dirs(tool);

		hfi_found(findings, HF_PROBLEM, "no-provider-installed", NULL,
			  hfi_tool_print("No provider is installed in %s.", dirs),
			  hfi_tool_print(
				  "Install holdfast's providers, or give their directory with "
				  "--provider-dir."));
		free(dirs);
	}
	for (int i = 0; i < count; i++) {
		char reason[HF_REASON_TEXT];

		/* If it is refused for one device only, that is a finding of the device. */
		if (list[i].reason.code == HF_REASON_NONE ||
		    list[i].reason.code == HF_REASON_KERNEL_ABI ||
		    list[i].reason.code == HF_REASON_PROVIDER_FAILED)
			continue;
		hfi_format_reason(&list[i].reason, reason);
		hfi_found(findings, HF_WARNING, "provider-refused", NULL,
			  *list[i].name ? hfi_tool_print("Provider %s was refused: %s",
							 list[i].name, reason)
					: hfi_tool_print("A provider was refused: %s", reason),
			  provider_remedy(&list[i]));
	}
	note_writers(findings, list, (size_t)count);
	free(list);
}
