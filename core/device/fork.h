/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef HF_DEVICE_FORK_H
#define HF_DEVICE_FORK_H

struct hf;

/* Between these two, a fork of the process takes the context along in one piece. */
void hfi_process_add(struct hf *hf);
void hfi_process_remove(struct hf *hf);

#endif
