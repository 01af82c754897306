/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Puts the rooms together into a context. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/holdfast.h>

#include "config.h"
#include "shared/attr.h"
#include "shared/cancel.h"
#include "core/base/process.h"
#include "core/settings.h"
#include "core/device/hf.h"
#include "core/device/list.h"
#include "core/device/fork.h"
#include "core/device/table_internal.h"
#include "core/device/scan_lock.h"
#include "core/device/spare_descriptors.h"
#include "core/discovery/netlink.h"
#include "core/notify/change_check.h"
#include "core/registry/list.h"
#include "core/registry/manifests.h"
#include "core/registry/registry.h"

enum { NODE_WAIT_MS = 5000 };

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
	hf->look.dir = -1;
	hf->node_wait_ms = options.node_wait_ms ? options.node_wait_ms : NODE_WAIT_MS;
	hf->fork_count = hfi_fork_count();
	hfi_settings_log(hf, &options);
	err = hfi_settings_roots(hf, &options);
	if (err)
		goto free_hf;
	err = hfi_settings_registry(hf, &options);
	if (err)
		goto free_roots;
	hfi_settings_revoke(hf, &options);
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
		hfi_cancel_block();
		pthread_mutex_lock(&hfi_default_lock);
		hf = atomic_load(&default_context);
		if (!hf)
			err = hf_new(NULL, &hf);
		if (!err)
			atomic_store(&default_context, hf);
		pthread_mutex_unlock(&hfi_default_lock);
		hfi_cancel_unblock();
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
	err = hfi_registry_refresh_all(&hf->registry, &hf->log);
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
