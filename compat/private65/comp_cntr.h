/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Private ABIs from 65 on: completion counters. */
#ifndef HF_COMPAT_PRIVATE65_COMP_CNTR_H
#define HF_COMPAT_PRIVATE65_COMP_CNTR_H

#include "compat/private34/private34.h"

int ibv_cmd_create_comp_cntr_65(struct ibv_context *context, struct ibv_comp_cntr *counter,
				struct ibv_command_buffer *link);
int ibv_cmd_destroy_comp_cntr_65(struct ibv_comp_cntr *counter);
int ibv_cmd_set_comp_cntr_65(struct ibv_comp_cntr *counter, uint64_t value);
int ibv_cmd_set_err_comp_cntr_65(struct ibv_comp_cntr *counter, uint64_t value);
int ibv_cmd_inc_comp_cntr_65(struct ibv_comp_cntr *counter, uint64_t amount);
int ibv_cmd_inc_err_comp_cntr_65(struct ibv_comp_cntr *counter, uint64_t amount);
int ibv_cmd_read_comp_cntr_65(struct ibv_comp_cntr *counter, uint64_t *value);
int ibv_cmd_read_err_comp_cntr_65(struct ibv_comp_cntr *counter, uint64_t *value);
int ibv_cmd_qp_attach_comp_cntr_65(struct ibv_qp *qp, struct ibv_comp_cntr *counter,
				   struct ibv_qp_attach_comp_cntr_attr *attr);
int ibv_cmd_query_comp_cntr_caps_65(struct ibv_context *context, struct ibv_comp_cntr_caps *caps,
				    size_t size);

#endif
