/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Why a device cannot be used, or why a provider was refused. See holdfast-reason(3). */
#ifndef HOLDFAST_REASON_H
#define HOLDFAST_REASON_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The numbers do not change; later versions may add codes. */
enum hf_reason_code {
	HF_REASON_NONE = 0,	       /* nothing is wrong */
	HF_REASON_GONE = 1,	       /* the device was unplugged */
	HF_REASON_HALF_MADE = 2,       /* attributes are missing or unreadable */
	HF_REASON_NO_NODE = 3,	       /* the device node does not exist */
	HF_REASON_NODE_PERMISSION = 4, /* this process may not open the node */
	HF_REASON_NODE_MISMATCH = 5,   /* the node belongs to another device number */
	HF_REASON_OTHER_NETNS = 6,     /* the device is in another network namespace */
	HF_REASON_NO_PROVIDER = 7,     /* no manifest matches the device */
	HF_REASON_FILE_MISSING = 8,    /* the file that the manifest names does not exist */
	HF_REASON_ABI = 9,	     /* the provider's private ABI is outside the accepted range */
	HF_REASON_UNSAFE = 10,	     /* users who should not can write to a file or directory */
	HF_REASON_LOAD = 11,	     /* the dynamic loader refused the file */
	HF_REASON_KERNEL_ABI = 12,   /* the kernel driver's ABI is outside the provider's range */
	HF_REASON_BAD_MANIFEST = 13, /* the manifest cannot be parsed */
	HF_REASON_PROVIDER_FAILED = 14, /* the provider refused the device */
};

/*
 * Part of other structures, so its size never changes: later members take the place of `reserved`.
 * Texts that are too long are cut.
 */
struct hf_reason {
	uint32_t code;	       /* enum hf_reason_code */
	int32_t error;	       /* errno value (positive) with which opening fails, or 0 */
	char wanted[64];       /* what was needed, for example "ABI 1..1"; may be empty */
	char found[64];	       /* what was there instead, for example "ABI 7"; may be empty */
	char text[256];	       /* one English sentence without a full stop */
	uint64_t reserved[15]; /* 0 */
};

/* The name of a code, for example "no-node", or "unknown"; never freed. Since 0.1. */
const char *hf_reason_name(uint32_t code);

#ifdef __cplusplus
}
#endif

#endif
