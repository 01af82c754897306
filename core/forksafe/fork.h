/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef HF_FORKSAFE_FORK_H
#define HF_FORKSAFE_FORK_H

/* Switches protection on where the environment asks for it; the first call counts. */
void hfi_fork_from_environment(void);

#endif
