/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* IBVERBS_1.0: devices and contexts. */
#include <stdlib.h>

#include "compat/ibverbs_1_0/ibverbs_1_0.h"
#include "compat/private34/log.h"

const char v1_0_context_mark = 0;

static void release_device(struct v1_0_device *device)
{
	if (atomic_fetch_sub(&device->references, 1) == 1)
		free(device);
}

HF_IBVERBS_1_0(struct v1_0_device **, ibv_get_device_list, (int *ret_count))
{
	struct ibv_device **real;
	struct v1_0_device **list;
	int count = 0, made;

	hfi_verbs_log_open();
	real = hf_compat_calls.ibv_get_device_list(&count);
	if (!real)
		return NULL;
	/* The present list is stored in the element before the first one that the program sees. */
	list = calloc((size_t)count + 2, sizeof(*list));
	if (!list)
		goto free_real;
	list[0] = (struct v1_0_device *)(void *)real;
	for (made = 0; made < count; made++) {
		struct v1_0_device *device = calloc(1, sizeof(*device));

		if (!device)
			goto free_list;
		device->real = real[made];
		atomic_init(&device->references, 1);
		list[1 + made] = device;
	}
	if (ret_count)
		*ret_count = count;
	return list + 1;

free_list:
	while (made > 0)
		free(list[made--]);
	free(list);
free_real:
	hf_compat_calls.ibv_free_device_list(real);
	return NULL;
}

HF_IBVERBS_1_0(void, ibv_free_device_list, (struct v1_0_device * *list))
{
	if (!list)
		return;
	for (struct v1_0_device **device = list; *device; device++)
		release_device(*device);
	hf_compat_calls.ibv_free_device_list((struct ibv_device **)(void *)list[-1]);
	free(list - 1);
}

HF_IBVERBS_1_0(const char *, ibv_get_device_name, (struct v1_0_device * device))
{
	return hf_compat_calls.ibv_get_device_name(device->real);
}

HF_IBVERBS_1_0(__be64, ibv_get_device_guid, (struct v1_0_device * device))
{
	return hf_compat_calls.ibv_get_device_guid(device->real);
}

HF_IBVERBS_1_0(struct v1_0_context *, ibv_open_device, (struct v1_0_device * device))
{
	struct v1_0_context *context = calloc(1, sizeof(*context));

	if (!context)
		return NULL;
	context->real = hf_compat_calls.ibv_open_device(device->real);
	if (!context->real) {
		free(context);
		return NULL;
	}
	/* The program may use context->device after it freed the list. */
	atomic_fetch_add(&device->references, 1);
	context->device = device;
	context->cmd_fd = context->real->cmd_fd;
	context->async_fd = context->real->async_fd;
	context->num_comp_vectors = context->real->num_comp_vectors;
	context->mark = &v1_0_context_mark;
	v1_0_set_ops(&context->ops);
	return context;
}

HF_IBVERBS_1_0(int, ibv_close_device, (struct v1_0_context * context))
{
	int ret = hf_compat_calls.ibv_close_device(context->real);

	if (!ret) {
		release_device(context->device);
		free(context);
	}
	return ret;
}

HF_IBVERBS_1_0(int, ibv_query_device, (struct v1_0_context * context, struct ibv_device_attr *attr))
{
	return hf_compat_calls.ibv_query_device(context->real, attr);
}

/* The struct of IBVERBS_1.0 ends before port_cap_flags2, as that of IBVERBS_1.1 does. */
HF_IBVERBS_1_0(int, ibv_query_port,
	       (struct v1_0_context * context, uint8_t port, struct _compat_ibv_port_attr *attr))
{
	return hf_compat_calls.ibv_query_port(context->real, port, attr);
}

HF_IBVERBS_1_0(int, ibv_query_gid,
	       (struct v1_0_context * context, uint8_t port, int index, union ibv_gid *gid))
{
	return hf_compat_calls.ibv_query_gid(context->real, port, index, gid);
}

HF_IBVERBS_1_0(int, ibv_query_pkey,
	       (struct v1_0_context * context, uint8_t port, int index, __be16 *pkey))
{
	return hf_compat_calls.ibv_query_pkey(context->real, port, index, pkey);
}
