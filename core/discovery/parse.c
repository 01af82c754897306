/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Parses the texts of sysfs attributes. */
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "shared/text.h"
#include "core/discovery/parse.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Groups of four digits separated by colons: "0002:c903:0000:0001" has four. */
static int parse_groups(const char *text, unsigned int groups, uint8_t *raw)
{
	for (unsigned int i = 0; i < groups * 4; i++) {
		int digit = hex_digit(*text++);

		if (digit < 0)
			return -EINVAL;
		if (i % 2 == 0)
			raw[i / 2] = (uint8_t)(digit << 4);
		else
			raw[i / 2] |= (uint8_t)digit;
		if (i % 4 == 3 && *text++ != (i + 1 == groups * 4 ? '\0' : ':'))
			return -EINVAL;
	}
	return 0;
}

int hfi_parse_guid(const char *text, uint64_t *ret)
{
	uint8_t raw[8];
	int err = parse_groups(text, 4, raw);

	if (!err)
		memcpy(ret, raw, sizeof(raw));
	return err;
}

int hfi_parse_gid(const char *text, union ibv_gid *ret)
{
	uint8_t raw[16];
	int err = parse_groups(text, 8, raw);

	if (!err)
		memcpy(ret->raw, raw, sizeof(raw));
	return err;
}

int hfi_parse_dev(const char *text, dev_t *ret)
{
	const char *colon = strchr(text, ':');
	uint64_t major_number, minor_number;
	char first[16];

	if (!colon || (size_t)(colon - text) >= sizeof(first))
		return -EINVAL;
	memcpy(first, text, (size_t)(colon - text));
	first[colon - text] = '\0';
	/* 12 and 20 bits: the kernel's dev_t (include/linux/kdev_t.h). */
	if (hfi_parse_number(first, 10, 0xfff, &major_number) ||
	    hfi_parse_number(colon + 1, 10, 0xfffff, &minor_number))
		return -EINVAL;
	*ret = makedev((unsigned int)major_number, (unsigned int)minor_number);
	return 0;
}

int hfi_parse_state(const char *text, uint32_t *ret)
{
	const char *colon = strchr(text, ':');
	uint64_t number;
	char first[8];

	if (!colon || (size_t)(colon - text) >= sizeof(first))
		return -EINVAL;
	memcpy(first, text, (size_t)(colon - text));
	first[colon - text] = '\0';
	if (hfi_parse_number(first, 10, 255, &number))
		return -EINVAL;
	*ret = (uint32_t)number;
	return 0;
}

int32_t hfi_node_type(uint64_t number)
{
	/* The kernel's enum rdma_node_type has the numbers of ibv_node_type. */
	return number >= IBV_NODE_CA && number <= IBV_NODE_UNSPECIFIED ? (int32_t)number
								       : IBV_NODE_UNKNOWN;
}

enum hf_protocol hfi_protocol_of_type(int32_t node_type)
{
	/* A CA may be InfiniBand, RoCE or both, by port. */
	if (node_type == IBV_NODE_RNIC)
		return HF_PROTOCOL_IWARP;
	if (node_type == IBV_NODE_USNIC || node_type == IBV_NODE_USNIC_UDP)
		return HF_PROTOCOL_USNIC;
	return HF_PROTOCOL_UNKNOWN;
}
