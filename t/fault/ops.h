/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Every operation that is tested; the arrays end with an entry without a name. */
#ifndef HF_FAULT_OPS_H
#define HF_FAULT_OPS_H

#include "t/fault/run.h"

extern const struct op ops_list[];
extern const struct op ops_device[];
extern const struct op ops_open[];
extern const struct op ops_events[];
extern const struct op ops_stream[];
extern const struct op ops_broken[]; /* wrong on purpose, to prove that it is found */

#endif
