/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which providers were found, and why one was refused. See holdfast-provider-list(3). */
#ifndef HOLDFAST_PROVIDER_H
#define HOLDFAST_PROVIDER_H

#include <stdint.h>

#include <holdfast/context.h>
#include <holdfast/reason.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hf_provider_info {
	char name[64];		 /* from the manifest */
	char version[32];	 /* from the manifest */
	char manifest[256];	 /* path of the manifest, or of the file that names the provider */
	char file[256];		 /* path of the library */
	uint32_t abi;		 /* private ABI, from the manifest */
	uint32_t abi_min;	 /* lowest private ABI that Holdfast accepts */
	uint32_t abi_max;	 /* highest private ABI that Holdfast accepts */
	uint32_t loaded;	 /* 1 while the library is mapped into the process */
	uint32_t devices;	 /* number of devices that it serves now */
	struct hf_reason reason; /* HF_REASON_NONE unless it was refused */
	/* Both are empty for Holdfast's providers. For the distribution's: */
	char family[16]; /* private ABI, "rdmav34" */
	char layout[32]; /* object layout, "rdma-core 44 to 44"; empty if not known */
};

/*
 * Lists the providers of which a manifest was found, and the libraries that the distribution's
 * configuration names, in the order in which they are tried. It loads no library. *ret is an array
 * whose entries are `entry_size` bytes apart: pass sizeof(struct hf_provider_info). The caller owns the
 * array and gives it back with free(). Returns the number of entries. Errors: -EINVAL (entry_size),
 * -EMFILE, -ENFILE. Since 0.1.
 */
int hf_provider_list(struct hf *hf, size_t entry_size, struct hf_provider_info **ret);

#ifdef __cplusplus
}
#endif

#endif
