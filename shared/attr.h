/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Macros over attributes of the compiler, and two small ones that every file may want. */
#ifndef HF_SHARED_ATTR_H
#define HF_SHARED_ATTR_H

#include <stddef.h>

#define HF_EXPORT			   __attribute__((visibility("default")))

#define HF_ARRAY_SIZE(a)		   (sizeof(a) / sizeof((a)[0]))

#define hf_container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#endif
