/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What may serve devices, and what does: for the registry and for those who fill it. These are below
 * core/foreign, the registry is above.
 */
#ifndef HF_PROVIDER_CANDIDATE_H
#define HF_PROVIDER_CANDIDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>
#include <sys/stat.h>

#include <holdfast/reason.h>
#include <holdfast-provider/provider.h>

#include "shared/attr.h"
#include "core/provider/manifest.h"

struct hf_family;
struct hf_profile;

enum { HF_PROVIDER_ABI_MIN = 1, HF_PROVIDER_ABI_MAX = HF_PROVIDER_ABI };

/* A library that is mapped. */
struct hf_provider {
	struct hf_provider *prev, *next; /* utlist */
	char file[HF_PATH_MAX];
	dev_t dev; /* identity of the file it was loaded from */
	ino_t ino;
	struct timespec mtime;
	void *library;
	const char *name; /* the library's */
	const struct verbs_device_ops *ops;
	bool foreign;
	size_t qp_mask_offset; /* of verbs_qp.comp_mask in its objects */
	bool dmabuf_buffer;    /* its ibv_cmd_reg_dmabuf_mr() takes a command buffer at the end */
	size_t context_front;  /* bytes that its struct verbs_context has in front of ours */
	/* Brings its table of operations into our order; NULL: it is in that order. */
	void (*take_operations)(const struct hf_profile *profile, const void *theirs,
				struct verbs_context_ops *ret, struct hf_later_ops *later);
	const struct hf_profile *profile; /* for that; NULL: not foreign */
	/* After it is unmapped; NULL: nothing. */
	void (*forget)(const struct verbs_device_ops *ops);
	bool by_program;      /* the program loaded it itself */
	unsigned int devices; /* guarded by the registry's lock */
	/* What it did wrong when one of its devices was opened; NULL: nothing. Set once. */
	_Atomic(struct hf_reason *) fault;
};

/* A manifest as it was found, and what became of it. */
struct hf_candidate {
	struct hf_manifest manifest;
	struct hf_reason reason; /* of the last refusal of the provider; devices do not count */
	/* Why it was not for a device that matches, in the last look; it may serve others. */
	struct hf_reason device_reason;
	bool again;	     /* is tried although it was refused */
	bool said;	     /* the refusal, to the program's user */
	struct stat library; /* the file as it was when the manifest was read */
	/* For a foreign library, whose manifest is made from the configuration and its own tables. */
	const struct hf_family *family;	  /* NULL: not foreign */
	struct stat config;		  /* the file that names it, as it was read; else zero */
	const struct hf_profile *profile; /* NULL: not known, and then refused */
	unsigned int core_version;	  /* of the rdma-core that it was built from, or 0 */
	bool learned;			  /* what it matches is in the manifest */
	bool asks;			  /* only its code can tell whether it takes a device */
	bool by_loader;			  /* not in the usual place: the loader searches for it */
	bool by_program;		  /* the program loaded it itself */
	uint32_t other_abi; /* that of the only file here, which is none of ours; or 0 */
};

void hfi_candidates_free(struct hf_candidate *candidates, size_t count);

/* Whether the name of the file is that of such a library. */
bool hfi_candidates_have(const struct hf_candidate *candidates, size_t count,
			 const char *file) HF_MUST_CHECK HF_NONNULL_OF(3);

/* Moves the candidates that the program loaded itself to the front; keeps the order otherwise. */
void hfi_candidates_sort(struct hf_candidate *candidates, size_t count);

#endif
