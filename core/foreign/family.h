/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Private ABIs of libibverbs that this library takes providers of, as rows of data. */
#ifndef HF_FOREIGN_FAMILY_H
#define HF_FOREIGN_FAMILY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/reason.h>

/* What differs between versions of rdma-core that state the same ABI number. */
struct hf_profile {
	unsigned int first, last; /* versions of rdma-core */
	size_t qp_mask_offset;	  /* of verbs_qp.comp_mask */
	bool dmabuf_buffer;	  /* ibv_cmd_reg_dmabuf_mr() takes a command buffer at the end */
};

/* A name that libibverbs.so.1 exports from a version of rdma-core on. */
struct hf_landmark {
	const char *name;
	unsigned int since;
};

struct hf_family {
	const char *name;
	uint32_t abi;
	const char *suffix; /* of the libraries' file names */
	const char *node;
	const char *entry; /* what a library calls to make itself known */
	const char *soname;
	const struct hf_profile *profiles;
	size_t num_profiles;
	const struct hf_landmark *landmarks;
	size_t num_landmarks;
};

extern const struct hf_family hf_families[];
extern const size_t hf_num_families;

/* Which version of rdma-core the libraries of a directory were built from, and so what they expect. */
struct hf_evidence {
	const struct hf_profile *profile; /* NULL: it cannot be told, see `reason` */
	unsigned int version;
	struct hf_reason reason;
};

/*
 * Tells it by the family's libibverbs.so.1 beside or above `dir`: by the version that its file name
 * ends in, which what it exports must not contradict. `stated`, unless 0, is taken instead. -ENOMEM.
 */
int hf_family_evidence(const struct hf_family *family, const char *dir, unsigned int stated,
		       struct hf_evidence *ret);

#endif
