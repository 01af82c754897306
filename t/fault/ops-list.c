/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Contexts, lists of devices and of providers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "t/fault/ops.h"

static const int list_errors[] = {EIO, EACCES, EMFILE, ENFILE, 0};
/* The manual names ENOSYS, EPERM and ENOMEM, and leaves other errors open. */
static const int verbs_list_errors[] = {ENOSYS, EPERM, EIO, EACCES, EMFILE, ENFILE, 0};
static const int provider_errors[] = {EMFILE, ENFILE, 0};

static void prepare_context(struct run *run)
{
	run->hf = run_context(run);
	run_stir(run);
}

static void prepare_devices(struct run *run)
{
	run->hf = run_context(run);
	run_find_devices(run);
}

/* No recent change: a scan need not verify each device. */
static void prepare_settled(struct run *run)
{
	run_settle_stamps();
	run->hf = run_context(run);
}

/* And the list is as before. */
static void prepare_settled_devices(struct run *run)
{
	run_settle_stamps();
	prepare_devices(run);
}

static void prepare_change(struct run *run)
{
	prepare_devices(run);
	world_change(run->world, WORLD_ADD);
}

/* The list is as before, but only a scan can tell. */
static void prepare_stir(struct run *run)
{
	prepare_devices(run);
	run_stir(run);
}

static int call_list(struct run *run)
{
	return hf_device_list(run->hf, 0, &run->list);
}

static int call_list_all(struct run *run)
{
	return hf_device_list(run->hf, HF_LIST_ALL, &run->list);
}

static void check_list(struct run *run, int num)
{
	run_check_list(run, run->list, num);
}

static void drop_list(struct run *run, int num)
{
	(void)num;
	hf_device_list_free(run->list);
}

/* A new context for each call, from its creation to a list. */
static int call_hf_new(struct run *run)
{
	const struct hf_root root = {.sysfs = run->world->sysfs, .dev = run->world->dev};
	const char *const dirs[] = {run->provider_dir, NULL};
	const struct hf_options options = {
		.size = sizeof(options),
		.roots = &root,
		.num_roots = 1,
		.provider_dirs = dirs,
		.flags = HF_NO_ENVIRONMENT,
	};
	int ret = hf_new(&options, &run->new_hf);

	if (ret < 0)
		return ret;
	ret = hf_device_list(run->new_hf, 0, &run->list);
	if (ret < 0) {
		hf_unref(run->new_hf);
		run->new_hf = UNTOUCHED;
	}
	return ret;
}

static void drop_new_context(struct run *run, int num)
{
	(void)num;
	/* Free the list last: the devices in it must keep the context. */
	hf_unref(run->new_hf);
	hf_device_list_free(run->list);
}

static int call_by_name(struct run *run)
{
	return hf_device_by_name(run->hf, "hfb0", &run->device);
}

static void check_by_name(struct run *run, int answer)
{
	int instance = run_check_device(run, run->device);

	(void)answer;
	if (instance >= 0 && run->world->instances[instance].device != WORLD_TARGET)
		run_fault(run, FAULT_WRONG_DEVICE, "another device answers to the name");
}

static void drop_by_name(struct run *run, int answer)
{
	(void)answer;
	hf_device_unref(run->device);
}

/* The default context finds the tree through the environment, as a user would set it. */
static void prepare_default(struct run *run)
{
	setenv("HOLDFAST_ROOTS", run->world->roots, 1);
	setenv("HOLDFAST_PROVIDER_PATH", run->provider_dir, 1);
	/*
	 * Information about the distribution's providers stays in the default context: not a leak.
	 */
	setenv("HOLDFAST_DRIVER_CONFIG", "off", 1);
	setenv("HOLDFAST_CACHE", "off", 1);
	run_stir(run);
}

static void prepare_default_again(struct run *run)
{
	struct ibv_device **list;

	prepare_default(run);
	run_settle_stamps();
	list = ibv_get_device_list(NULL);
	if (list)
		ibv_free_device_list(list);
	else
		run_fault(run, FAULT_POISONED, "the first ibv_get_device_list failed");
}

static int call_verbs_list(struct run *run)
{
	struct ibv_device **list;

	errno = 0;
	list = ibv_get_device_list(&run->num);
	if (!list)
		return errno ? -errno : -EPROTO;
	run->list = list;
	return run->num;
}

static void drop_verbs_list(struct run *run, int num)
{
	(void)num;
	ibv_free_device_list(run->list);
}

static int call_providers(struct run *run)
{
	return hf_provider_list(run->hf, sizeof(*run->providers), &run->providers);
}

static void check_providers(struct run *run, int num)
{
	bool strict = run->again || run->kind <= RUN_DROP_CACHES;
	bool found = false;

	for (int i = 0; i < num; i++)
		found |= run->providers[i].reason.code == HF_REASON_NONE;
	if (strict && !found)
		run_fault(run, run->again ? FAULT_POISONED : FAULT_WRONG_ANSWER,
			  "no usable provider is listed (%d entries)", num);
}

static void drop_providers(struct run *run, int num)
{
	(void)num;
	free(run->providers);
}

const struct op ops_list[] = {
	{.name = "new+list",
	 .prepare = run_stir,
	 .call = call_hf_new,
	 .check = check_list,
	 .drop = drop_new_context,
	 .errors = list_errors},
	{.name = "list",
	 .prepare = prepare_context,
	 .call = call_list,
	 .check = check_list,
	 .drop = drop_list,
	 .errors = list_errors},
	{.name = "list-all",
	 .prepare = prepare_context,
	 .call = call_list_all,
	 .check = check_list,
	 .drop = drop_list,
	 .errors = list_errors},
	{.name = "list-calm",
	 .prepare = prepare_settled,
	 .call = call_list,
	 .check = check_list,
	 .drop = drop_list,
	 .errors = list_errors},
	{.name = "list-again",
	 .prepare = prepare_settled_devices,
	 .call = call_list,
	 .check = check_list,
	 .drop = drop_list,
	 .errors = list_errors},
	{.name = "list-stirred",
	 .prepare = prepare_stir,
	 .call = call_list,
	 .check = check_list,
	 .drop = drop_list,
	 .errors = list_errors},
	{.name = "list-change",
	 .prepare = prepare_change,
	 .call = call_list,
	 .check = check_list,
	 .drop = drop_list,
	 .errors = list_errors},
	{.name = "by-name",
	 .prepare = prepare_stir,
	 .call = call_by_name,
	 .check = check_by_name,
	 .drop = drop_by_name,
	 .errors = (const int[]){ENODEV, EIO, EACCES, EMFILE, ENFILE, 0},
	 .by_name = true},
	{.name = "verbs-list",
	 .prepare = prepare_default,
	 .call = call_verbs_list,
	 .check = check_list,
	 .drop = drop_verbs_list,
	 .errors = verbs_list_errors,
	 .keeps = true},
	{.name = "verbs-again",
	 .prepare = prepare_default_again,
	 .call = call_verbs_list,
	 .check = check_list,
	 .drop = drop_verbs_list,
	 .errors = verbs_list_errors,
	 .keeps = true},
	{.name = "netlink-list",
	 .prepare = prepare_context,
	 .call = call_list,
	 .check = check_list,
	 .drop = drop_list,
	 .errors = list_errors,
	 .netlink = true},
	{.name = "netlink-stirred",
	 .prepare = prepare_stir,
	 .call = call_list,
	 .check = check_list,
	 .drop = drop_list,
	 .errors = list_errors,
	 .netlink = true},
	{.name = "netlink-change",
	 .prepare = prepare_change,
	 .call = call_list,
	 .check = check_list,
	 .drop = drop_list,
	 .errors = list_errors,
	 .netlink = true},
	{.name = "providers",
	 .prepare = prepare_context,
	 .call = call_providers,
	 .check = check_providers,
	 .drop = drop_providers,
	 .errors = provider_errors},
	{.name = NULL},
};
