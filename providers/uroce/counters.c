/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The device's counters. Each QP and each wire counts for itself, which costs the paths no lock; the engine thread
 * adds up what its context has counted once a second while there is traffic, and at the end, and writes the files.
 */
#include <inttypes.h>
#include <stdio.h>

#include <holdfast/device.h>

#include "providers/uroce/qp.h"
#include "providers/uroce/wire.h"

enum { WRITE_NS = 1000000000 };

_Static_assert((int)UROCE_COUNT_TRANSPORT == HF_SOFT_DROP_SIZE, "the transport's are the first");
_Static_assert((int)HF_SOFT_COUNTER_COUNT <= (int)UROCE_DEVICE_COUNTERS, "they fit");
_Static_assert((int)HF_SOFT_DIRECT_REQUESTS + (int)UROCE_QP_COUNTS == (int)HF_SOFT_COUNTER_COUNT,
	       "the QPs' are the last");

static void add_qp(uint64_t *to, const struct uroce_qp *qp)
{
	for (int i = 0; i < UROCE_QP_COUNTS; i++)
		to[i] += atomic_load_explicit(&qp->counts[i], memory_order_relaxed);
}

void uroce_counters_keep(struct uroce_context *context, const struct uroce_qp *qp)
{
	add_qp(context->counted_by_ended, qp);
}

static void count_qps(struct uroce_context *context, uint64_t *all)
{
	uint64_t *to = &all[HF_SOFT_DIRECT_REQUESTS];

	pthread_mutex_lock(&context->lock);
	for (int i = 0; i < UROCE_QP_COUNTS; i++)
		to[i] = context->counted_by_ended[i];
	for (uint32_t i = 0; i < context->qps_end; i++)
		if (context->qps[i])
			add_qp(to, context->qps[i]);
	pthread_mutex_unlock(&context->lock);
}

/* Not at once: receive_lock comes before the lock of a QP, and the other one after it. */
static void count_wire(struct uroce_context *context, uint64_t *all)
{
	struct uroce_wire *wire = __atomic_load_n(&context->wire, __ATOMIC_ACQUIRE);

	if (!wire)
		return;
	pthread_mutex_lock(&wire->receive_lock);
	all[HF_SOFT_DROP_SIZE] = wire->bad_size;
	all[HF_SOFT_DROP_ICRC] = wire->bad_icrc;
	all[HF_SOFT_DROP_HEADER] = wire->bad_header;
	all[HF_SOFT_DROP_NO_QP] = wire->no_qp;
	all[HF_SOFT_DROP_ADDRESS] = wire->bad_address;
	all[HF_SOFT_HANDED_OVER] = wire->relayed;
	pthread_mutex_unlock(&wire->receive_lock);
	pthread_mutex_lock(&wire->lock);
	for (int i = 0; i < UROCE_COUNT_TRANSPORT; i++)
		all[i] = wire->counters[i];
	all[HF_SOFT_NOT_SENT] = wire->batch.refused;
	pthread_mutex_unlock(&wire->lock);
}

/* What the device's total has grown to, in decimal digits: it never gets shorter. */
static int write_counter(struct uroce_context *context, int i)
{
	char path[96], text[24];
	uint64_t value;

	snprintf(path, sizeof(path), "ports/1/hw_counters/%s", hfi_soft_counters[i]);
	do {
		value = atomic_load(&context->segment->counters[i]);
		snprintf(text, sizeof(text), "%" PRIu64 "\n", value);
		if (hf_device_write_attr(context->verbs.context.device, path, text) < 0)
			return -1;
		/* Another process may have written less after more. */
	} while (value != atomic_load(&context->segment->counters[i]));
	return 0;
}

void uroce_counters_write(struct uroce_context *context)
{
	uint64_t all[HF_SOFT_COUNTER_COUNT] = {0};

	/* What is counted from now on is for the next time. */
	atomic_store(&context->counting, false);
	context->write_at = UROCE_NEVER;
	count_wire(context, all);
	count_qps(context, all);
	all[HF_SOFT_WIRE_QPS] = atomic_load(&context->wire_qps);
	all[HF_SOFT_DIRECT_QPS] = atomic_load(&context->direct_qps);
	for (int i = 0; i < HF_SOFT_COUNTER_COUNT; i++) {
		const uint64_t more = all[i] - context->told[i];

		if (!more)
			continue;
		context->told[i] = all[i];
		atomic_fetch_add(&context->segment->counters[i], more);
		/* A device that is gone has no files any more. */
		if (!atomic_load(&context->gone))
			write_counter(context, i);
	}
}

void uroce_counters_begin(struct uroce_context *context)
{
	if (!atomic_exchange(&context->counting, true) &&
	    !pthread_equal(pthread_self(), context->thread))
		uroce_peer_ring(context, &context->own, UROCE_RING_PROGRESS);
}

uint64_t uroce_counters_deadline(struct uroce_context *context, uint64_t now)
{
	if (!atomic_load(&context->counting))
		return UROCE_NEVER;
	if (context->write_at == UROCE_NEVER)
		context->write_at = now + WRITE_NS;
	return context->write_at;
}
