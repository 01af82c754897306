/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the fuzz targets share. Each is linked with libFuzzer, or with replay.c in ordinary builds. */
#ifndef HF_FUZZ_H
#define HF_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names the directory of seeds. */
extern const char fuzz_name[];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise that the input broke. Aborts, so that both engines keep the input. */
#define fuzz_check(condition)                                                           \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                        \
		}                                                                       \
	} while (0)

/* 1 when the array holds a NUL. */
#define fuzz_is_string(array) (memchr((array), '\0', sizeof(array)) != NULL)

/* Outputs are to be untouched on failure: fill first, compare after. */
static inline void fuzz_fill(void *object, size_t size)
{
	memset(object, 0xa5, size);
}

static inline int fuzz_untouched(const void *object, size_t size)
{
	const uint8_t *bytes = object;

	for (size_t i = 0; i < size; i++) {
		if (bytes[i] != 0xa5)
			return 0;
	}
	return 1;
}

/* The input in memory of just its size, so that AddressSanitizer sees each byte read beyond. */
static inline uint8_t *fuzz_copy(const uint8_t *data, size_t size)
{
	uint8_t *copy = calloc(1, size ? size : 1);

	if (!copy)
		abort();
	if (size)
		memcpy(copy, data, size);
	return copy;
}

#endif
