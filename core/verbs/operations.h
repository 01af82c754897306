/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The operations of a context: the provider's, and the answer of "not supported" for the rest. */
#ifndef HF_VERBS_OPERATIONS_H
#define HF_VERBS_OPERATIONS_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast-provider/provider.h>

#include "shared/attr.h"

/*
 * The struct that a provider fills. A provider built with newer headers knows more members at its
 * end, such as those of rdma-core 49; what it writes there is passed to programs that know them.
 */
union hf_port_attr {
	struct ibv_port_attr attr;
	struct {
		unsigned char older[52]; /* all that struct ibv_port_attr has before rdma-core 49 */
		uint32_t active_speed_ex;
	};
	unsigned char room[128];
};

static_assert(offsetof(union hf_port_attr, active_speed_ex) == 52, "where rdma-core 49 has it");

/* The provider's operation, with a zeroed *ret. 0 or a positive errno value. */
int hfi_query_port(struct ibv_context *context, uint8_t port,
		   union hf_port_attr *ret) HF_MUST_CHECK HF_NONNULL;

/*
 * Stores the kernel's value if `attr` is the struct that this thread passed to a provider in
 * hfi_query_port().
 */
void hfi_take_active_speed_ex(const struct ibv_port_attr *attr, uint32_t speed) HF_NONNULL;

/* Sets every operation to what is documented for a provider that does not have it. */
void hfi_operations_default(struct verbs_context *context);

/*
 * Sets every operation to fail with EBADF: the context is closed. The caller handles what providers
 * may still call.
 */
void hfi_operations_closed(struct verbs_context *context);

/* The private part of a closed context: every operation returns EBADF. */
struct verbs_ex_private *hfi_closed_private(void) __attribute__((returns_nonnull));

/* Has the provider set free_context? */
bool hfi_operations_have_free(const struct verbs_context *context) HF_MUST_CHECK HF_NONNULL;

/* Can its provider make a QP that is a struct ibv_qp_ex? */
bool hfi_operations_have_qp_ex(const struct verbs_context_ops *ops) HF_MUST_CHECK HF_NONNULL;

/* The same for the operations since libibverbs 1.15, in a struct of that size. */
void hfi_later_set(struct verbs_context *context, const struct hf_later_ops *ops, size_t size);

/* Installs those that are not NULL, including where programs call them directly. */
void hfi_operations_set(struct verbs_context *context, const struct verbs_context_ops *ops);

#endif
