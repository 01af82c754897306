/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Text from outside, printed so that it does nothing to a terminal. */
#ifndef HF_SHARED_PRINTED_H
#define HF_SHARED_PRINTED_H

#include <stdbool.h>
#include <stdio.h>

/* Bytes that are not printable in the locale become \xNN. */
void hfi_put_safe(FILE *file, const char *text);
/* True if hfi_put_safe() prints all of it as it is. */
bool hfi_is_printed_whole(const char *text);

#endif
