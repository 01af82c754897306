/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reasons why a device or provider cannot be used: name, errno and text of each. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "shared/attr.h"
#include "core/base/reason.h"

static const struct {
	const char *name;
	int error;
} codes[] = {
	[HF_REASON_NONE] = {"none", 0},
	[HF_REASON_GONE] = {"gone", ENODEV},
	[HF_REASON_HALF_MADE] = {"half-made", ENODEV},
	[HF_REASON_NO_NODE] = {"no-node", ENOENT},
	[HF_REASON_NODE_PERMISSION] = {"node-permission", EACCES},
	[HF_REASON_NODE_MISMATCH] = {"node-mismatch", ENXIO},
	[HF_REASON_OTHER_NETNS] = {"other-netns", ENXIO},
	[HF_REASON_NO_PROVIDER] = {"no-provider", ENOSYS},
	[HF_REASON_FILE_MISSING] = {"file-missing", ENOSYS},
	[HF_REASON_ABI] = {"abi", ENOSYS},
	[HF_REASON_UNSAFE] = {"unsafe", ENOSYS},
	[HF_REASON_LOAD] = {"load", ENOSYS},
	[HF_REASON_KERNEL_ABI] = {"kernel-abi", EPROTO},
	[HF_REASON_BAD_MANIFEST] = {"bad-manifest", ENOSYS},
	[HF_REASON_PROVIDER_FAILED] = {"provider-failed", ENOSYS},
};

HF_EXPORT const char *hf_reason_name(uint32_t code)
{
	if (code >= HF_ARRAY_SIZE(codes))
		return "unknown";
	return codes[code].name;
}

int hfi_reason_error(enum hf_reason_code code)
{
	return codes[code].error;
}

void hfi_reason_set(struct hf_reason *reason, enum hf_reason_code code, const char *wanted,
		    const char *found, const char *format, ...)
{
	va_list args;

	memset(reason, 0, sizeof(*reason));
	reason->code = code;
	reason->error = hfi_reason_error(code);
	snprintf(reason->wanted, sizeof(reason->wanted), "%s", wanted ? wanted : "");
	snprintf(reason->found, sizeof(reason->found), "%s", found ? found : "");
	va_start(args, format);
	vsnprintf(reason->text, sizeof(reason->text), format, args);
	va_end(args);
}
