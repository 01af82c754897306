/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Threads for work that may wait for a disk. */
#ifndef RTRS_EXPORT_POOL_H
#define RTRS_EXPORT_POOL_H

#include "shared/attr.h"

struct rtrs_task {
	struct rtrs_task *next;
	void (*run)(struct rtrs_task *task);
};

struct rtrs_pool;

int rtrsi_pool_new(unsigned int threads, struct rtrs_pool **ret) HF_MUST_CHECK HF_NONNULL;
/* In order of their coming, as threads are free. */
void rtrsi_pool_add(struct rtrs_pool *pool, struct rtrs_task *task) HF_NONNULL;
/* Work that was added is finished first. */
void rtrsi_pool_free(struct rtrs_pool *pool);

#endif
