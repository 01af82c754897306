/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Protection from fork, as enabled by the environment. */
#ifndef HF_FORKSAFE_FORK_H
#define HF_FORKSAFE_FORK_H

/* Enables protection if the environment requests it. Only the first call has an effect. */
void hfi_fork_from_environment(void);

#endif
