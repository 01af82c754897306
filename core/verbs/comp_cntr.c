/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Completion counters, which only some providers have. */
#include <errno.h>
#include <string.h>

#include "shared/attr.h"
#include "core/verbs/context.h"

/*
 * Calls the provider's operation with these arguments. EOPNOTSUPP if there is none, EBADF on a
 * closed context.
 */
#define CALL(context, op, ...)                                            \
	({                                                                \
		const struct hf_later_ops *later = hfi_later_of(context); \
		int ret = later ? EOPNOTSUPP : EBADF;                     \
                                                                          \
		if (later && later->op)                                   \
			ret = later->op(__VA_ARGS__);                     \
		ret;                                                      \
	})

HF_EXPORT int _ibv_query_comp_cntr_caps(struct ibv_context *context,
					struct ibv_comp_cntr_caps *caps, size_t size)
{
	memset(caps, 0, size);
	return CALL(context, query_comp_cntr_caps, context, caps, size);
}

HF_EXPORT struct ibv_comp_cntr *ibv_create_comp_cntr(struct ibv_context *context,
						     struct ibv_comp_cntr_init_attr *attr)
{
	const struct hf_later_ops *later = hfi_later_of(context);
	struct ibv_comp_cntr *counter;

	if (!later)
		return NULL;
	if (!later->create_comp_cntr) {
		errno = EOPNOTSUPP;
		return NULL;
	}
	counter = later->create_comp_cntr(context, attr);
	if (counter)
		counter->context = context;
	return counter;
}

HF_EXPORT int ibv_destroy_comp_cntr(struct ibv_comp_cntr *counter)
{
	return CALL(counter->context, destroy_comp_cntr, counter);
}

HF_EXPORT int ibv_set_comp_cntr(struct ibv_comp_cntr *counter, uint64_t value)
{
	return CALL(counter->context, set_comp_cntr, counter, value);
}

HF_EXPORT int ibv_set_err_comp_cntr(struct ibv_comp_cntr *counter, uint64_t value)
{
	return CALL(counter->context, set_err_comp_cntr, counter, value);
}

HF_EXPORT int ibv_inc_comp_cntr(struct ibv_comp_cntr *counter, uint64_t amount)
{
	return CALL(counter->context, inc_comp_cntr, counter, amount);
}

HF_EXPORT int ibv_inc_err_comp_cntr(struct ibv_comp_cntr *counter, uint64_t amount)
{
	return CALL(counter->context, inc_err_comp_cntr, counter, amount);
}

HF_EXPORT int ibv_read_comp_cntr(struct ibv_comp_cntr *counter, uint64_t *value)
{
	return CALL(counter->context, read_comp_cntr, counter, value);
}

HF_EXPORT int ibv_read_err_comp_cntr(struct ibv_comp_cntr *counter, uint64_t *value)
{
	return CALL(counter->context, read_err_comp_cntr, counter, value);
}

HF_EXPORT int ibv_qp_attach_comp_cntr(struct ibv_qp *qp, struct ibv_comp_cntr *counter,
				      struct ibv_qp_attach_comp_cntr_attr *attr)
{
	return CALL(qp->context, qp_attach_comp_cntr, qp, counter, attr);
}
