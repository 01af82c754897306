/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Extended CQs of providers that support the standard completion fields only. */
#ifndef PROVIDERS_COMMON_CQ_EX_H
#define PROVIDERS_COMMON_CQ_EX_H

#include <holdfast-provider/provider.h>

/* The functions that read a field of the current completion. */
struct cq_ex_readers {
	enum ibv_wc_opcode (*opcode)(struct ibv_cq_ex *cq);
	uint32_t (*vendor_err)(struct ibv_cq_ex *cq);
	unsigned int (*wc_flags)(struct ibv_cq_ex *cq);
	uint32_t (*byte_len)(struct ibv_cq_ex *cq);
	__be32 (*imm_data)(struct ibv_cq_ex *cq);
	uint32_t (*qp_num)(struct ibv_cq_ex *cq);
	uint32_t (*src_qp)(struct ibv_cq_ex *cq);
	uint32_t (*slid)(struct ibv_cq_ex *cq);
	uint8_t (*sl)(struct ibv_cq_ex *cq);
	uint8_t (*dlid_path_bits)(struct ibv_cq_ex *cq);
};

/* False if the program asks for anything but standard fields and creation flags, such as timestamps. */
bool cq_ex_supported(const struct ibv_cq_init_attr_ex *attr);

/* Whether the program promises to use the CQ from one thread at a time. */
bool cq_ex_single_threaded(const struct ibv_cq_init_attr_ex *attr);

/* Installs the readers of the fields that wc_flags (IBV_WC_EX_WITH_*) selects, and of those always there. */
void cq_ex_set_readers(struct ibv_cq_ex *cq, uint64_t wc_flags,
		       const struct cq_ex_readers *readers);

#endif
