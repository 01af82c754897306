/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Fork safety that the environment asks for. */
#ifndef HF_FORKSAFE_FORK_H
#define HF_FORKSAFE_FORK_H

/* Switches protection on if the environment asks for it. Only the first call has an effect. */
void hfi_fork_from_environment(void);

#endif
