/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a foreign library says it matches, as text: so it comes from the process that looks, and so
 * it is kept. A block is
 *
 *	driver NAME MIN MAX	range of kernel ABIs
 *	asks			its code has the last word on each device
 *	id N			\
 *	pci VENDOR DEVICE	 | hexadecimal; in any number, in any order
 *	alias PATTERN		/
 *	file PATH		where the loader found it, when it was asked by a bare name
 *	error TEXT		instead of all that: it was refused
 *	end
 */
#ifndef HF_FOREIGN_TABLES_H
#define HF_FOREIGN_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <holdfast-provider/objects.h>

#include "shared/attr.h"
#include "core/provider/manifest.h"

struct hf_tables {
	char name[64];
	uint32_t abi_min, abi_max;
	bool asks;
	struct hf_rule *rules;
	size_t num_rules;
	char file[HF_PATH_MAX];
	char error[200]; /* not empty: refused */
};

/*
 * Parses the block at *text, which ends with a NUL, and moves *text behind it. 0; -EINVAL for what is
 * no whole block, and then *text and *ret are untouched; -ENOMEM.
 */
int hfi_tables_parse(const char **text, struct hf_tables *ret) HF_MUST_CHECK HF_NONNULL;

/* Copies the tables of a loaded library, which may be invalid. -EINVAL, -ENOMEM. */
int hfi_tables_take(const struct verbs_device_ops *ops,
		    struct hf_tables *ret) HF_MUST_CHECK HF_NONNULL;

/* Writes a block; -EIO. */
int hfi_tables_print(const struct hf_tables *tables, FILE *to) HF_NONNULL;

void hfi_tables_clear(struct hf_tables *tables) HF_NONNULL;

#endif
