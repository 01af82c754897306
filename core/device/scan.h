/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Looking at the roots, and writing down what was seen. */
#ifndef HF_DEVICE_SCAN_H
#define HF_DEVICE_SCAN_H

#include "shared/attr.h"
#include "core/device/hf.h"

/*
 * Looks at every root, or at one device by its uverbs name, and brings the table up to date;
 * observers are told. Must be called between hfi_scan_begin() and hfi_scan_end(). 0 or -errno as
 * hfi_discover() and hfi_registry_refresh().
 */
int hfi_table_scan(struct hf *hf) HF_MUST_CHECK HF_NONNULL
	HF_REQUIRES(hfi_scan_kind, hfi_netlink_kind);
int hfi_table_scan_one(struct hf *hf, unsigned int root,
		       const char *uverbs) HF_MUST_CHECK HF_NONNULL
	HF_REQUIRES(hfi_scan_kind, hfi_netlink_kind);
/* Looks again at devices that exist but are not ready yet; how many are still not, or -errno. */
int hfi_table_scan_unready(struct hf *hf) HF_MUST_CHECK HF_NONNULL
	HF_REQUIRES(hfi_scan_kind, hfi_netlink_kind);

/* The netlink socket, opened at the first use; NULL where there is none. Only within a scan. */
struct hf_nl *hfi_netlink(struct hf *hf, const struct hf_search_root *root) HF_MUST_CHECK HF_NONNULL
	HF_REQUIRES(hfi_netlink_kind);
unsigned int hfi_sources(const struct hf *hf,
			 const struct hf_search_root *root) HF_MUST_CHECK HF_NONNULL;

#endif
