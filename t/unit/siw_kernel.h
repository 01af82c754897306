/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The siw kernel driver as its provider sees it: commands create queues in a file that both the
 * provider and the tests map.
 */
#ifndef HF_TEST_SIW_KERNEL_H
#define HF_TEST_SIW_KERNEL_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "providers/siw/siw.h"

enum { FILE_SIZE = 1 << 18 };

struct kernel {
	struct ibv_context context;
	char *memory; /* size of the file so far */
	uint64_t used;
	unsigned int rung, objects;
	int ring_answer;
	uint32_t odd; /* added to each size that is returned */
};

extern struct kernel kernel;

/* For cmocka: creates a new file before each test. */
int kernel_set_up(void **state);
int kernel_tear_down(void **state);

/* The kernel's mapping of the queue that was created last, or `back` queues earlier. */
void *kernel_queue(unsigned int back);

#endif
