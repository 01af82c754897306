/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A provider that sends nothing to the kernel and counts its calls. With HF_PROBE_NO_KERNEL it
 * declares that, and arming one of its CQs immediately reports a completion and an event of the
 * port.
 */
#include <errno.h>
#include <stdlib.h>

#include <holdfast-provider/provider.h>

#include "t/fault/counters.h"

struct probe_context {
	struct verbs_context base;
};

/* The address of the counters, which the test's forked child has mapped too. */
static struct counters *probe_counters(void)
{
	static struct counters nowhere;
	const char *text = getenv(COUNTERS_VARIABLE);

	return text ? (struct counters *)strtoul(text, NULL, 16) : &nowhere;
}

static struct verbs_device *probe_alloc_device(struct verbs_sysfs_dev *sysfs)
{
	struct verbs_device *device = calloc(1, sizeof(*device));

	(void)sysfs;
	if (device)
		probe_counters()->made++;
	return device;
}

static void probe_uninit_device(struct verbs_device *device)
{
	probe_counters()->forgotten++;
	free(device);
}

static void probe_free_context(struct ibv_context *context)
{
	struct verbs_context *verbs =
		(struct verbs_context *)(void *)((char *)context -
						 offsetof(struct verbs_context, context));

	probe_counters()->closed++;
	hf_provider_context_uninit(verbs);
	free(verbs);
}

struct probe_cq {
	struct ibv_cq base;
	struct hf_provider_events *events;
};

static struct ibv_cq *probe_create_cq(struct ibv_context *context, int cqe,
				      struct ibv_comp_channel *channel, int vector)
{
	struct probe_cq *cq = calloc(1, sizeof(*cq));

	(void)vector;
	if (!cq)
		return NULL;
	cq->base.cqe = cqe;
	cq->events = hf_provider_cq_events(context, &cq->base, channel);
	if (cq->events)
		return &cq->base;
	free(cq);
	return NULL;
}

static int probe_req_notify_cq(struct ibv_cq *cq, int solicited_only)
{
	(void)solicited_only;
	hf_provider_report_completion(((struct probe_cq *)(void *)cq)->events);
	return hf_provider_report_port(cq->context, 1, IBV_EVENT_PORT_ACTIVE);
}

static int probe_destroy_cq(struct ibv_cq *cq)
{
	hf_provider_events_end(((struct probe_cq *)(void *)cq)->events);
	free(cq);
	return 0;
}

static const struct verbs_context_ops operations = {
	.free_context = probe_free_context,
	.create_cq = probe_create_cq,
	.req_notify_cq = probe_req_notify_cq,
	.destroy_cq = probe_destroy_cq,
};

static int declare_no_kernel(struct verbs_context *context)
{
	const struct hf_no_kernel attr = {
		.size = sizeof(attr),
		.num_ports = 1,
		.num_comp_vectors = 1,
	};

	return getenv("HF_PROBE_NO_KERNEL") ? hf_provider_no_kernel(context, &attr) : 0;
}

static struct verbs_context *probe_alloc_context(struct ibv_device *device, int cmd_fd,
						 void *private_data)
{
	struct probe_context *context;
	int err;

	(void)private_data;
	context = hf_provider_context_alloc(device, cmd_fd, sizeof(*context),
					    offsetof(struct probe_context, base),
					    RDMA_DRIVER_UNKNOWN);
	if (!context)
		return NULL;
	err = declare_no_kernel(&context->base);
	if (err) {
		hf_provider_context_uninit(&context->base);
		free(context);
		errno = err;
		return NULL;
	}
	probe_counters()->opened++;
	hf_provider_set_ops(&context->base, &operations);
	return &context->base;
}

static const struct verbs_device_ops ops = {
	.name = "probe",
	.match_min_abi_version = 0,
	.match_max_abi_version = 1000,
	.alloc_device = probe_alloc_device,
	.uninit_device = probe_uninit_device,
	.alloc_context = probe_alloc_context,
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
