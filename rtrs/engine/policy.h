/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which path a request takes. */
#ifndef RTRS_ENGINE_POLICY_H
#define RTRS_ENGINE_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"

enum { RTRS_PATHS_MAX = 128 };

enum rtrs_policy { RTRS_ROUND_ROBIN = 0, RTRS_MIN_INFLIGHT = 1, RTRS_MIN_LATENCY = 2 };

struct rtrs_candidate {
	bool usable; /* connected, and not tried for this request yet */
	uint32_t inflight;
	int64_t latency_ns; /* 0: not known, and so the least */
};

/*
 * The index of a usable one; -ECONNABORTED: there is none. Of equal ones the first is taken. `cursor` is what
 * round robin took last; all policies set it.
 */
int rtrsi_policy_choose(enum rtrs_policy policy, const struct rtrs_candidate *candidates,
			size_t count, size_t *cursor) HF_MUST_CHECK HF_NONNULL;

/* "min-inflight (MI: 1)"; -EINVAL: no such policy. */
int rtrsi_policy_print(enum rtrs_policy policy, char *to, size_t size) HF_MUST_CHECK HF_NONNULL;
/* A number, name or abbreviation, in capitals or not, without space around it. -EINVAL. */
int rtrsi_policy_parse(const char *text, enum rtrs_policy *ret) HF_MUST_CHECK HF_NONNULL;

#endif
