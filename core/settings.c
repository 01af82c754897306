/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a context is made from: the program's options, and the environment. */
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "shared/attr.h"
#include "shared/text.h"
#include "core/device/roots.h"
#include "core/registry/registry.h"
#include "core/settings.h"

enum { PROVIDER_DIRS_MAX = 64, ROOM_FOR_NAME = 32 };

enum setting {
	LOG,
	ROOTS,
	SYSFS_PATH,
	PROVIDER_PATH,
	PROVIDER_ONLY,
	DRIVER_CONFIG,
	DRIVER_LAYOUT,
	PREFER,
	CACHE,
	REVOKE,
};

static const char *const names[] = {
	[LOG] = "HOLDFAST_LOG",
	[ROOTS] = "HOLDFAST_ROOTS",
	[SYSFS_PATH] = "SYSFS_PATH",
	[PROVIDER_PATH] = "HOLDFAST_PROVIDER_PATH",
	[PROVIDER_ONLY] = "HOLDFAST_PROVIDER_ONLY",
	[DRIVER_CONFIG] = "HOLDFAST_DRIVER_CONFIG",
	[DRIVER_LAYOUT] = "HOLDFAST_DRIVER_LAYOUT",
	[PREFER] = "HOLDFAST_PREFER",
	[CACHE] = "HOLDFAST_CACHE",
	[REVOKE] = "HOLDFAST_REVOKE",
};

static const char *const levels[] = {"none", "error", "warning", "info", "debug"};

/* Nothing in the environment counts for a program that runs with more rights than its user. */
static const char *environment(const struct hf_options *options, const char *name)
{
	const char *value;

	if (options->flags & HF_NO_ENVIRONMENT)
		return NULL;
	value = secure_getenv(name);
	return value && *value ? value : NULL;
}

static const char *value_of(const struct hf_options *options, enum setting setting)
{
	return environment(options, names[setting]);
}

/* Without a level a warning goes to standard error: nobody has asked for silence. */
static bool is_unset(const struct hf *hf, const struct hf_options *options)
{
	const char *level = value_of(options, LOG);

	return hf->log.level == HF_LOG_NONE && !hf->log.fn && !(level && !strcmp(level, levels[0]));
}

/* A value that makes no sense. Static because it is the process's user who is told, once for each. */
static void complain_of(const struct hf *hf, const struct hf_options *options, enum setting setting,
			const char *value, const char *expected)
{
	static const struct hf_log standard_error = {.level = HF_LOG_WARNING};
	static atomic_uint said;
	const struct hf_log *log = is_unset(hf, options) ? &standard_error : &hf->log;

	if (log->level < HF_LOG_WARNING && setting != LOG)
		return;
	if (atomic_fetch_or(&said, 1u << setting) & 1u << setting)
		return;
	hfi_log_message(log, HF_LOG_WARNING, "%s: \"%.200s\" is not understood: expected %s",
			names[setting], value, expected);
}

void hfi_settings_log(struct hf *hf, const struct hf_options *options)
{
	const char *level = value_of(options, LOG);

	hf->log = (struct hf_log){options->log, options->log_arg,
				  (enum hf_log_level)options->log_level};
	if (!level)
		return;
	for (size_t i = 0; i < HF_ARRAY_SIZE(levels); i++)
		if (!strcmp(level, levels[i])) {
			hf->log.level = (enum hf_log_level)i;
			return;
		}
	complain_of(hf, options, LOG, level, "none, error, warning, info or debug");
}

int hfi_settings_roots(struct hf *hf, const struct hf_options *options)
{
	const char *text = value_of(options, ROOTS);
	const char *sysfs = value_of(options, SYSFS_PATH);
	struct hf_roots roots = {0};
	int err;

	if (options->num_roots)
		err = hfi_roots_given(&roots, options->roots, options->num_roots);
	else if (text)
		err = hfi_roots_parse(&roots, text);
	else if (sysfs)
		err = hfi_roots_of_sysfs_path(&roots, sysfs);
	else
		err = hfi_roots_usual(&roots, &hf->log);
	if (err == -EINVAL && !options->num_roots)
		complain_of(hf, options, text ? ROOTS : SYSFS_PATH, text ? text : sysfs,
			    "absolute paths of up to 255 characters, so there is no device");
	if (err)
		return err;
	hf->roots = roots.v;
	hf->num_roots = roots.count;
	return 0;
}

/* An absolute path; NULL where there is none, which is said unless it is meant so. */
static const char *path_or_off(const struct hf *hf, const struct hf_options *options,
			       enum setting setting)
{
	const char *value = value_of(options, setting);

	if (!value || value[0] == '/')
		return value;
	if (strcmp(value, "off") != 0)
		complain_of(hf, options, setting, value,
			    setting == CACHE ? "an absolute path or \"off\", so there is no cache"
					     : "an absolute path or \"off\", so the distribution's "
					       "providers are not used");
	return NULL;
}

/* "0" or "1"; anything else is no. */
static bool is_on(const struct hf *hf, const struct hf_options *options, enum setting setting)
{
	const char *value = value_of(options, setting);

	if (value && strcmp(value, "0") != 0 && strcmp(value, "1") != 0)
		complain_of(hf, options, setting, value, "0 or 1");
	return value && !strcmp(value, "1");
}

/* Where what foreign libraries match is kept; in a set-uid program nothing is read or written. */
static void set_cache(struct hf *hf, struct hf_foreign_options *foreign,
		      const struct hf_options *options, char *user)
{
	const char *cache = environment(options, "XDG_CACHE_HOME");
	const char *home = environment(options, "HOME");

	user[0] = '\0';
	if (getauxval(AT_SECURE))
		return;
	if (value_of(options, CACHE)) {
		foreign->cache_dirs[1] = path_or_off(hf, options, CACHE);
		return;
	}
	foreign->cache_dirs[0] = HF_CACHE_DIR;
	if (geteuid() == 0)
		return;
	if (cache && cache[0] == '/')
		hfi_print(user, HF_PATH_SIZE, "%s/holdfast", cache);
	else if (home && home[0] == '/')
		hfi_print(user, HF_PATH_SIZE, "%s/.cache/holdfast", home);
	if (user[0])
		foreign->cache_dirs[1] = user;
}

static bool prefers_distribution(const struct hf *hf, const struct hf_options *options)
{
	const char *prefer = value_of(options, PREFER);

	if (prefer && strcmp(prefer, "distribution") != 0 && strcmp(prefer, "native") != 0)
		complain_of(hf, options, PREFER, prefer, "native or distribution");
	return (options->flags & HF_PREFER_DISTRIBUTION) ||
	       (prefer && !strcmp(prefer, "distribution"));
}

static unsigned int stated_layout(const struct hf *hf, const struct hf_options *options)
{
	const char *layout = value_of(options, DRIVER_LAYOUT);
	uint64_t number;

	if (!layout)
		return 0;
	if (hfi_parse_number(layout, 10, 9999, &number) == 0 && number)
		return (unsigned int)number;
	complain_of(hf, options, DRIVER_LAYOUT, layout,
		    "the number of an rdma-core release, as 44");
	return 0;
}

/* The distribution's providers; a program that names directories of its own means those alone. */
static void set_foreign(struct hf *hf, struct hf_foreign_options *foreign,
			const struct hf_options *options, bool own_only)
{
	static const char *const lists[] = {"RDMAV_DRIVERS", "IBV_DRIVERS"};

	if (value_of(options, DRIVER_CONFIG))
		foreign->config_dir = path_or_off(hf, options, DRIVER_CONFIG);
	else
		foreign->config_dir = HF_DRIVER_CONFIG_DIR;
	if (own_only)
		foreign->config_dir = NULL;
	if (options->driver_config_dir)
		foreign->config_dir = options->driver_config_dir;
	if (foreign->config_dir && foreign->config_dir[0] != '/')
		foreign->config_dir = NULL;
	for (size_t i = 0; i < HF_ARRAY_SIZE(lists) && !foreign->names; i++) {
		foreign->names = environment(options, lists[i]);
		foreign->names_from = lists[i];
	}
	foreign->preferred = prefers_distribution(hf, options);
	foreign->stated = stated_layout(hf, options);
}

/* Takes `text` apart. Returns how many directories it names. */
static size_t split_path(const struct hf *hf, const struct hf_options *options, char *text,
			 const char **dirs)
{
	size_t count = 0;

	while (text) {
		const char *dir = strsep(&text, ":");

		if (!*dir)
			continue;
		if (*dir == '/' && strlen(dir) < HF_PATH_SIZE - ROOM_FOR_NAME &&
		    count < PROVIDER_DIRS_MAX)
			dirs[count++] = dir;
		else
			complain_of(hf, options, PROVIDER_PATH, dir,
				    "up to 64 absolute paths of up to 223 characters");
	}
	return count;
}

int hfi_settings_registry(struct hf *hf, const struct hf_options *options)
{
	struct hf_foreign_options foreign = {0};
	char user_cache[HF_PATH_SIZE];
	const char *dirs[PROVIDER_DIRS_MAX + 2] = {HF_PROVIDER_DIR, NULL};
	const char *text = value_of(options, PROVIDER_PATH);
	bool own_only = is_on(hf, options, PROVIDER_ONLY);
	char *copy = NULL;
	size_t count = 0;
	int err;

	set_foreign(hf, &foreign, options, options->provider_dirs || own_only);
	set_cache(hf, &foreign, options, user_cache);
	if (options->provider_dirs)
		return hfi_registry_init(&hf->registry, options->provider_dirs, &foreign);
	if (text) {
		copy = strdup(text);
		if (!copy)
			return -ENOMEM;
		count = split_path(hf, options, copy, dirs);
	}
	if (!own_only)
		dirs[count++] = HF_PROVIDER_DIR;
	dirs[count] = NULL;
	err = hfi_registry_init(&hf->registry, dirs, &foreign);
	free(copy);
	return err;
}

void hfi_settings_revoke(struct hf *hf, const struct hf_options *options)
{
	hf->revoke_wanted = is_on(hf, options, REVOKE);
}
