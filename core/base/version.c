/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The version of the library. */
#include <holdfast/holdfast.h>

#include "config.h"
#include "shared/attr.h"

HF_EXPORT const char *hf_version(void)
{
	return PACKAGE_VERSION;
}
