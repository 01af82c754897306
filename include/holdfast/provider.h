/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What providers are there, and why one was refused. Writing one: holdfast-provider(7). */
#ifndef HOLDFAST_PROVIDER_H
#define HOLDFAST_PROVIDER_H

#include <stdint.h>

#include <holdfast/context.h>
#include <holdfast/reason.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hf_provider_info {
	char name[64];
	char version[32];   /* from the manifest */
	char manifest[256]; /* path */
	char file[256];	    /* path of the library */
	uint32_t abi;	    /* private ABI number the manifest states */
	uint32_t abi_min;   /* lowest and highest number this library accepts */
	uint32_t abi_max;
	uint32_t loaded;	 /* 1 while the library is mapped */
	uint32_t devices;	 /* devices it serves now */
	struct hf_reason reason; /* HF_REASON_NONE unless it was refused */
	char family[16];	 /* of the distribution's: its private ABI, "rdmav34"; else empty */
	char layout[32]; /* of the distribution's: "rdma-core 44 to 44", or empty if not known */
};

/*
 * Lists the manifests found, and the libraries that the distribution's configuration names, in the
 * order in which they are tried. Opens no library. *ret is an array whose entries are `entry_size`
 * bytes apart: pass sizeof(struct hf_provider_info). The caller gives the array back with
 * free(). Returns the number of entries. Errors: -EINVAL (entry_size), -EMFILE, -ENFILE. Since 0.1.
 */
int hf_provider_list(struct hf *hf, size_t entry_size, struct hf_provider_info **ret);

#ifdef __cplusplus
}
#endif

#endif
