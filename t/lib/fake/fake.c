/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A provider that needs no kernel: its contexts have only the node's descriptor. It counts its calls in
 * the file of HF_FAKE_COUNTERS, so that a test sees what was not undone. HF_FAKE_FAIL=alloc_device or
 * alloc_context makes that call fail; uninit_device omits that operation; describe returns no
 * descriptor; set_ops and free_context leave these out, uninit does not give the context back, same returns
 * one context for two opens, and other one that the core did not make. HF_FAKE_HANG=alloc_device,
 * alloc_context, free_context or uninit_device makes that call never return. Each context gets a duplicate of
 * the descriptor HF_FAKE_ASYNC_FD for asynchronous events.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <holdfast-provider/provider.h>

#include "t/lib/fake/counters.h"

struct fake_device {
	struct verbs_device verbs;
};

struct fake_context {
	struct verbs_context verbs;
};

static struct fake_counters unshared;
static struct fake_counters *counters = &unshared;

__attribute__((constructor)) static void map_counters(void)
{
	const char *path = getenv("HF_FAKE_COUNTERS");
	void *map;
	int fd;

	if (!path)
		return;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	if (ftruncate(fd, sizeof(*counters)) == 0) {
		map = mmap(NULL, sizeof(*counters), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (map != MAP_FAILED)
			counters = map;
	}
	close(fd);
	__atomic_add_fetch(&counters->loads, 1, __ATOMIC_RELAXED);
}

__attribute__((destructor)) static void unmap_counters(void)
{
	__atomic_add_fetch(&counters->unloads, 1, __ATOMIC_RELAXED);
	if (counters != &unshared)
		munmap(counters, sizeof(*counters));
	counters = &unshared;
}

static int told_to_fail(const char *call)
{
	const char *which = getenv("HF_FAKE_FAIL");

	return which && !strcmp(which, call);
}

static void hang_if_told(const char *call)
{
	const char *which = getenv("HF_FAKE_HANG");

	while (which && !strcmp(which, call))
		pause();
}

static int fake_query_device(struct ibv_context *context,
			     const struct ibv_query_device_ex_input *input,
			     struct ibv_device_attr_ex *attr, size_t attr_size)
{
	struct verbs_device *device = (struct verbs_device *)(void *)context->device;

	(void)input;
	if (attr_size < sizeof(attr->orig_attr))
		return EOPNOTSUPP;
	memset(attr, 0, attr_size);
	strcpy(attr->orig_attr.fw_ver, "fake");
	attr->orig_attr.node_guid = device->sysfs->node_guid;
	attr->orig_attr.phys_port_cnt = 1;
	return 0;
}

static int fake_query_port(struct ibv_context *context, uint8_t port, struct ibv_port_attr *attr)
{
	(void)context;
	if (port != 1)
		return EINVAL;
	*attr = (struct ibv_port_attr){.state = IBV_PORT_ACTIVE, .gid_tbl_len = 16};
	return 0;
}

static void fake_free_context(struct ibv_context *context)
{
	struct verbs_context *verbs =
		(struct verbs_context *)((char *)context - offsetof(struct verbs_context, context));

	hang_if_told("free_context");
	if (!told_to_fail("uninit"))
		hf_provider_context_uninit(verbs);
	free((char *)verbs - offsetof(struct fake_context, verbs));
	__atomic_sub_fetch(&counters->contexts, 1, __ATOMIC_RELAXED);
}

static const struct verbs_context_ops fake_operations = {
	.query_device_ex = fake_query_device,
	.query_port = fake_query_port,
	.free_context = fake_free_context,
};

static struct verbs_context *last_opened;

/* What no provider should do. */
static struct verbs_context *alloc_wrongly(int cmd_fd)
{
	static struct fake_context other;

	if (told_to_fail("same") && last_opened) {
		close(cmd_fd);
		return last_opened;
	}
	if (!told_to_fail("other"))
		return NULL;
	close(cmd_fd);
	return &other.verbs;
}

static void set_operations(struct verbs_context *verbs)
{
	struct verbs_context_ops operations = fake_operations;

	if (told_to_fail("set_ops"))
		return;
	if (told_to_fail("free_context"))
		operations.free_context = NULL;
	hf_provider_set_ops(verbs, &operations);
}

/* Ports as the tree has them. */
static const struct verbs_context_ops no_kernel_operations = {
	.query_port = hf_provider_query_port,
};

static int declare_fake_without_kernel(struct verbs_context *context)
{
	const struct hf_no_kernel attr = {
		.size = sizeof(attr), .num_ports = 1, .num_comp_vectors = 1};

	hf_provider_set_ops(context, &no_kernel_operations);
	return hf_provider_no_kernel(context, &attr);
}

static struct verbs_context *fake_alloc_context(struct ibv_device *device, int cmd_fd,
						void *private_data)
{
	struct verbs_context *wrong = alloc_wrongly(cmd_fd);
	const char *async_fd = getenv("HF_FAKE_ASYNC_FD");
	struct fake_context *context;

	(void)private_data;
	hang_if_told("alloc_context");
	if (wrong)
		return wrong;
	context = hf_provider_context_alloc(device, cmd_fd, sizeof(*context),
					    offsetof(struct fake_context, verbs), 0);
	if (!context)
		return NULL;
	if (told_to_fail("alloc_context"))
		goto free_context;
	set_operations(&context->verbs);
	if (getenv("HF_FAKE_NO_KERNEL") && declare_fake_without_kernel(&context->verbs))
		goto free_context;
	last_opened = &context->verbs;
	if (async_fd)
		context->verbs.context.async_fd = fcntl(atoi(async_fd), F_DUPFD_CLOEXEC, 0);
	__atomic_add_fetch(&counters->contexts, 1, __ATOMIC_RELAXED);
	return &context->verbs;

free_context:
	hf_provider_context_uninit(&context->verbs);
	free(context);
	errno = EREMOTEIO;
	return NULL;
}

static struct verbs_device *fake_alloc_device(struct verbs_sysfs_dev *sysfs_dev)
{
	struct fake_device *device;

	(void)sysfs_dev;
	hang_if_told("alloc_device");
	if (told_to_fail("alloc_device"))
		return NULL;
	__atomic_add_fetch(&counters->held, 1, __ATOMIC_RELAXED);
	while (__atomic_load_n(&counters->hold, __ATOMIC_RELAXED))
		usleep(1000);
	__atomic_sub_fetch(&counters->held, 1, __ATOMIC_RELAXED);
	device = calloc(1, sizeof(*device));
	if (!device)
		return NULL;
	__atomic_add_fetch(&counters->devices, 1, __ATOMIC_RELAXED);
	return &device->verbs;
}

static void fake_uninit_device(struct verbs_device *verbs)
{
	hang_if_told("uninit_device");
	free((char *)verbs - offsetof(struct fake_device, verbs));
	__atomic_sub_fetch(&counters->devices, 1, __ATOMIC_RELAXED);
}

static const struct verbs_device_ops fake_device_ops = {
	.name = "fake",
	.match_min_abi_version = 0,
	.match_max_abi_version = 100,
	.alloc_device = fake_alloc_device,
	.uninit_device = fake_uninit_device,
	.alloc_context = fake_alloc_context,
};

#ifndef FAKE_ABI
#define FAKE_ABI HF_PROVIDER_ABI
#endif

__attribute__((visibility("default"))) const struct hf_provider_descriptor *
hf_provider_describe(void)
{
	static const struct hf_provider_descriptor descriptor = {
		.size = sizeof(descriptor),
		.abi = FAKE_ABI,
		.name = "fake",
		.version = "1",
		.ops = &fake_device_ops,
		.qp_ex_size = sizeof(struct ibv_qp_ex),
	};
	static struct verbs_device_ops ops;
	static struct hf_provider_descriptor lacking;

	if (told_to_fail("describe"))
		return NULL;
	if (!told_to_fail("uninit_device"))
		return &descriptor;
	ops = fake_device_ops;
	ops.uninit_device = NULL;
	lacking = descriptor;
	lacking.ops = &ops;
	return &lacking;
}
