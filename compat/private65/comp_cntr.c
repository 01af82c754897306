/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Private ABIs from 65 on: completion counters. */
#include "compat/private65/comp_cntr.h"

HF_SINCE_65(ibv_cmd_create_comp_cntr_65, ibv_cmd_create_comp_cntr)
int ibv_cmd_create_comp_cntr_65(struct ibv_context *context, struct ibv_comp_cntr *counter,
				struct ibv_command_buffer *link)
{
	const struct hf_driver_data data = {.link = link};

	return hf_answer(hf_compat_later.hf_provider_create_comp_cntr(context, counter, &data));
}

HF_SINCE_65(ibv_cmd_destroy_comp_cntr_65, ibv_cmd_destroy_comp_cntr)
int ibv_cmd_destroy_comp_cntr_65(struct ibv_comp_cntr *counter)
{
	return hf_answer(hf_compat_later.hf_provider_destroy_comp_cntr(counter));
}

HF_SINCE_65(ibv_cmd_set_comp_cntr_65, ibv_cmd_set_comp_cntr)
int ibv_cmd_set_comp_cntr_65(struct ibv_comp_cntr *counter, uint64_t value)
{
	return hf_answer(hf_compat_later.hf_provider_set_comp_cntr(counter, false, value));
}

HF_SINCE_65(ibv_cmd_set_err_comp_cntr_65, ibv_cmd_set_err_comp_cntr)
int ibv_cmd_set_err_comp_cntr_65(struct ibv_comp_cntr *counter, uint64_t value)
{
	return hf_answer(hf_compat_later.hf_provider_set_comp_cntr(counter, true, value));
}

HF_SINCE_65(ibv_cmd_inc_comp_cntr_65, ibv_cmd_inc_comp_cntr)
int ibv_cmd_inc_comp_cntr_65(struct ibv_comp_cntr *counter, uint64_t amount)
{
	return hf_answer(hf_compat_later.hf_provider_inc_comp_cntr(counter, false, amount));
}

HF_SINCE_65(ibv_cmd_inc_err_comp_cntr_65, ibv_cmd_inc_err_comp_cntr)
int ibv_cmd_inc_err_comp_cntr_65(struct ibv_comp_cntr *counter, uint64_t amount)
{
	return hf_answer(hf_compat_later.hf_provider_inc_comp_cntr(counter, true, amount));
}

HF_SINCE_65(ibv_cmd_read_comp_cntr_65, ibv_cmd_read_comp_cntr)
int ibv_cmd_read_comp_cntr_65(struct ibv_comp_cntr *counter, uint64_t *value)
{
	return hf_answer(hf_compat_later.hf_provider_read_comp_cntr(counter, false, value));
}

HF_SINCE_65(ibv_cmd_read_err_comp_cntr_65, ibv_cmd_read_err_comp_cntr)
int ibv_cmd_read_err_comp_cntr_65(struct ibv_comp_cntr *counter, uint64_t *value)
{
	return hf_answer(hf_compat_later.hf_provider_read_comp_cntr(counter, true, value));
}

HF_SINCE_65(ibv_cmd_qp_attach_comp_cntr_65, ibv_cmd_qp_attach_comp_cntr)
int ibv_cmd_qp_attach_comp_cntr_65(struct ibv_qp *qp, struct ibv_comp_cntr *counter,
				   struct ibv_qp_attach_comp_cntr_attr *attr)
{
	return hf_answer(hf_compat_later.hf_provider_attach_comp_cntr(qp, counter, attr));
}

HF_SINCE_65(ibv_cmd_query_comp_cntr_caps_65, ibv_cmd_query_comp_cntr_caps)
int ibv_cmd_query_comp_cntr_caps_65(struct ibv_context *context, struct ibv_comp_cntr_caps *caps,
				    size_t size)
{
	return hf_answer(hf_compat_later.hf_provider_query_comp_cntr_caps(context, caps, size));
}
