/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The list of the default context, with libibverbs' conventions. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <utlist.h>

#include "shared/attr.h"
#include "core/base/process.h"
#include "core/device/instance.h"
#include "core/device/list.h"
#include "core/forksafe/fork.h"

#undef ibv_get_device_list

/* libibverbs lists a device whose node exists and which a driver claims; opening may still fail. */
static bool listed_by_libibverbs(const struct hf_device *device)
{
	if (!device->provider)
		return false;
	return device->reason != HF_REASON_NO_NODE && !device->entry.reason.code;
}

/* libibverbs' limit for a user who cannot lock memory: 32 KiB */
static void warn_of_memlock(void)
{
	struct rlimit limit;

	if (!hfi_program_uses_shim() || geteuid() == 0)
		return;
	if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0)
		fputs("libibverbs: Warning: getrlimit(RLIMIT_MEMLOCK) failed.", stderr);
	else if (limit.rlim_cur <= 32768)
		fprintf(stderr,
			"libibverbs: Warning: RLIMIT_MEMLOCK is %llu bytes.\n"
			"    This will severely limit memory registrations.\n",
			(unsigned long long)limit.rlim_cur);
}

/* Copies the names under the lock and prints them after it: standard error may block. */
static void warn_of_unserved(struct hf *hf)
{
	char(*names)[HF_NAME_SIZE];
	struct hf_device *device;
	size_t count = 0;

	if (!hfi_program_uses_shim() || !secure_getenv("IBV_SHOW_WARNINGS"))
		return;
	hfi_hf_lock(hf);
	names = calloc(hf->table.count + 1, sizeof(*names));
	DL_FOREACH (hf->table.unlisted, device)
		if (names && !device->provider && !device->entry.reason.code)
			memcpy(names[count++], device->entry.name, sizeof(*names));
	hfi_hf_unlock(hf);
	while (count-- > 0)
		fprintf(stderr,
			"libibverbs: Warning: no userspace device-specific driver found for %s\n",
			names[count]);
	free(names);
}

HF_EXPORT struct ibv_device **ibv_get_device_list(int *num_devices)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct ibv_device **list;
	struct hf *hf;
	int count;

	pthread_once(&once, warn_of_memlock);
	hfi_fork_from_environment();
	if (num_devices)
		*num_devices = 0;
	count = hf_default(&hf);
	if (count < 0)
		goto fail;
	count = hfi_list(hf, listed_by_libibverbs, true, &list);
	warn_of_unserved(hf);
	if (count == 0 && hfi_no_kernel_support(hf)) {
		hf_device_list_free(list);
		count = -ENOSYS;
	}
	hf_unref(hf);
	if (count < 0)
		goto fail;
	if (num_devices)
		*num_devices = count;
	return list;

fail:
	errno = -count;
	return NULL;
}

HF_EXPORT void ibv_free_device_list(struct ibv_device **list)
{
	hf_device_list_free(list);
}

HF_EXPORT const char *ibv_get_device_name(struct ibv_device *handle)
{
	struct hf_device *device = hfi_device_of(handle);
	const char *name;

	/* A returned string stays valid as long as its device: a rename makes a new one. */
	hfi_hf_lock(device->hf);
	name = device->name;
	hfi_hf_unlock(device->hf);
	return name;
}

HF_EXPORT __be64 ibv_get_device_guid(struct ibv_device *handle)
{
	struct hf_device *device = hfi_device_of(handle);
	__be64 guid;

	if (!atomic_load(&device->gone))
		hfi_instance_complete(device);
	hfi_hf_lock(device->hf);
	guid = device->entry.node_guid;
	hfi_hf_unlock(device->hf);
	return guid;
}

HF_EXPORT int ibv_get_device_index(struct ibv_device *handle)
{
	struct hf_device *device = hfi_device_of(handle);
	int index;

	hfi_hf_lock(device->hf);
	index = device->entry.index;
	hfi_hf_unlock(device->hf);
	return index;
}
