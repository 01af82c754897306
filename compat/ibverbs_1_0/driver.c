/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* ibv_register_driver() of IBVERBS_1.1, which does nothing. */
#include "compat/libibverbs/forward.h"

/* Providers called it at load until rdma-core changed the scheme. Old binaries may import it. */
void v1_0_ibv_register_driver(const char *name, void *init);
HF_SYMVER(v1_0_ibv_register_driver, "ibv_register_driver@IBVERBS_1.1")
HF_EXPORT void v1_0_ibv_register_driver(const char *name, void *init)
{
	(void)name;
	(void)init;
}
