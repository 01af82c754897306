/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The version of librtrs. */
#include <rtrs/rtrs.h>

#include "config.h"
#include "shared/attr.h"

HF_EXPORT const char *rtrs_version(void)
{
	return PACKAGE_VERSION;
}
