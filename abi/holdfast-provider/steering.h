/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Flows, flow actions, counters, work queues with their indirection tables, commands that a
 * provider builds itself, and protection from fork: what the core offers a provider. Included by
 * provider.h.
 *
 * Return convention: 0 or a positive errno value; outputs are unchanged on failure. A destroy
 * command succeeds if the device is gone. Calls exist since ABI 1 unless their comment says
 * otherwise.
 */
#ifndef HOLDFAST_PROVIDER_STEERING_H
#define HOLDFAST_PROVIDER_STEERING_H

#include <holdfast-provider/objects.h>
#include <rdma/rdma_user_ioctl_cmds.h>

#ifdef __cplusplus
extern "C" {
#endif

/* No attribute of a command buffer has driver data in that direction. */
#define HF_UHW_NO_INDEX 255

/*
 * A kernel command that a provider builds: the kernel gets `hdr` and the attributes after it.
 * `next` is a further buffer, whose attributes (those before next_attr) are sent with the command.
 * next_attr is the first free attribute, last_attr the end of the array.
 */
struct ibv_command_buffer {
	struct ibv_command_buffer *next;
	struct ib_uverbs_attr *next_attr;
	struct ib_uverbs_attr *last_attr;
	uint8_t uhw_in_idx; /* or HF_UHW_NO_INDEX */
	uint8_t uhw_out_idx;
	uint8_t uhw_in_headroom_dwords;
	uint8_t uhw_out_headroom_dwords;
	unsigned int buffer_error : 1; /* an attribute could not be added: the command is refused */
	unsigned int fallback_require_ex : 1;
	unsigned int fallback_ioctl_only : 1;
	struct {
		uint16_t length;
		uint16_t object_id;
		uint16_t method_id;
		uint16_t num_attrs;
		uint64_t reserved1;
		uint32_t driver_id;
		uint32_t reserved2;
	} hdr; /* struct ib_uverbs_ioctl_hdr; its attributes begin where this structure ends */
};

HF_SIZE(ibv_command_buffer, 56);
HF_LAYOUT(ibv_command_buffer, next_attr, 8);
HF_LAYOUT(ibv_command_buffer, last_attr, 16);
HF_LAYOUT(ibv_command_buffer, uhw_in_idx, 24);
HF_LAYOUT(ibv_command_buffer, uhw_out_headroom_dwords, 27);
HF_LAYOUT(ibv_command_buffer, hdr, 32);
HF_LAYOUT(ibv_command_buffer, hdr.num_attrs, 38);
HF_LAYOUT(ibv_command_buffer, hdr.driver_id, 48);

/*
 * Sends *command with the attributes of all buffers linked to it; the kernel's results are written
 * back to the attributes in their own buffers. EINVAL for a buffer with buffer_error set or for
 * more attributes than the core supports (48). Since ABI 1.
 */
int hf_provider_ioctl(struct ibv_context *context, struct ibv_command_buffer *command);

/* The number of attributes for which a command with `count` of its own needs room. Since ABI 1. */
unsigned int hf_provider_ioctl_attrs(unsigned int count, const struct ibv_command_buffer *link);

/*
 * Kernel command QUERY_CONTEXT, instead of GET_CONTEXT for a context that another process created
 * on the same command descriptor (Linux 5.8). Since ABI 1.
 */
int hf_provider_query_context(struct ibv_context *context, const struct hf_driver_data *data);

/*
 * Creating fills flow->context and flow->handle. EINVAL for an unknown comp_mask or specification,
 * ENOMEM, or the kernel's error: EOPNOTSUPP from a driver without flows, EPERM for a program that
 * may not use raw packets. Destroying returns 0 on a device that is gone. Since ABI 1.
 */
int hf_provider_create_flow(struct ibv_qp *qp, struct ibv_flow *flow,
			    const struct ibv_flow_attr *attr, const struct hf_driver_data *data);
int hf_provider_destroy_flow(struct ibv_flow *flow);

/*
 * ESP actions of flows. Creating fills the context, handle and type of *action. EOPNOTSUPP for an
 * unknown comp_mask and from a driver without such actions, EINVAL for key material of more than
 * 65535 bytes, or the kernel's error. Destroying returns EBUSY while a flow uses the action, and 0
 * on a device that is gone. Since ABI 1.
 */
int hf_provider_create_flow_action_esp(struct ibv_context *context,
				       const struct ibv_flow_action_esp_attr *attr,
				       struct verbs_flow_action *action,
				       const struct hf_driver_data *data);
int hf_provider_modify_flow_action_esp(struct verbs_flow_action *action,
				       const struct ibv_flow_action_esp_attr *attr,
				       const struct hf_driver_data *data);
int hf_provider_destroy_flow_action(struct verbs_flow_action *action);

/*
 * Creating fills the context and handle. EOPNOTSUPP for an unknown comp_mask and from a driver
 * without counters. Reading fills `values`, or leaves them unchanged on failure; EINVAL for more
 * than 8191 values, and if no flow uses the counters. Destroying returns EBUSY while a flow uses
 * them, and 0 on a device that is gone. Since ABI 1.
 */
int hf_provider_create_counters(struct ibv_context *context,
				const struct ibv_counters_init_attr *attr,
				struct verbs_counters *counters, const struct hf_driver_data *data);
int hf_provider_destroy_counters(struct verbs_counters *counters);
int hf_provider_read_counters(struct verbs_counters *counters, uint64_t *values, uint32_t count,
			      uint32_t flags, const struct hf_driver_data *data);

/*
 * Creating fills the public members except post_recv, and sets *attr to the sizes that the kernel
 * chose. Destroying waits for the acknowledgement of every event that was read. Since ABI 1.
 */
int hf_provider_create_wq(struct ibv_context *context, struct ibv_wq_init_attr *attr,
			  struct ibv_wq *wq, const struct hf_driver_data *data);
int hf_provider_modify_wq(struct ibv_wq *wq, const struct ibv_wq_attr *attr,
			  const struct hf_driver_data *data);
int hf_provider_destroy_wq(struct ibv_wq *wq);

/*
 * Fills the public members of a WQ that the kernel does not know, except wq_num, handle and
 * post_recv. In node HOLDFAST_PROVIDER_1.1.
 */
void hf_provider_init_wq(struct ibv_wq *wq, struct ibv_context *context,
			 const struct ibv_wq_init_attr *attr);

/*
 * Creating fills the context, handle and number. EINVAL for an unknown comp_mask, or the kernel's
 * error. Destroying returns EBUSY while a QP uses the table, and 0 on a device that is gone. Since
 * ABI 1.
 */
int hf_provider_create_rwq_ind_table(struct ibv_context *context,
				     const struct ibv_rwq_ind_table_init_attr *attr,
				     struct ibv_rwq_ind_table *table,
				     const struct hf_driver_data *data);
int hf_provider_destroy_rwq_ind_table(struct ibv_rwq_ind_table *table);

enum ibv_gid_type_sysfs {
	IBV_GID_TYPE_SYSFS_IB_ROCE_V1,
	IBV_GID_TYPE_SYSFS_ROCE_V2,
};

/* The type of an entry of the GID table. Since ABI 1. */
int hf_provider_query_gid_type(struct ibv_context *context, uint8_t port, unsigned int index,
			       enum ibv_gid_type_sysfs *type);

/*
 * Exclude memory that hardware reads from the child of a fork(), and undo that; both count for each
 * page, and do nothing unless ibv_fork_init() succeeded before. 0, or -1 with errno. In node
 * HOLDFAST_0.1.
 */
int ibv_dontfork_range(void *base, size_t size);
int ibv_dofork_range(void *base, size_t size);

#ifdef __cplusplus
}
#endif

#endif
