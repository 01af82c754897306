/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Registers provider libraries, and this libibverbs.so.1 itself, with libholdfast. */
#include "compat/private34/private34.h"
#include "core/compat_calls.h"

#define REGISTER(abi)                                                                   \
	HF_IN_ONE void verbs_register_driver_##abi(const struct verbs_device_ops *ops); \
	HF_IN_ONE void verbs_register_driver_##abi(const struct verbs_device_ops *ops)  \
	{                                                                               \
		hf_compat_calls.hfi_compat_register(abi, ops);                          \
	}

REGISTER(34)
REGISTER(57)
REGISTER(59)
REGISTER(64)
REGISTER(65)

static const char address_in_this_library;

__attribute__((constructor)) static void attach(void)
{
	hf_compat_calls.hfi_compat_shim(&address_in_this_library);
}

__attribute__((destructor)) static void detach(void)
{
	hf_compat_calls.hfi_compat_shim(NULL);
}
