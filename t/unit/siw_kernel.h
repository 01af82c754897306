/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The kernel driver siw, as its provider sees it: the core's calls make queues in a file, which the
 * provider maps and these tests have mapped as well.
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
	char *memory; /* all of the file */
	uint64_t used;
	unsigned int rung, objects;
	int ring_answer;
	uint32_t odd; /* added to each size that is answered */
};

extern struct kernel kernel;

/* For cmocka: a new file before each test. */
int kernel_set_up(void **state);
int kernel_tear_down(void **state);

/* The queue that was made last but `back`, as the kernel has it. */
void *kernel_queue(unsigned int back);

#endif
