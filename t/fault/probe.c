/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A provider that asks nothing of the kernel and counts what it is asked for. */
#include <stdlib.h>

#include <holdfast-provider/provider.h>

#include "t/fault/counters.h"

struct probe_context {
	struct verbs_context base;
};

/* Where to count: an address that the test's child has mapped too, since it was forked. */
static struct counters *counters(void)
{
	static struct counters nowhere;
	const char *text = getenv(COUNTERS_VARIABLE);

	return text ? (struct counters *)strtoul(text, NULL, 16) : &nowhere;
}

static struct verbs_device *alloc_device(struct verbs_sysfs_dev *sysfs)
{
	struct verbs_device *device = calloc(1, sizeof(*device));

	(void)sysfs;
	if (device)
		counters()->made++;
	return device;
}

static void uninit_device(struct verbs_device *device)
{
	counters()->forgotten++;
	free(device);
}

static void free_context(struct ibv_context *context)
{
	struct verbs_context *verbs =
		(struct verbs_context *)(void *)((char *)context -
						 offsetof(struct verbs_context, context));

	counters()->closed++;
	hf_provider_context_uninit(verbs);
	free(verbs);
}

static const struct verbs_context_ops operations = {.free_context = free_context};

static struct verbs_context *alloc_context(struct ibv_device *device, int cmd_fd,
					   void *private_data)
{
	struct probe_context *context;

	(void)private_data;
	context = hf_provider_context_alloc(device, cmd_fd, sizeof(*context),
					    offsetof(struct probe_context, base),
					    RDMA_DRIVER_UNKNOWN);
	if (!context)
		return NULL;
	counters()->opened++;
	hf_provider_set_ops(&context->base, &operations);
	return &context->base;
}

static const struct verbs_device_ops ops = {
	.name = "probe",
	.match_min_abi_version = 0,
	.match_max_abi_version = 1000,
	.alloc_device = alloc_device,
	.uninit_device = uninit_device,
	.alloc_context = alloc_context,
};

__attribute__((visibility("default"))) const struct hf_provider_descriptor *
hf_provider_describe(void)
{
	static const struct hf_provider_descriptor descriptor = {
		.size = sizeof(descriptor),
		.abi = HF_PROVIDER_ABI,
		.name = "probe",
		.version = "1",
		.ops = &ops,
		.qp_ex_size = sizeof(struct ibv_qp_ex),
	};

	return &descriptor;
}
