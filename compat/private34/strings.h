/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Private ABI 34: names of enumerators. */
#ifndef HF_COMPAT_PRIVATE34_STRINGS_H
#define HF_COMPAT_PRIVATE34_STRINGS_H

#include "compat/private34/private34.h"

const char *ibv_wr_opcode_str(enum ibv_wr_opcode opcode);

#endif
