/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Extended CQs of providers that support the standard completion fields only. */
#include "providers/common/cq_ex.h"

bool cq_ex_supported(const struct ibv_cq_init_attr_ex *attr)
{
	return !(attr->wc_flags & ~(uint64_t)IBV_WC_STANDARD_FLAGS) &&
	       !(attr->comp_mask & ~(uint32_t)IBV_CQ_INIT_ATTR_MASK_FLAGS);
}

bool cq_ex_single_threaded(const struct ibv_cq_init_attr_ex *attr)
{
	return attr->comp_mask & IBV_CQ_INIT_ATTR_MASK_FLAGS &&
	       attr->flags & IBV_CREATE_CQ_ATTR_SINGLE_THREADED;
}

void cq_ex_set_readers(struct ibv_cq_ex *cq, uint64_t wc_flags, const struct cq_ex_readers *readers)
{
	cq->read_opcode = readers->opcode;
	cq->read_vendor_err = readers->vendor_err;
	cq->read_wc_flags = readers->wc_flags;
	if (wc_flags & IBV_WC_EX_WITH_BYTE_LEN)
		cq->read_byte_len = readers->byte_len;
	if (wc_flags & IBV_WC_EX_WITH_IMM)
		cq->read_imm_data = readers->imm_data;
	if (wc_flags & IBV_WC_EX_WITH_QP_NUM)
		cq->read_qp_num = readers->qp_num;
	if (wc_flags & IBV_WC_EX_WITH_SRC_QP)
		cq->read_src_qp = readers->src_qp;
	if (wc_flags & IBV_WC_EX_WITH_SLID)
		cq->read_slid = readers->slid;
	if (wc_flags & IBV_WC_EX_WITH_SL)
		cq->read_sl = readers->sl;
	if (wc_flags & IBV_WC_EX_WITH_DLID_PATH_BITS)
		cq->read_dlid_path_bits = readers->dlid_path_bits;
}
