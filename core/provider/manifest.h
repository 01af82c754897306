/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Manifests: the text files that say which devices a provider matches and which ABI it has. */
#ifndef HF_PROVIDER_MANIFEST_H
#define HF_PROVIDER_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/reason.h>

#include "shared/attr.h"

enum { HF_PATH_MAX = 256, HF_MANIFEST_MAX = 65536, HF_MANIFEST_RULES_MAX = 1024 };

/* EITHER: libibverbs' kind, a modalias or "rdma_device:N" and the name; not in manifests. */
enum hf_rule_kind { HF_RULE_DRIVER_ID, HF_RULE_NAME, HF_RULE_MODALIAS, HF_RULE_EITHER };

struct hf_rule {
	enum hf_rule_kind kind;
	uint32_t driver_id;
	char *pattern; /* fnmatch(3) pattern of all but DRIVER_ID */
};

struct hf_manifest {
	char path[HF_PATH_MAX];
	char file[HF_PATH_MAX]; /* of the library, full path */
	char name[64];
	char version[32];
	uint32_t abi;
	uint32_t kernel_abi_min;
	uint32_t kernel_abi_max;
	struct hf_rule *rules;
	size_t num_rules;
};

/*
 * Parses `text` (size bytes, no NUL needed). `path` is the manifest's own; `file` is resolved beside
 * it. 0, or -EINVAL with *reason saying which line, or -ENOMEM.
 */
int hfi_manifest_parse(const char *path, const char *text, size_t size, struct hf_manifest *ret,
		       struct hf_reason *reason) HF_MUST_CHECK HF_NONNULL;
void hfi_manifest_clear(struct hf_manifest *manifest) HF_NONNULL;

#endif
