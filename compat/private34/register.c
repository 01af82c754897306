/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* How the shim and the core, and libraries and the core, get to know of each other. */
#include "compat/private34/private34.h"
#include "core/compat_calls.h"

HF_PRIVATE34 void verbs_register_driver_34(const struct verbs_device_ops *ops);

HF_PRIVATE34 void verbs_register_driver_34(const struct verbs_device_ops *ops)
{
	hf_compat_calls.hfi_compat_register(34, ops);
}

static const char within;

__attribute__((constructor)) static void attach(void)
{
	hf_compat_calls.hfi_compat_shim(&within);
}

__attribute__((destructor)) static void detach(void)
{
	hf_compat_calls.hfi_compat_shim(NULL);
}
