/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Forwards the calls for devices and contexts, their attributes and events. */
#include "compat/libibverbs/forward.h"
#include "compat/private34/log.h"

/* libibverbs opens the file of VERBS_LOG_FILE at the first list, not at the first message. */
extern __typeof__(ibv_get_device_list) shim_ibv_get_device_list;
HF_SYMVER(shim_ibv_get_device_list, "ibv_get_device_list@@IBVERBS_1.1")
HF_EXPORT struct ibv_device **shim_ibv_get_device_list(int *num)
{
	hfi_verbs_log_open();
	return hf_compat_calls.ibv_get_device_list(num);
}

HF_FORWARD(1.1, void, ibv_free_device_list, (struct ibv_device * *list), (list))
HF_FORWARD(1.1, const char *, ibv_get_device_name, (struct ibv_device * device), (device))
HF_FORWARD(1.1, __be64, ibv_get_device_guid, (struct ibv_device * device), (device))
HF_FORWARD(1.9, int, ibv_get_device_index, (struct ibv_device * device), (device))

HF_FORWARD(1.1, struct ibv_context *, ibv_open_device, (struct ibv_device * device), (device))
HF_FORWARD(1.1, int, ibv_close_device, (struct ibv_context * context), (context))
HF_FORWARD(1.10, struct ibv_context *, ibv_import_device, (int cmd_fd), (cmd_fd))

HF_FORWARD(1.1, int, ibv_get_async_event,
	   (struct ibv_context * context, struct ibv_async_event *event), (context, event))
HF_FORWARD(1.1, void, ibv_ack_async_event, (struct ibv_async_event * event), (event))

HF_FORWARD(1.1, int, ibv_query_device, (struct ibv_context * context, struct ibv_device_attr *attr),
	   (context, attr))
HF_FORWARD(1.1, int, ibv_query_port,
	   (struct ibv_context * context, uint8_t port, struct _compat_ibv_port_attr *attr),
	   (context, port, attr))
HF_FORWARD(1.1, int, ibv_query_gid,
	   (struct ibv_context * context, uint8_t port, int index, union ibv_gid *gid),
	   (context, port, index, gid))
HF_FORWARD(1.1, int, ibv_query_pkey,
	   (struct ibv_context * context, uint8_t port, int index, __be16 *pkey),
	   (context, port, index, pkey))
