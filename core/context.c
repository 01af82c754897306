/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Puts the rooms together into a context. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/holdfast.h>

#include "config.h"
#include "core/base/attr.h"
#include "core/base/text.h"
#include "core/device/hf.h"
#include "core/device/list.h"
#include "core/device/process.h"
#include "core/device/roots.h"
#include "core/device/table_change.h"
#include "core/discovery/netlink.h"
#include "core/hotplug/notifier.h"

enum { NODE_WAIT_MS = 5000, PROVIDER_DIRS_MAX = 64 };

#define OPTION_FLAGS (HF_NO_NETLINK | HF_NO_SYSFS | HF_NO_NOTIFY | HF_NO_ENVIRONMENT)

HF_EXPORT const char *hf_version(void)
{
	return PACKAGE_VERSION;
}

/* Size first: an older caller's structure is shorter, a newer one's unknown tail must be zero. */
static int take_options(const struct hf_options *given, struct hf_options *ret)
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

	hf->log = (struct hf_log){options->log, options->log_arg, options->log_level};
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
		err = hf_roots_given(&roots, options->roots, options->num_roots);
	else if (text)
		err = hf_roots_parse(&roots, text);
	else if (sysfs)
		/* libibverbs' variable: another sysfs, but the machine's own nodes. */
		err = hf_roots_given(&roots, &(struct hf_root){sysfs, "/dev"}, 1);
	else
		err = hf_roots_usual(&roots, &hf->log);
	if (err)
		return err;
	hf->roots = roots.v;
	hf->num_roots = roots.count;
	return 0;
}

static int set_registry(struct hf *hf, const struct hf_options *options)
{
	const char *dirs[PROVIDER_DIRS_MAX + 2] = {HF_PROVIDER_DIR, NULL};
	const char *text = environment(options, "HOLDFAST_PROVIDER_PATH");
	char *copy = NULL, *next;
	size_t count = 0;
	int err;

	if (options->provider_dirs)
		return hf_registry_init(&hf->registry, options->provider_dirs);
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
	err = hf_registry_init(&hf->registry, dirs);
	free(copy);
	return err;
}

HF_EXPORT int hf_new(const struct hf_options *given, struct hf **ret)
{
	struct hf_options options;
	struct hf *hf;
	int err;

	err = take_options(given, &options);
	if (err)
		return err;
	hf = calloc(1, sizeof(*hf));
	if (!hf)
		return -ENOMEM;
	atomic_init(&hf->refs, 1);
	hf->flags = options.flags;
	hf->node_wait_ms = options.node_wait_ms ? options.node_wait_ms : NODE_WAIT_MS;
	hf->notifier_new = hf_notifier_new;
	hf->fork_count = hf_fork_count();
	set_log(hf, &options);
	err = set_roots(hf, &options);
	if (err)
		goto free_hf;
	err = set_registry(hf, &options);
	if (err)
		goto free_roots;
	pthread_mutex_init(&hf->lock, NULL);
	pthread_cond_init(&hf->scan_done, NULL);
	hf_process_add(hf);
	*ret = hf;
	return 0;

free_roots:
	free(hf->roots);
free_hf:
	free(hf);
	return err;
}

static void destroy(struct hf *hf)
{
	hf_process_remove(hf);
	hf_table_clear(hf);
	if (hf->notifier)
		hf->notifier->free(hf->notifier);
	hf_nl_close(hf->nl);
	hf_registry_destroy(&hf->registry);
	pthread_cond_destroy(&hf->scan_done);
	pthread_mutex_destroy(&hf->lock);
	free(hf->roots);
	free(hf);
}

HF_EXPORT struct hf *hf_ref(struct hf *hf)
{
	atomic_fetch_add_explicit(&hf->refs, 1, memory_order_relaxed);
	return hf;
}

HF_EXPORT struct hf *hf_unref(struct hf *hf)
{
	if (hf && atomic_fetch_sub_explicit(&hf->refs, 1, memory_order_acq_rel) == 1)
		destroy(hf);
	return NULL;
}

HF_EXPORT int hf_provider_list(struct hf *hf, size_t entry_size, struct hf_provider_info **ret)
{
	void *list;
	bool mine;
	int count;

	if (entry_size < sizeof(size_t) || entry_size > 65536)
		return -EINVAL;
	mine = hf_scan_begin(hf);
	count = mine ? hf_registry_refresh(&hf->registry, &hf->log) : 0;
	if (mine)
		hf_scan_end(hf);
	if (count >= 0)
		count = hf_registry_list(&hf->registry, entry_size, &list);
	if (count >= 0)
		*ret = list;
	return count;
}
