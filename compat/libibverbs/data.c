/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Variables that libibverbs exports. */
#include "compat/private34/private34.h"

/*
 * Providers read it to decide whether a destroy that the kernel answers with EIO counts as success.
 * In Holdfast it always does, so the value is always true.
 */
extern const bool verbs_allow_disassociate_destroy;
HF_IN_ALL(verbs_allow_disassociate_destroy)
const bool verbs_allow_disassociate_destroy = true;
