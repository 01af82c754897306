/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The hints that the sources of a watch have sent and its owner has not taken yet. */
#include <stdlib.h>
#include <utlist.h>

#include "shared/hash.h"
#include "core/notify/hint_queue.h"

/* Handling more hints than this costs more than one full scan. */
enum { HINTS_MAX = 8192 };

struct hf_queued_hint {
	struct hf_hint hint;
	UT_hash_handle hh;
	struct hf_queued_hint *prev, *next;
};

void hfi_hint_queue_clear(struct hf_hint_queue *queue)
{
	struct hf_queued_hint *queued, *next;

	HASH_CLEAR(hh, queue->known);
	DL_FOREACH_SAFE (queue->first, queued, next)
		free(queued);
	queue->first = NULL;
	queue->lost = false;
}

void hfi_hint_queue_lose(struct hf_hint_queue *queue)
{
	hfi_hint_queue_clear(queue);
	queue->lost = true;
}

static void put_kind(struct hf_hint_queue *queue, enum hf_hint_kind kind)
{
	struct hf_hint hint;

	hfi_hint_set(&hint, kind, HF_ROOT_ANY, NULL);
	hfi_hint_queue_put(queue, &hint);
}

void hfi_hint_queue_put(void *arg, const struct hf_hint *hint)
{
	struct hf_hint_queue *queue = arg;
	struct hf_queued_hint *queued;

	/* A full scan is due anyway. */
	if (queue->lost)
		return;
	if (hint->kind == HF_HINT_LOST) {
		hfi_hint_queue_lose(queue);
		return;
	}
	HASH_FIND(hh, queue->known, hint, sizeof(*hint), queued);
	if (queued)
		return;
	if (HASH_COUNT(queue->known) >= HINTS_MAX) {
		/* Nothing was lost, but a full scan is faster than handling the hints one by one. */
		hfi_hint_queue_clear(queue);
		put_kind(queue, HF_HINT_ALL);
		put_kind(queue, HF_HINT_ATTRIBUTES);
		put_kind(queue, HF_HINT_PROVIDERS);
		return;
	}
	queued = malloc(sizeof(*queued));
	if (!queued) {
		hfi_hint_queue_lose(queue);
		return;
	}
	queued->hint = *hint;
	HASH_ADD(hh, queue->known, hint, sizeof(queued->hint), queued);
	if (!hf_hash_added(queued)) {
		free(queued);
		hfi_hint_queue_lose(queue);
		return;
	}
	DL_APPEND(queue->first, queued);
}

bool hfi_hint_queue_pop(struct hf_hint_queue *queue, struct hf_hint *ret)
{
	struct hf_queued_hint *queued = queue->first;

	if (queue->lost) {
		hfi_hint_set(ret, HF_HINT_LOST, HF_ROOT_KERNEL, NULL);
		queue->lost = false;
		return true;
	}
	if (!queued)
		return false;
	*ret = queued->hint;
	HASH_DEL(queue->known, queued);
	DL_DELETE(queue->first, queued);
	free(queued);
	return true;
}

bool hfi_hint_queue_is_empty(const struct hf_hint_queue *queue)
{
	return !queue->first && !queue->lost;
}
