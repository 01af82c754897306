/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The candidates of a registry: read from the directories of manifests. */
#ifndef HF_REGISTRY_MANIFESTS_H
#define HF_REGISTRY_MANIFESTS_H

#include "shared/attr.h"
#include "core/registry/registry.h"

/* Reads the manifests again when a directory has changed. 1: something did, 0: nothing. */
int hfi_registry_refresh(struct hf_registry *registry,
			 const struct hf_log *log) HF_MUST_CHECK HF_NONNULL;
/*
 * Reads both kinds of providers for a list of them, with the reasons that earlier looks into
 * libraries have found.
 */
int hfi_registry_refresh_all(struct hf_registry *registry,
			     const struct hf_log *log) HF_MUST_CHECK HF_NONNULL;
/* Reads the distribution's configuration, now and with each refresh from now on. */
int hfi_registry_want_foreign(struct hf_registry *registry, const struct hf_log *log) HF_NONNULL;

#endif
