/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The operations of a context: the provider's, and the answer of "not supported" for the rest. */
#ifndef HF_VERBS_OPERATIONS_H
#define HF_VERBS_OPERATIONS_H

#include <holdfast-provider/provider.h>

/*
 * What a provider is given to fill. One that was built with newer headers knows of more members at the
 * end, as those of rdma-core 49; what it writes there goes on to a program that knows of them as well.
 */
union hf_port_attr {
	struct ibv_port_attr attr;
	unsigned char room[128];
};

/* Every operation answers as documented for a provider that has none of them. */
void hfi_operations_default(struct verbs_context *context);

/* Installs those that are not NULL, also where programs call them directly. */
void hfi_operations_set(struct verbs_context *context, const struct verbs_context_ops *ops);

#endif
