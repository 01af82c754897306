/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Private ABI 34: flows, counters and work queues. */
#ifndef HF_COMPAT_PRIVATE34_STEERING_H
#define HF_COMPAT_PRIVATE34_STEERING_H

#include "compat/private34/private34.h"

/* Command structs, known to providers only. */
struct ibv_create_wq;
struct ibv_modify_wq;

int execute_ioctl(struct ibv_context *context, struct ibv_command_buffer *buffer);
unsigned int __ioctl_final_num_attrs(unsigned int count, struct ibv_command_buffer *link);

int ibv_cmd_create_flow(struct ibv_qp *qp, struct ibv_flow *flow, struct ibv_flow_attr *attr,
			void *driver_request, size_t driver_size);
int ibv_cmd_destroy_flow(struct ibv_flow *flow);
int ibv_cmd_create_flow_action_esp(struct ibv_context *context,
				   struct ibv_flow_action_esp_attr *attr,
				   struct verbs_flow_action *action,
				   struct ibv_command_buffer *link);
int ibv_cmd_modify_flow_action_esp(struct verbs_flow_action *action,
				   struct ibv_flow_action_esp_attr *attr,
				   struct ibv_command_buffer *link);
int ibv_cmd_destroy_flow_action(struct verbs_flow_action *action);
int ibv_cmd_create_counters(struct ibv_context *context, struct ibv_counters_init_attr *attr,
			    struct verbs_counters *counters, struct ibv_command_buffer *link);
int ibv_cmd_destroy_counters(struct verbs_counters *counters);
int ibv_cmd_read_counters(struct verbs_counters *counters, uint64_t *values, uint32_t count,
			  uint32_t flags, struct ibv_command_buffer *link);
int ibv_cmd_create_wq(struct ibv_context *context, struct ibv_wq_init_attr *attr, struct ibv_wq *wq,
		      struct ibv_create_wq *cmd, size_t cmd_size,
		      struct ib_uverbs_ex_create_wq_resp *resp, size_t resp_size);
int ibv_cmd_modify_wq(struct ibv_wq *wq, struct ibv_wq_attr *attr, struct ibv_modify_wq *cmd,
		      size_t cmd_size);
int ibv_cmd_destroy_wq(struct ibv_wq *wq);
int ibv_cmd_create_rwq_ind_table(struct ibv_context *context,
				 struct ibv_rwq_ind_table_init_attr *attr,
				 struct ibv_rwq_ind_table *table,
				 struct ib_uverbs_ex_create_rwq_ind_table_resp *resp,
				 size_t resp_size);
int ibv_cmd_destroy_rwq_ind_table(struct ibv_rwq_ind_table *table);

#endif
