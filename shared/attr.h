/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Macros over attributes of the compiler, and two small ones that every file may want. */
#ifndef HF_SHARED_ATTR_H
#define HF_SHARED_ATTR_H

#include <stddef.h>

#define HF_EXPORT __attribute__((visibility("default")))

/* A large frame that its caller must not have on the stack while it calls others. */
#define HF_NOINLINE __attribute__((noinline))

/* Of functions: the result says whether it worked; no argument, or none of these, may be NULL. */
#define HF_MUST_CHECK			   __attribute__((warn_unused_result))
#define HF_NONNULL			   __attribute__((nonnull))
#define HF_NONNULL_OF(...)		   __attribute__((nonnull(__VA_ARGS__)))

#define HF_ARRAY_SIZE(a)		   (sizeof(a) / sizeof((a)[0]))

#define hf_container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#endif
