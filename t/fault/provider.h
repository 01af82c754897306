/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The providers that only the fault tier uses. */
#ifndef HF_FAULT_PROVIDER_H
#define HF_FAULT_PROVIDER_H

#include <holdfast-provider/provider.h>

/* Uses private ABI 34. The others are Holdfast's own providers for rdma_rxe and siw. */
extern const struct verbs_device_ops frames_provider;

const struct hf_provider_descriptor *siw_provider_describe(void);

#endif
