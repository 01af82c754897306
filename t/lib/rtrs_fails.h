/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Calls that fail once, for tests in which the linker has librtrs call functions of theirs. */
#ifndef HF_TEST_RTRS_FAILS_H
#define HF_TEST_RTRS_FAILS_H

#include <stdbool.h>

extern unsigned long rtrs_calls, rtrs_fails_at; /* 0: nothing fails */
extern const char *rtrs_failed;			/* the name of what has; NULL: nothing */

/* Whether this is the call; errno is set then. */
bool rtrs_fails_now(const char *name, int error);

/* The linker's names. */
#define RTRS_WRAP(result, name, error, failure, parameters, arguments)                     \
	result __real_##name parameters;                                                   \
	result __wrap_##name parameters;                                                   \
	result __wrap_##name parameters                                                    \
	{                                                                                  \
		return rtrs_fails_now(#name, error) ? (failure) : __real_##name arguments; \
	}

/* Objects of verbs that exist. */
extern long rtrs_verbs_objects;

#endif
