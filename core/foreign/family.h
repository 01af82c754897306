/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Private ABIs of libibverbs that this library takes providers of, as rows of data.
 *
 * One number can hide several layouts: 59 is one in versions 59 to 61 and another in 62 and 63. So it is the
 * version in the name of libibverbs.so.1 that chooses a profile, and what that library exports must agree.
 *
 * The next number is added so:
 * - a row in family.c with its profiles, and landmarks for what is new in it. The first row is the one whose
 *   names the loader is asked for where a file is in no known place;
 * - operations.h: the operations that are new, each with its release; holdfast-provider/later.h: the same at the end of
 *   struct hf_later_ops, and the function of core/verbs that leads to each;
 * - its node in abi/maps/libibverbs.map, and the public names that its libraries import;
 * - compat/private34/nodes.h: the number in each list of nodes that it continues; a function in compat/privateN
 *   for each call whose parameters differ from before; register.c;
 * - t/tree/foreign-abis: its row.
 * Since 59, members stand in front of struct verbs_context (ours ends like theirs, but begins later). All places
 * where such a pointer crosses: into the core by _verbs_init_and_alloc_context(), whose offset is theirs,
 * verbs_set_ops(), verbs_uninit_context() and ibv_cmd_get_context(); out of the provider by what alloc_context and
 * import_context return. Everything else takes a struct ibv_context *, which is the same address for both.
 */
#ifndef HF_FOREIGN_FAMILY_H
#define HF_FOREIGN_FAMILY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/reason.h>

#include "shared/attr.h"
#include "core/foreign/cache.h"

/* What differs between versions of rdma-core that state the same ABI number. */
struct hf_profile {
	unsigned int first, last; /* versions of rdma-core */
	size_t qp_mask_offset;	  /* of verbs_qp.comp_mask */
	bool dmabuf_buffer;	  /* ibv_cmd_reg_dmabuf_mr() takes a command buffer at the end */
	size_t front;		  /* bytes that struct verbs_context has in front of ours */
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

enum { HF_FAMILIES_MAX = 8 };
extern const struct hf_family hfi_families[];
extern const size_t hfi_num_families;

/* "34, 57 and 59": the numbers of all of them. */
void hfi_family_numbers(char *text, size_t size) HF_NONNULL;

/* NULL: no family has that number. */
const struct hf_family *hfi_family_of(uint32_t abi) HF_MUST_CHECK;

/* Which version of rdma-core the libraries of a directory were built from, and so what they expect. */
struct hf_evidence {
	const struct hf_profile *profile; /* NULL: unknown, see `reason` */
	unsigned int version;
	struct hf_file_identity library; /* of libibverbs.so.1, if `looked_into` */
	bool looked_into;		 /* its exports were read, and agree */
	struct hf_reason reason;
};

/*
 * Determines it from the family's libibverbs.so.1 in `dir` or above: from the version at the end of
 * its file name, which its exports must not contradict; they are not read if `known` has the file. If
 * `stated` is not 0, it is used instead. -ENOMEM.
 */
int hfi_family_evidence(const struct hf_family *family, const char *dir, unsigned int stated,
			const struct hf_cache *known, struct hf_evidence *ret) HF_MUST_CHECK
	HF_NONNULL_OF(2, 4, 5);

/* The kernel driver that libibverbs' driver of that name is for; 0: not known. */
uint32_t hfi_driver_id_of(const char *name) HF_MUST_CHECK HF_NONNULL;

#endif
