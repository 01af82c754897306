/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* holdfast soft: shared by its subcommands. */
#ifndef HF_TOOLS_SOFT_H
#define HF_TOOLS_SOFT_H

#include "shared/json.h"
#include "tools/common.h"

/* The tree that the subcommands change. */
struct hf_soft_place {
	char *sysfs;
	int tree; /* its open directory; -1: there is none */
	int lock;
};

/*
 * Finds the tree: that of --root or HOLDFAST_ROOTS, or the soft root of this user; with `make` it is made if it
 * is missing. Returns an exit status, after printing an error.
 */
int hfi_soft_place_open(const struct hf_tool *tool, bool make, struct hf_soft_place *ret);
void hfi_soft_place_close(struct hf_soft_place *place);

int hfi_soft_add(const struct hf_tool *tool, const char *name);
int hfi_soft_del(const struct hf_tool *tool, const char *name);
int hfi_soft_list(const struct hf_tool *tool);

/* Whether "holdfast soft add" made the device: it says by which path the device's peers are reached. */
bool hfi_soft_is_ours(struct ibv_device *device, char *path, size_t size);

/* Writes a soft device as a JSON object. */
void hfi_soft_json(struct hf_json *json, const char *key, struct ibv_device *device,
		   const struct hf_device_info *info);

#endif
