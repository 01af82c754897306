/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by the provider "objects" and its tests. */
#ifndef HF_TEST_OBJECTS_H
#define HF_TEST_OBJECTS_H

#include <stdint.h>

#define OBJECTS_BAD UINT64_C(0xbad)
enum { OBJECTS_INLINE = 77, OBJECTS_SRQ_WR = 55 };

#endif
