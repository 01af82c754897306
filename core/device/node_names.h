/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which nodes are there: the names of their directory, read once for all devices of a scan. */
#ifndef HF_DEVICE_NODE_NAMES_H
#define HF_DEVICE_NODE_NAMES_H

#include <stdbool.h>

#include "shared/attr.h"

struct hf_node_names;

/* NULL if they cannot be read, or without memory. */
struct hf_node_names *hfi_node_names_read(int dir) HF_MUST_CHECK;
void hfi_node_names_free(struct hf_node_names *names);

/* False for NULL, and where only a look at the node can tell. */
bool hfi_node_names_have(const struct hf_node_names *names, const char *uverbs) HF_NONNULL_OF(2);

#endif
