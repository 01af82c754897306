/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Devices without a kernel: how a provider declares that a context has no kernel driver, and how it
 * reports events. Included by provider.h. See holdfast-provider-events(7). All of it is in symbol
 * node HOLDFAST_PROVIDER_1.1, since ABI 1 of Holdfast 0.1.
 */
#ifndef HOLDFAST_PROVIDER_EVENTS_H
#define HOLDFAST_PROVIDER_EVENTS_H

#include <holdfast-provider/objects.h>

#ifdef __cplusplus
extern "C" {
#endif

enum hf_no_kernel_flags {
	/*
	 * The reg_mr operation accepts the flags of IBV_ACCESS_OPTIONAL_RANGE; without it they are
	 * dropped.
	 */
	HF_NO_KERNEL_OPTIONAL_ACCESS = 1 << 0,
};

struct hf_no_kernel {
	size_t size;	      /* sizeof(struct hf_no_kernel) */
	uint32_t flags;	      /* enum hf_no_kernel_flags */
	uint32_t num_ports;   /* ports that events are reported about: 1 to 255 */
	int num_comp_vectors; /* number that programs see in the context; at least 1 */
	uint32_t reserved;    /* 0 */
};

/*
 * Declares that the context has no kernel driver. Call it once, in alloc_context or import_context
 * after hf_provider_context_alloc(), instead of hf_provider_get_context(). From then on the core
 * sends nothing to cmd_fd: calls that are kernel commands return EOPNOTSUPP. When this returns, the
 * context has its descriptor for asynchronous events, and programs can create completion channels.
 *
 * 0, EINVAL (also for a context of a kernel driver, or one whose async_fd the provider set),
 * EMFILE, ENFILE, ENOMEM, ENODEV.
 */
int hf_provider_no_kernel(struct verbs_context *context, const struct hf_no_kernel *attr);

/*
 * A descriptor that becomes readable when the device is removed, and stays so; the core owns it
 * until hf_provider_context_uninit(). Only poll it, never read it. -1 if removals are not reported,
 * and for a context that was not declared to have no kernel.
 */
int hf_provider_removal_fd(const struct verbs_context *context);

/* The events of one CQ, SRQ, QP or WQ that were reported and not acknowledged yet. */
struct hf_provider_events;

/*
 * Create it together with an object of a context without a kernel. Programs get the object's
 * address, so it must not move. All memory that reports need is allocated here. NULL with errno
 * ENOMEM or EINVAL. Free it with hf_provider_events_end(), exactly once.
 */
struct hf_provider_events *hf_provider_cq_events(struct ibv_context *context, struct ibv_cq *cq,
						 struct ibv_comp_channel *channel);
struct hf_provider_events *hf_provider_srq_events(struct ibv_context *context, struct ibv_srq *srq);
struct hf_provider_events *hf_provider_qp_events(struct ibv_context *context, struct ibv_qp *qp);
struct hf_provider_events *hf_provider_wq_events(struct ibv_context *context, struct ibv_wq *wq);

/*
 * Report one event. Any thread may call these, also several at a time and while the program reads.
 * A report never blocks and cannot fail for lack of memory; each event is delivered once, unless
 * its object is destroyed before. Reports of one type about one object that were not read yet are
 * counted and delivered together, at the position of the last one.
 *
 * hf_provider_report_completion() is for the CQ's channel, and does nothing for a CQ without one;
 * the provider decides when an armed CQ is reported, and disarms it. The others return EINVAL for a
 * type that the object does not have, or a port that was not declared.
 */
void hf_provider_report_completion(struct hf_provider_events *cq);
int hf_provider_report_event(struct hf_provider_events *events, enum ibv_event_type type);
int hf_provider_report_port(struct ibv_context *context, uint32_t port, enum ibv_event_type type);
/* Not for removal, which the core reports: IBV_EVENT_DEVICE_FATAL is for a device that failed. */
int hf_provider_report_device(struct ibv_context *context, enum ibv_event_type type);

/*
 * The part of a destroy operation that waits: drops the unread events of the object, and returns
 * when the program has acknowledged all that it read; if the device is gone, at most a second
 * later. Frees `events`: no thread may report with it any more, and a report that is running must
 * end before the call. Hold no lock that a thread of the program needs to acknowledge an event.
 */
void hf_provider_events_end(struct hf_provider_events *events);

#ifdef __cplusplus
}
#endif

#endif
