/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Commands that are new in private ABIs 59 to 65. Only operations that no program can call through Holdfast lead
 * to them, so each answers as on a kernel that does not have it.
 */
#include "compat/private59/not_served.h"

HF_LABEL(hfi_not_served)
HF_NODES_SINCE_59(hfi_not_served, ibv_cmd_alloc_dmah)
HF_NODES_SINCE_59(hfi_not_served, ibv_cmd_free_dmah)
HF_NODES_SINCE_59(hfi_not_served, ibv_cmd_reg_mr_ex)
HF_NODES_SINCE_59(hfi_not_served, ibv_cmd_query_port_speed)
HF_NODE_65(hfi_not_served, ibv_cmd_create_comp_cntr)
HF_NODE_65(hfi_not_served, ibv_cmd_destroy_comp_cntr)
HF_NODE_65(hfi_not_served, ibv_cmd_inc_comp_cntr)
HF_NODE_65(hfi_not_served, ibv_cmd_inc_err_comp_cntr)
HF_NODE_65(hfi_not_served, ibv_cmd_read_comp_cntr)
HF_NODE_65(hfi_not_served, ibv_cmd_read_err_comp_cntr)
HF_NODE_65(hfi_not_served, ibv_cmd_set_comp_cntr)
HF_NODE_65(hfi_not_served, ibv_cmd_set_err_comp_cntr)
HF_NODE_65(hfi_not_served, ibv_cmd_qp_attach_comp_cntr)
HF_NODE_65(hfi_not_served, ibv_cmd_query_comp_cntr_caps)
HF_VISIBLE
int hfi_not_served(void)
{
	return hf_answer(EOPNOTSUPP);
}

HF_LABEL(hfi_no_descriptor)
HF_NODES_SINCE_59(hfi_no_descriptor, ibv_cmd_export_dmabuf_fd)
HF_VISIBLE
int hfi_no_descriptor(void)
{
	errno = EOPNOTSUPP;
	return -1;
}

HF_LABEL(hfi_no_heap)
HF_NODES_SINCE_64(hfi_no_heap, ibv_dmabuf_heap_cc_shared_init)
HF_NODES_SINCE_64(hfi_no_heap, ibv_dmabuf_heap_alloc)
HF_VISIBLE
void *hfi_no_heap(void)
{
	errno = EOPNOTSUPP;
	return NULL;
}

HF_LABEL(hfi_nothing_to_free)
HF_NODES_SINCE_64(hfi_nothing_to_free, ibv_dmabuf_heap_destroy)
HF_NODES_SINCE_64(hfi_nothing_to_free, ibv_dmabuf_heap_free)
HF_VISIBLE
void hfi_nothing_to_free(void)
{
}
