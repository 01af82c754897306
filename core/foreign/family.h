/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Private ABIs of libibverbs that this library takes providers of, as rows of data.
 *
 * Another one (rdma-core states 57 in versions 57 and 58, 59 up to 63, 64 in 64) is added so:
 * - a row in family.c with its profiles and landmarks. The first row is the one whose names the
 *   loader is asked for where a file is in no known place;
 * - its node in abi/maps/libibverbs.map, and the public names that its libraries import;
 * - compat/privateN: verbs_register_driver_N(), and a function for each call whose parameters differ
 *   from 34's: ibv_cmd_get_context() since 57, ibv_cmd_create_cq_ex() since 59,
 *   ibv_cmd_create_qp_ex2() in 64. Those that are alike are one function under both versions: either
 *   both in __attribute__((symver())), or a forwarder of another name with .symver. An alias is no
 *   way: the linker then drops the older version without a word;
 * - since 59, operations stand in front of struct verbs_context and among those of struct
 *   verbs_context_ops (ours ends like theirs, but begins later): _verbs_init_and_alloc_context() of
 *   that node adds the difference to the offset, and verbs_set_ops() copies slot by slot;
 * - what only some versions of one number do is a member of struct hf_profile.
 * hf_provider_*, which all of them call, stays as it is.
 */
#ifndef HF_FOREIGN_FAMILY_H
#define HF_FOREIGN_FAMILY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/reason.h>

#include "shared/attr.h"

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
	const char *entry; /* the function that a library registers itself with */
	const char *soname;
	const struct hf_profile *profiles;
	size_t num_profiles;
	const struct hf_landmark *landmarks;
	size_t num_landmarks;
};

extern const struct hf_family hfi_families[];
extern const size_t hfi_num_families;

/* NULL: no family has that number. */
const struct hf_family *hfi_family_of(uint32_t abi) HF_MUST_CHECK;

/* Which version of rdma-core the libraries of a directory were built from, and so what they expect. */
struct hf_evidence {
	const struct hf_profile *profile; /* NULL: unknown, see `reason` */
	unsigned int version;
	struct hf_reason reason;
};

/*
 * Tells it by the family's libibverbs.so.1 beside or above `dir`: by the version that its file name
 * ends in, which what it exports must not contradict. `stated`, unless 0, is taken instead. -ENOMEM.
 */
int hfi_family_evidence(const struct hf_family *family, const char *dir, unsigned int stated,
			struct hf_evidence *ret) HF_MUST_CHECK HF_NONNULL_OF(2, 4);

/* The kernel driver that libibverbs' driver of that name is for; 0: not known. */
uint32_t hfi_driver_id_of(const char *name) HF_MUST_CHECK HF_NONNULL;

#endif
