/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compat/private34/private34.h"

/*
 * A provider reads it to decide whether a destroy that the kernel answers with EIO has succeeded.
 * Here every such destroy does (contract 6), so it is never false.
 */
extern const bool verbs_allow_disassociate_destroy;
HF_PRIVATE34 const bool verbs_allow_disassociate_destroy = true;
