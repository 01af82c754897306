/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Puts the rooms together into a context. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <holdfast/holdfast.h>

#include "config.h"
#include "shared/attr.h"
#include "core/base/process.h"
#include "shared/text.h"
#include "core/device/hf.h"
#include "core/device/list.h"
#include "core/device/fork.h"
#include "core/device/roots.h"
#include "core/device/table_internal.h"
#include "core/device/scan_lock.h"
#include "core/discovery/netlink.h"
#include "core/notify/change_check.h"
#include "core/registry/list.h"
#include "core/registry/manifests.h"
#include "core/registry/registry.h"

enum { NODE_WAIT_MS = 5000, PROVIDER_DIRS_MAX = 64 };

#define OPTION_FLAGS \
	(HF_NO_NETLINK | HF_NO_SYSFS | HF_NO_NOTIFY | HF_NO_ENVIRONMENT | HF_PREFER_DISTRIBUTION)

/* Size first: an older caller's structure is shorter, a newer one's unknown tail must be zero. */
static int copy_options(const struct hf_options *given, struct hf_options *ret)
{
	const unsigned char *tail = (const unsigned char *)given;

	memset(ret, 0, sizeof(*ret));
	if (!given)
		return 0;
	if (given->size < sizeof(size_t) || given->size > 65536)
		return -EINVAL;
	for (size_t i = sizeof(*ret); i < given->size; i++)
		if (tail[i])
			return -EINVAL;
	memcpy(ret, given, given->size < sizeof(*ret) ? given->size : sizeof(*ret));
	if (ret->flags & ~(uint32_t)OPTION_FLAGS)
		return -EINVAL;
	if ((ret->flags & HF_NO_NETLINK) && (ret->flags & HF_NO_SYSFS))
		return -EINVAL;
	return ret->num_roots && !ret->roots ? -EINVAL : 0;
}

/* Nothing in the environment counts for a program that runs with more rights than its user. */
static const char *environment(const struct hf_options *options, const char *name)
{
	const char *value;

	if (options->flags & HF_NO_ENVIRONMENT)
		return NULL;
	value = secure_getenv(name);
	return value && *value ? value : NULL;
}

static void set_log(struct hf *hf, const struct hf_options *options)
{
	static const char *const names[] = {"none", "error", "warning", "info", "debug"};
	const char *level = environment(options, "HOLDFAST_LOG");

	hf->log = (struct hf_log){options->log, options->log_arg,
				  (enum hf_log_level)options->log_level};
	for (size_t i = 0; level && i < HF_ARRAY_SIZE(names); i++)
		if (!strcmp(level, names[i]))
			hf->log.level = (enum hf_log_level)i;
}

static int set_roots(struct hf *hf, const struct hf_options *options)
{
	const char *text = environment(options, "HOLDFAST_ROOTS");
	const char *sysfs = environment(options, "SYSFS_PATH");
	struct hf_roots roots = {0};
	int err;

	if (options->num_roots)
		err = hfi_roots_given(&roots, options->roots, options->num_roots);
	else if (text)
		err = hfi_roots_parse(&roots, text);
	else if (sysfs)
		/* libibverbs' variable: another sysfs, but the machine's own nodes. */
		err = hfi_roots_given(&roots, &(struct hf_root){.sysfs = sysfs, .dev = "/dev"}, 1);
	else
		err = hfi_roots_usual(&roots, &hf->log);
	if (err)
		return err;
	hf->roots = roots.v;
	hf->num_roots = roots.count;
	return 0;
}

/* Where what foreign libraries match is kept; in a set-uid program nothing is read or written. */
static void set_cache(struct hf_foreign_options *foreign, const struct hf_options *options,
		      char *user)
{
	const char *given = environment(options, "HOLDFAST_CACHE");
	const char *cache = environment(options, "XDG_CACHE_HOME");
	const char *home = environment(options, "HOME");

	user[0] = '\0';
	if (getauxval(AT_SECURE))
		return;
	if (given) {
		foreign->cache_dirs[1] = given[0] == '/' ? given : NULL;
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

/* The distribution's providers; a program that names directories of its own means those alone. */
static void set_foreign(struct hf_foreign_options *foreign, const struct hf_options *options)
{
	static const char *const lists[] = {"RDMAV_DRIVERS", "IBV_DRIVERS"};
	const char *dir = environment(options, "HOLDFAST_DRIVER_CONFIG");
	const char *prefer = environment(options, "HOLDFAST_PREFER");
	const char *layout = environment(options, "HOLDFAST_DRIVER_LAYOUT");
	uint64_t number;

	foreign->config_dir = options->provider_dirs ? NULL : HF_DRIVER_CONFIG_DIR;
	if (options->driver_config_dir)
		foreign->config_dir = options->driver_config_dir;
	else if (dir && foreign->config_dir)
		foreign->config_dir = dir;
	if (foreign->config_dir && foreign->config_dir[0] != '/')
		foreign->config_dir = NULL;
	for (size_t i = 0; i < HF_ARRAY_SIZE(lists) && !foreign->names; i++) {
		foreign->names = environment(options, lists[i]);
		foreign->names_from = lists[i];
	}
	foreign->preferred = (options->flags & HF_PREFER_DISTRIBUTION) ||
			     (prefer && !strcmp(prefer, "distribution"));
	if (layout && hfi_parse_number(layout, 10, 9999, &number) == 0)
		foreign->stated = (unsigned int)number;
}

static int set_registry(struct hf *hf, const struct hf_options *options)
{
	struct hf_foreign_options foreign = {0};
	char user_cache[HF_PATH_SIZE];
	const char *dirs[PROVIDER_DIRS_MAX + 2] = {HF_PROVIDER_DIR, NULL};
	const char *text = environment(options, "HOLDFAST_PROVIDER_PATH");
	char *copy = NULL, *next;
	size_t count = 0;
	int err;

	set_foreign(&foreign, options);
	set_cache(&foreign, options, user_cache);
	if (options->provider_dirs)
		return hfi_registry_init(&hf->registry, options->provider_dirs, &foreign);
	if (text) {
		copy = strdup(text);
		if (!copy)
			return -ENOMEM;
		next = copy;
		while (next && count < PROVIDER_DIRS_MAX) {
			const char *dir = strsep(&next, ":");

			if (*dir == '/')
				dirs[count++] = dir;
		}
		dirs[count++] = HF_PROVIDER_DIR;
	}
	err = hfi_registry_init(&hf->registry, dirs, &foreign);
	free(copy);
	return err;
}

static void set_revoke(struct hf *hf, const struct hf_options *options)
{
	const char *text = environment(options, "HOLDFAST_REVOKE");

	hf->revoke_wanted = text && !strcmp(text, "1");
}

/* Nobody else knows the context any more. */
HF_UNCHECKED_LOCKS
static void destroy_context(struct hf *hf)
{
	hfi_process_remove(hf);
	if (hf->revoker)
		hf->revoker_ops->free(hf);
	hfi_table_clear(hf);
	hfi_forget_closed(hf);
	hfi_change_check_free(hf->change_check);
	hfi_nl_close(hf->nl);
	hfi_registry_destroy(&hf->registry);
	pthread_cond_destroy(&hf->scan_done);
	pthread_mutex_destroy(&hf->revoke_lock);
	pthread_mutex_destroy(&hf->lock);
	free(hf->roots);
	free(hf);
}

/* Nobody else knows the context yet. */
HF_UNCHECKED_LOCKS
HF_EXPORT int hf_new(const struct hf_options *given, struct hf **ret)
{
	struct hf_options options;
	struct hf *hf;
	int err;

	err = copy_options(given, &options);
	if (err)
		return err;
	hf = calloc(1, sizeof(*hf));
	if (!hf)
		return -ENOMEM;
	atomic_init(&hf->refs, 1);
	hf->destroy = destroy_context;
	hf->flags = options.flags;
	hf->node_wait_ms = options.node_wait_ms ? options.node_wait_ms : NODE_WAIT_MS;
	hf->fork_count = hfi_fork_count();
	set_log(hf, &options);
	err = set_roots(hf, &options);
	if (err)
		goto free_hf;
	err = set_registry(hf, &options);
	if (err)
		goto free_roots;
	set_revoke(hf, &options);
	pthread_mutex_init(&hf->lock, NULL);
	pthread_cond_init(&hf->scan_done, NULL);
	pthread_mutex_init(&hf->revoke_lock, NULL);
	hfi_process_add(hf);
	*ret = hf;
	return 0;

free_roots:
	free(hf->roots);
free_hf:
	free(hf);
	return err;
}

/* Static because ibv_get_device_list() is given nothing to find a context by. */
static _Atomic(struct hf *) default_context;

HF_EXPORT int hf_default(struct hf **ret)
{
	struct hf *hf = atomic_load(&default_context);
	int err = 0;

	/*
	 * Without the lock once it is there: who forks holds it while a scan ends, and from within
	 * that a provider may call.
	 */
	if (!hf) {
		pthread_mutex_lock(&hfi_default_lock);
		hf = atomic_load(&default_context);
		if (!hf)
			err = hf_new(NULL, &hf);
		if (!err)
			atomic_store(&default_context, hf);
		pthread_mutex_unlock(&hfi_default_lock);
	}
	if (!err)
		*ret = hf_ref(hf);
	return err;
}

/* Reads manifests and configuration again, unless a provider calls from within a scan. */
static int refresh_registry(struct hf *hf)
{
	int err;

	if (!hfi_scan_begin(hf))
		return 0;
	err = hfi_registry_want_foreign(&hf->registry, &hf->log);
	if (err >= 0)
		err = hfi_registry_refresh(&hf->registry, &hf->log);
	hfi_scan_end(hf);
	return err;
}

HF_EXPORT int hf_provider_list(struct hf *hf, size_t entry_size, struct hf_provider_info **ret)
{
	void *list;
	int count;

	if (entry_size < sizeof(size_t) || entry_size > 65536)
		return -EINVAL;
	count = refresh_registry(hf);
	if (count >= 0)
		count = hfi_registry_list(&hf->registry, entry_size, &list);
	if (count >= 0)
		*ret = list;
	return count;
}
