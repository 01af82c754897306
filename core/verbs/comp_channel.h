/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Completion channels of a context. */
#ifndef HF_VERBS_COMP_CHANNEL_H
#define HF_VERBS_COMP_CHANNEL_H

#include <holdfast-provider/provider.h>

struct hfi_event_queue;

/* The queue that completion events of a context without a kernel are reported to. */
struct hfi_event_queue *hfi_channel_queue(struct ibv_comp_channel *channel);

/* Ends the channels that the program did not destroy: their descriptors would keep the device. */
void hfi_channels_end(struct verbs_context *context);

#endif
