/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Blocks of one size, some of which are kept: for what must not be lost where there is no memory. */
#ifndef RTRS_LIB_SPARE_H
#define RTRS_LIB_SPARE_H

#include <stddef.h>

#include "shared/attr.h"

struct rtrs_spare_block;

struct rtrs_spare {
	size_t size;
	unsigned int count;
	struct rtrs_spare_block *first;
};

/* -ENOMEM. */
int rtrsi_spare_init(struct rtrs_spare *spare, size_t size) HF_MUST_CHECK HF_NONNULL;
void rtrsi_spare_free(struct rtrs_spare *spare) HF_NONNULL;
/* NULL: even what was kept is in use. */
void *rtrsi_spare_take(struct rtrs_spare *spare) HF_MUST_CHECK HF_NONNULL;
void rtrsi_spare_give(struct rtrs_spare *spare, void *block) HF_NONNULL;

#endif
