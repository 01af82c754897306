/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Parses the texts of sysfs attributes. */
#ifndef HF_DISCOVERY_PARSE_H
#define HF_DISCOVERY_PARSE_H

#include <stdint.h>
#include <sys/types.h>

#include <holdfast/device.h>

#include "shared/attr.h"

/* -EINVAL unless the whole text is valid; *ret is then unchanged. */
int hfi_parse_guid(const char *text,
		   uint64_t *ret) HF_MUST_CHECK HF_NONNULL; /* network byte order */
int hfi_parse_gid(const char *text, union ibv_gid *ret) HF_MUST_CHECK HF_NONNULL;
int hfi_parse_dev(const char *text, dev_t *ret) HF_MUST_CHECK HF_NONNULL;
int hfi_parse_state(const char *text, uint32_t *ret) HF_MUST_CHECK HF_NONNULL; /* "4: ACTIVE" */
int32_t hfi_node_type(uint64_t number) HF_MUST_CHECK;
enum hf_protocol hfi_protocol_of_type(int32_t node_type) HF_MUST_CHECK;

#endif
