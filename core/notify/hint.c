/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Turns notifications into hints: which root and device may have changed. */
#include <errno.h>
#include <string.h>

#include "shared/text.h"
#include "core/notify/hint.h"

void hfi_hint_set(struct hf_hint *hint, enum hf_hint_kind kind, uint32_t root, const char *name)
{
	memset(hint, 0, sizeof(*hint));
	hint->kind = kind;
	hint->root = root;
	if (name)
		(void)hfi_copy(hint->name, sizeof(hint->name), name);
}

void hfi_hint_send(const struct hf_hint_sink *sink, enum hf_hint_kind kind, uint32_t root,
		   const char *name)
{
	struct hf_hint hint;

	hfi_hint_set(&hint, kind, root, name);
	sink->take(sink->arg, &hint);
}

static bool is_device_name(const char *name)
{
	return hfi_is_component(name, HF_NAME_SIZE - 1);
}

/* The last component of a device path, or NULL if it is not a valid name. */
static const char *last_component(const char *devpath)
{
	const char *slash = devpath ? strrchr(devpath, '/') : NULL;

	return slash && is_device_name(slash + 1) ? slash + 1 : NULL;
}

static int classify_uverbs(const char *action, const char *sysname, struct hf_hint *ret)
{
	if (!strcmp(action, "bind") || !strcmp(action, "unbind"))
		return 0;
	if (!hfi_is_uverbs_name(sysname))
		return -EINVAL;
	hfi_hint_set(ret, HF_HINT_DEVICE, HF_ROOT_KERNEL, sysname);
	return 1;
}

static int classify_ibdev(const char *action, const char *devpath_old, const char *sysname,
			  struct hf_hint *ret)
{
	if (!strcmp(action, "bind") || !strcmp(action, "unbind"))
		return 0;
	if (sysname && !is_device_name(sysname))
		sysname = NULL;
	/*
	 * One of the two names may be unusable in a path: then the other one identifies the device.
	 */
	if (!strcmp(action, "move") && devpath_old) {
		hfi_hint_set(ret, HF_HINT_RENAME, HF_ROOT_KERNEL, last_component(devpath_old));
		if (sysname)
			(void)hfi_copy(ret->to, sizeof(ret->to), sysname);
	} else if (!sysname) {
		return -EINVAL;
	} else {
		hfi_hint_set(ret, strcmp(action, "remove") ? HF_HINT_IBDEV : HF_HINT_IBDEV_WENT,
			     HF_ROOT_KERNEL, sysname);
	}
	return 1;
}

int hfi_uevent_classify(const char *action, const char *subsystem, const char *devpath,
			const char *devpath_old, const char *sysname, struct hf_hint *ret)
{
	if (!action || !subsystem)
		return -EINVAL;
	/*
	 * libudev replaces "!" by "/" in system names, but the kernel's own names may contain
	 * either.
	 */
	if (!sysname || (devpath && !strcmp(subsystem, "infiniband")))
		sysname = last_component(devpath);
	if (!strcmp(subsystem, "infiniband_verbs"))
		return sysname ? classify_uverbs(action, sysname, ret) : -EINVAL;
	if (!strcmp(subsystem, "infiniband"))
		return classify_ibdev(action, devpath_old, sysname, ret);
	return 0;
}
