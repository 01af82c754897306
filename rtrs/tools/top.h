/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The rates of each path, from one measurement to the next. */
#ifndef RTRS_TOOLS_TOP_H
#define RTRS_TOOLS_TOP_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/attr.h"

/* Until `looks` times, or without end where that is 0. -errno of the directory. */
int rtrsi_top(int place, int64_t interval_ms, uint64_t looks, bool is_json) HF_MUST_CHECK;

#endif
