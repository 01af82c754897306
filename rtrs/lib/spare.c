/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A list of blocks that are not in use. */
#include <errno.h>
#include <stdlib.h>

#include "rtrs/lib/spare.h"

enum { SPARE_BLOCKS = 8 };

struct rtrs_spare_block {
	struct rtrs_spare_block *next;
};

int rtrsi_spare_init(struct rtrs_spare *spare, size_t size)
{
	*spare = (struct rtrs_spare){.size = size};
	while (spare->count < SPARE_BLOCKS) {
		void *block = malloc(size);

		if (!block) {
			rtrsi_spare_free(spare);
			return -ENOMEM;
		}
		rtrsi_spare_give(spare, block);
	}
	return 0;
}

void rtrsi_spare_free(struct rtrs_spare *spare)
{
	struct rtrs_spare_block *block;

	while ((block = spare->first)) {
		spare->first = block->next;
		free(block);
	}
	spare->count = 0;
}

void *rtrsi_spare_take(struct rtrs_spare *spare)
{
	struct rtrs_spare_block *block = spare->first;

	if (!block)
		return malloc(spare->size);
	spare->first = block->next;
	spare->count--;
	return block;
}

void rtrsi_spare_give(struct rtrs_spare *spare, void *block)
{
	struct rtrs_spare_block *given = block;

	if (spare->count >= SPARE_BLOCKS) {
		free(block);
		return;
	}
	given->next = spare->first;
	spare->first = given;
	spare->count++;
}
