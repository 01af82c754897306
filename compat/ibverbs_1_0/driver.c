/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compat/libibverbs/forward.h"

/* Drivers of 2006 called it when they were loaded. Programs may still be linked to it. */
void old_ibv_register_driver(const char *name, void *init);
HF_SYMVER(old_ibv_register_driver, "ibv_register_driver@IBVERBS_1.1")
HF_EXPORT void old_ibv_register_driver(const char *name, void *init)
{
	(void)name;
	(void)init;
}
