/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The operations of a context: the provider's, or one that returns "not supported". */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

#include "shared/attr.h"
#include "core/verbs/context.h"
#include "core/verbs/cq.h"
#include "core/verbs/operations.h"

typedef void (*any_fn)(void);

enum answer { ERROR, POINTER, NOTHING, ZERO };

static int answer_error(void)
{
	return EOPNOTSUPP;
}

static void *answer_pointer(void)
{
	errno = EOPNOTSUPP;
	return NULL;
}

static void answer_nothing(void)
{
}

static int answer_zero(void)
{
	return 0;
}

/*
 * Called through the slots' own types: these take no arguments and return what the slot's type
 * returns, which every calling convention that has private ABI 34 allows.
 */
static const any_fn answers[] = {
	[ERROR] = (any_fn)answer_error,
	[POINTER] = (any_fn)answer_pointer,
	[NOTHING] = answer_nothing,
	[ZERO] = (any_fn)answer_zero,
};

static int closed_error(void)
{
	errno = EBADF;
	return EBADF;
}

static void *closed_pointer(void)
{
	errno = EBADF;
	return NULL;
}

/* A positive value would be a number of completions. */
static int closed_poll_cq(struct ibv_cq *cq, int num_entries, struct ibv_wc *wc)
{
	(void)cq;
	(void)num_entries;
	(void)wc;
	errno = EBADF;
	return -EBADF;
}

/* The same for a closed context. */
static const any_fn closed_answers[] = {
	[ERROR] = (any_fn)closed_error,
	[POINTER] = (any_fn)closed_pointer,
	[NOTHING] = answer_nothing,
	[ZERO] = (any_fn)answer_zero,
};

#define SLOT(op)	   (offsetof(struct verbs_context_ops, op) / sizeof(any_fn))
#define IN_CONTEXT(member) offsetof(struct verbs_context, member)
#define IN_OPS(member)	   offsetof(struct verbs_context, context.ops.member)
#define NOWHERE		   0 /* query_port is at offset 0 of verbs_context, and is not a provider's */

/*
 * For each operation, by its slot: its default answer, and the member through which programs call
 * it.
 */
static const struct {
	enum answer answer;
	size_t seen_at;
} operations[] = {
	[SLOT(advise_mr)] = {ERROR, IN_CONTEXT(advise_mr)},
	[SLOT(alloc_dm)] = {POINTER, IN_CONTEXT(alloc_dm)},
	[SLOT(alloc_mw)] = {POINTER, IN_OPS(alloc_mw)},
	[SLOT(alloc_null_mr)] = {POINTER, IN_CONTEXT(alloc_null_mr)},
	[SLOT(alloc_parent_domain)] = {POINTER, IN_CONTEXT(alloc_parent_domain)},
	[SLOT(alloc_pd)] = {POINTER, IN_OPS(_compat_alloc_pd)},
	[SLOT(alloc_td)] = {POINTER, IN_CONTEXT(alloc_td)},
	[SLOT(async_event)] = {NOTHING, IN_OPS(_compat_async_event)},
	[SLOT(attach_counters_point_flow)] = {ERROR, IN_CONTEXT(attach_counters_point_flow)},
	[SLOT(attach_mcast)] = {ERROR, IN_OPS(_compat_attach_mcast)},
	[SLOT(bind_mw)] = {ERROR, IN_OPS(bind_mw)},
	[SLOT(close_xrcd)] = {ERROR, IN_CONTEXT(close_xrcd)},
	[SLOT(cq_event)] = {NOTHING, IN_OPS(_compat_cq_event)},
	[SLOT(create_ah)] = {POINTER, IN_OPS(_compat_create_ah)},
	[SLOT(create_counters)] = {POINTER, IN_CONTEXT(create_counters)},
	[SLOT(create_cq)] = {POINTER, IN_OPS(_compat_create_cq)},
	[SLOT(create_cq_ex)] = {POINTER, NOWHERE},
	[SLOT(create_flow)] = {POINTER, IN_CONTEXT(ibv_create_flow)},
	[SLOT(create_flow_action_esp)] = {POINTER, IN_CONTEXT(create_flow_action_esp)},
	[SLOT(create_qp)] = {POINTER, IN_OPS(_compat_create_qp)},
	[SLOT(create_qp_ex)] = {POINTER, IN_CONTEXT(create_qp_ex)},
	[SLOT(create_rwq_ind_table)] = {POINTER, IN_CONTEXT(create_rwq_ind_table)},
	[SLOT(create_srq)] = {POINTER, IN_OPS(_compat_create_srq)},
	[SLOT(create_srq_ex)] = {POINTER, IN_CONTEXT(create_srq_ex)},
	[SLOT(create_wq)] = {POINTER, IN_CONTEXT(create_wq)},
	[SLOT(dealloc_mw)] = {ERROR, IN_OPS(dealloc_mw)},
	[SLOT(dealloc_pd)] = {ERROR, IN_OPS(_compat_dealloc_pd)},
	[SLOT(dealloc_td)] = {ERROR, IN_CONTEXT(dealloc_td)},
	[SLOT(dereg_mr)] = {ERROR, IN_OPS(_compat_dereg_mr)},
	[SLOT(destroy_ah)] = {ERROR, IN_OPS(_compat_destroy_ah)},
	[SLOT(destroy_counters)] = {ERROR, IN_CONTEXT(destroy_counters)},
	[SLOT(destroy_cq)] = {ERROR, IN_OPS(_compat_destroy_cq)},
	[SLOT(destroy_flow)] = {ERROR, IN_CONTEXT(ibv_destroy_flow)},
	[SLOT(destroy_flow_action)] = {ERROR, IN_CONTEXT(destroy_flow_action)},
	[SLOT(destroy_qp)] = {ERROR, IN_OPS(_compat_destroy_qp)},
	[SLOT(destroy_rwq_ind_table)] = {ERROR, IN_CONTEXT(destroy_rwq_ind_table)},
	[SLOT(destroy_srq)] = {ERROR, IN_OPS(_compat_destroy_srq)},
	[SLOT(destroy_wq)] = {ERROR, IN_CONTEXT(destroy_wq)},
	[SLOT(detach_mcast)] = {ERROR, IN_OPS(_compat_detach_mcast)},
	[SLOT(free_context)] = {NOTHING, NOWHERE},
	[SLOT(free_dm)] = {ERROR, IN_CONTEXT(free_dm)},
	[SLOT(get_srq_num)] = {ERROR, IN_CONTEXT(get_srq_num)},
	[SLOT(import_dm)] = {POINTER, NOWHERE},
	[SLOT(import_mr)] = {POINTER, NOWHERE},
	[SLOT(import_pd)] = {POINTER, NOWHERE},
	[SLOT(modify_cq)] = {ERROR, IN_CONTEXT(modify_cq)},
	[SLOT(modify_flow_action_esp)] = {ERROR, IN_CONTEXT(modify_flow_action_esp)},
	[SLOT(modify_qp)] = {ERROR, IN_OPS(_compat_modify_qp)},
	[SLOT(modify_qp_rate_limit)] = {ERROR, IN_CONTEXT(modify_qp_rate_limit)},
	[SLOT(modify_srq)] = {ERROR, IN_OPS(_compat_modify_srq)},
	[SLOT(modify_wq)] = {ERROR, IN_CONTEXT(modify_wq)},
	[SLOT(open_qp)] = {POINTER, IN_CONTEXT(open_qp)},
	[SLOT(open_xrcd)] = {POINTER, IN_CONTEXT(open_xrcd)},
	[SLOT(poll_cq)] = {ERROR, IN_OPS(poll_cq)},
	[SLOT(post_recv)] = {ERROR, IN_OPS(post_recv)},
	[SLOT(post_send)] = {ERROR, IN_OPS(post_send)},
	[SLOT(post_srq_ops)] = {ERROR, IN_CONTEXT(post_srq_ops)},
	[SLOT(post_srq_recv)] = {ERROR, IN_OPS(post_srq_recv)},
	[SLOT(query_device_ex)] = {ERROR, IN_CONTEXT(query_device_ex)},
	[SLOT(query_ece)] = {ERROR, NOWHERE},
	[SLOT(query_port)] = {ERROR, NOWHERE},
	[SLOT(query_qp)] = {ERROR, IN_OPS(_compat_query_qp)},
	[SLOT(query_qp_data_in_order)] = {ZERO, NOWHERE},
	[SLOT(query_rt_values)] = {ERROR, IN_CONTEXT(query_rt_values)},
	[SLOT(query_srq)] = {ERROR, IN_OPS(_compat_query_srq)},
	[SLOT(read_counters)] = {ERROR, IN_CONTEXT(read_counters)},
	[SLOT(reg_dm_mr)] = {POINTER, IN_CONTEXT(reg_dm_mr)},
	[SLOT(reg_dmabuf_mr)] = {POINTER, NOWHERE},
	[SLOT(reg_mr)] = {POINTER, IN_OPS(_compat_reg_mr)},
	[SLOT(req_notify_cq)] = {ERROR, IN_OPS(req_notify_cq)},
	[SLOT(rereg_mr)] = {ERROR, IN_OPS(_compat_rereg_mr)},
	[SLOT(resize_cq)] = {ERROR, IN_OPS(_compat_resize_cq)},
	[SLOT(set_ece)] = {ERROR, NOWHERE},
	[SLOT(unimport_dm)] = {NOTHING, NOWHERE},
	[SLOT(unimport_mr)] = {NOTHING, NOWHERE},
	[SLOT(unimport_pd)] = {NOTHING, NOWHERE},
};

enum { SLOTS = HF_ARRAY_SIZE(operations) };

static_assert(sizeof(struct verbs_context_ops) == SLOTS * sizeof(any_fn), "one row per operation");

static any_fn get_slot(const struct verbs_context_ops *ops, size_t slot)
{
	any_fn fn;

	memcpy(&fn, (const char *)ops + slot * sizeof(fn), sizeof(fn));
	return fn;
}

/* Into the provider's table and the context that programs see. */
static void set_slot(struct verbs_context_ops *ops, struct verbs_context *seen, size_t slot,
		     any_fn fn)
{
	memcpy((char *)ops + slot * sizeof(fn), &fn, sizeof(fn));
	if (operations[slot].seen_at != NOWHERE)
		memcpy((char *)seen + operations[slot].seen_at, &fn, sizeof(fn));
}

/* Binaries older than libibverbs 1.1.8 find the flow calls here. */
static void mirror_flow_calls(struct verbs_context *context)
{
	context->ABI_placeholder1 = (any_fn)context->ibv_create_flow;
	context->ABI_placeholder2 = (any_fn)context->ibv_destroy_flow;
}

/*
 * What the provider called by this thread is to fill. Only this has room for active_speed_ex: a
 * struct that a provider passes itself may be that of rdma-core 48 or older. Static, because a
 * provider passes a struct and no size.
 */
static _Thread_local union hf_port_attr *asked_port;

int hfi_query_port(struct ibv_context *context, uint8_t port, union hf_port_attr *ret)
{
	union hf_port_attr *outer = asked_port;
	int err;

	memset(ret, 0, sizeof(*ret));
	asked_port = ret;
	err = hfi_private_of(context)->ops.query_port(context, port, &ret->attr);
	asked_port = outer;
	/* Linux before 6.10 and providers of older headers state only the older member. */
	if (!err && !ret->active_speed_ex)
		ret->active_speed_ex = ret->attr.active_speed;
	return err;
}

void hfi_take_active_speed_ex(const struct ibv_port_attr *attr, uint32_t speed)
{
	if (asked_port && attr == &asked_port->attr)
		asked_port->active_speed_ex = speed;
}

static int query_port_sized(struct ibv_context *context, uint8_t port, struct ibv_port_attr *attr,
			    size_t size)
{
	union hf_port_attr full;
	int err;

	err = hfi_query_port(context, port, &full);
	if (err)
		return err;
	memset(attr, 0, size);
	memcpy(attr, &full, size < sizeof(full) ? size : sizeof(full));
	return 0;
}

/* What every context starts with, and what it has once it is closed. Built once and then copied. */
struct template
{
	struct verbs_context_ops ops;
	struct verbs_context seen;
};

static struct template open_template, closed_template;
static pthread_once_t filled = PTHREAD_ONCE_INIT;

/* Static because it outlives every context. */
static struct verbs_ex_private closed = {
	.uverbs = {.event_fd = -1, .qp_mask_offset = offsetof(struct verbs_qp, comp_mask)},
	.calls = &hfi_closed_calls,
};

static void fill_template(struct template *template, const any_fn fns[])
{
	for (size_t slot = 0; slot < SLOTS; slot++)
		set_slot(&template->ops, &template->seen, slot, fns[operations[slot].answer]);
	template->seen.query_port = query_port_sized;
	template->seen.create_cq_ex = hfi_create_cq_ex;
	mirror_flow_calls(&template->seen);
}

static void fill(void)
{
	fill_template(&open_template, answers);
	fill_template(&closed_template, closed_answers);
	closed_template.ops.poll_cq = closed_poll_cq;
	closed_template.seen.context.ops.poll_cq = closed_poll_cq;
	hfi_delivered_init(&closed.uverbs.delivered);
	closed.ops = closed_template.ops;
}

/* All members through which programs call; not `priv` and the size, which are the context's own. */
static void copy_seen(struct verbs_context *to, const struct verbs_context *from)
{
	const size_t second = offsetof(struct verbs_context, query_device_ex);

	memcpy(to, from, offsetof(struct verbs_context, priv));
	memcpy((char *)to + second, (const char *)from + second,
	       offsetof(struct verbs_context, _ABI_placeholder3) - second);
	to->context.ops = from->context.ops;
}

bool hfi_operations_have_free(const struct verbs_context *context)
{
	return get_slot(&context->priv->ops, SLOT(free_context)) != answers[NOTHING];
}

bool hfi_operations_have_qp_ex(const struct verbs_context_ops *ops)
{
	return get_slot(ops, SLOT(create_qp_ex)) != answers[POINTER];
}

void hfi_operations_default(struct verbs_context *context)
{
	pthread_once(&filled, fill);
	context->priv->ops = open_template.ops;
	copy_seen(context, &open_template.seen);
}

struct verbs_ex_private *hfi_closed_private(void)
{
	pthread_once(&filled, fill);
	return &closed;
}

void hfi_operations_closed(struct verbs_context *context)
{
	pthread_once(&filled, fill);
	copy_seen(context, &closed_template.seen);
}

static bool have_any(const struct verbs_context_ops *ops, size_t slot)
{
	return get_slot(ops, slot) || get_slot(ops, slot + 1) || get_slot(ops, slot + 2) ||
	       get_slot(ops, slot + 3);
}

void hfi_operations_set(struct verbs_context *context, const struct verbs_context_ops *ops)
{
	enum { TOGETHER = 4 }; /* most of a provider's are NULL */

	static_assert(SLOTS % TOGETHER == 0, "the last ones as well");
	for (size_t i = 0; i < SLOTS; i += TOGETHER) {
		if (!have_any(ops, i))
			continue;
		for (size_t slot = i; slot < i + TOGETHER; slot++) {
			any_fn fn = get_slot(ops, slot);

			if (fn)
				set_slot(&context->priv->ops, context, slot, fn);
		}
	}
	mirror_flow_calls(context);
}

void hfi_later_set(struct verbs_context *context, const struct hf_later_ops *ops, size_t size)
{
	struct hf_later_ops *later = &context->priv->later;

	if (size > sizeof(*later))
		size = sizeof(*later);
	for (size_t at = 0; at + sizeof(any_fn) <= size; at += sizeof(any_fn)) {
		any_fn fn;

		memcpy(&fn, (const char *)ops + at, sizeof(fn));
		if (fn)
			memcpy((char *)later + at, &fn, sizeof(fn));
	}
}
