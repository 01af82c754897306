/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A provider to begin with: it takes the devices that its manifest names, opens them, and answers
 * queries through the kernel. What a real one adds (protection domains, queues, memory regions) goes
 * into `operations` and behind it. The rules are in holdfast-provider(7).
 *
 * Devices of a tree that say "holdfast:loop" have no kernel driver: they are loop.c's.
 */
#include <holdfast-provider/provider.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <rdma/ib_user_ioctl_verbs.h>

#include "loop.h"

/*
 * The number of the kernel driver, enum rdma_driver_id in <rdma/ib_user_ioctl_verbs.h>. The kernel
 * refuses commands that carry another one.
 */
enum { EXAMPLE_DRIVER_ID = RDMA_DRIVER_UNKNOWN };

/* Our data of a device. The core's part may be anywhere in it. */
struct example_device {
	struct verbs_device base;
};

/* What we keep for an open device. */
struct example_context {
	struct verbs_context base;
};

static struct example_context *to_context(struct ibv_context *context)
{
	char *at = (char *)context - offsetof(struct verbs_context, context);

	return (struct example_context *)(at - offsetof(struct example_context, base));
}

static int example_query_device(struct ibv_context *context,
				const struct ibv_query_device_ex_input *input,
				struct ibv_device_attr_ex *attr, size_t attr_size)
{
	uint64_t version;
	int err;

	err = hf_provider_query_device(context, input, attr, attr_size, &version, NULL);
	if (err)
		return err;
	/* How a driver packs its firmware version into the number is known to its provider only. */
	snprintf(attr->orig_attr.fw_ver, sizeof(attr->orig_attr.fw_ver), "%u.%u.%u",
		 (unsigned int)(version >> 32 & 0xffff), (unsigned int)(version >> 16 & 0xffff),
		 (unsigned int)(version & 0xffff));
	return 0;
}

static void example_free_context(struct ibv_context *ibv_context)
{
	struct example_context *context = to_context(ibv_context);

	hf_provider_context_uninit(&context->base); /* closes the descriptor */
	free(context);
}

static const struct verbs_context_ops operations = {
	.free_context = example_free_context,
	.query_device_ex = example_query_device,
	.query_port = hf_provider_query_port,
};

/* The descriptor is ours from the first line on, also where we fail. */
static struct verbs_context *example_alloc_context(struct ibv_device *device, int cmd_fd,
						   void *private_data)
{
	struct example_context *context;
	int err;

	(void)private_data;
	if (!strcmp(((struct verbs_device *)device)->sysfs->modalias, "holdfast:loop"))
		return example_open_loop(device, cmd_fd);
	context = hf_provider_context_alloc(device, cmd_fd, sizeof(*context),
					    offsetof(struct example_context, base),
					    EXAMPLE_DRIVER_ID);
	if (!context)
		return NULL;
	err = hf_provider_get_context(&context->base, NULL);
	if (err) {
		hf_provider_context_uninit(&context->base);
		free(context);
		errno = err;
		return NULL;
	}
	hf_provider_set_ops(&context->base, &operations);
	return &context->base;
}

/* Called once for each instance of a device that matches. */
static struct verbs_device *example_alloc_device(struct verbs_sysfs_dev *sysfs)
{
	struct example_device *device;

	(void)sysfs;
	device = calloc(1, sizeof(*device));
	return device ? &device->base : NULL;
}

/*
 * Called once for each object that example_alloc_device() returned, when its last reference is
 * dropped.
 */
static void example_uninit_device(struct verbs_device *base)
{
	free((char *)base - offsetof(struct example_device, base));
}

static const struct verbs_device_ops device_operations = {
	.name = "example",
	.match_min_abi_version = 1,
	.match_max_abi_version = 1,
	.alloc_device = example_alloc_device,
	.uninit_device = example_uninit_device,
	.alloc_context = example_alloc_context,
};

static const struct hf_provider_descriptor descriptor = {
	.size = sizeof(descriptor),
	.abi = HF_PROVIDER_ABI,
	.name = "example",
	.version = "1.0",
	.ops = &device_operations,
	.qp_ex_size = sizeof(struct ibv_qp_ex),
};

const struct hf_provider_descriptor *hf_provider_describe(void)
{
	return &descriptor;
}
