/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Defines a versioned symbol of libibverbs that calls libholdfast's function of the same name. */
#ifndef HF_COMPAT_LIBIBVERBS_FORWARD_H
#define HF_COMPAT_LIBIBVERBS_FORWARD_H

#include <infiniband/verbs.h>

#include "shared/attr.h"
#include "core/compat_calls.h"

/* Exports `symbol` under a versioned name, such as "ibv_reg_mr@@IBVERBS_1.1". */
#if defined(__has_attribute)
#if __has_attribute(__symver__)
#define HF_SYMVER(symbol, version) __attribute__((__symver__(version)))
#endif
#endif
#ifndef HF_SYMVER
#define HF_SYMVER(symbol, version) __asm__(".symver " #symbol "," version);
#endif

#define HF_FORWARD(node, ret, name, parameters, arguments) \
	extern __typeof__(name) shim_##name;               \
	HF_SYMVER(shim_##name, #name "@@IBVERBS_" #node)   \
	HF_EXPORT ret shim_##name parameters               \
	{                                                  \
		return hf_compat_calls.name arguments;     \
	}

#endif
