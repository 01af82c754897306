/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Registers provider libraries, and this libibverbs.so.1 itself, with libholdfast. */
#include "compat/private34/private34.h"
#include "core/compat_calls.h"

HF_PRIVATE34 void verbs_register_driver_34(const struct verbs_device_ops *ops);

HF_PRIVATE34 void verbs_register_driver_34(const struct verbs_device_ops *ops)
{
	hf_compat_calls.hfi_compat_register(34, ops);
}

static const char address_in_this_library;

__attribute__((constructor)) static void attach(void)
{
	hf_compat_calls.hfi_compat_shim(&address_in_this_library);
}

__attribute__((destructor)) static void detach(void)
{
	hf_compat_calls.hfi_compat_shim(NULL);
}
