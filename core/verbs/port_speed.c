/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* ibv_query_port_speed(): the provider's answer, the product of the port's width and speed, or its rate. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shared/attr.h"
#include "core/device/attributes.h"
#include "core/discovery/attrs.h"
#include "core/verbs/context.h"

/* In units of 100 Mb/s, by the bit in which ibv_query_port() has it, as the kernel's file "rate" has them. */
static uint64_t lane_speed(uint32_t active_speed)
{
	static const unsigned int speeds[] = {25, 50, 100, 100, 140, 250, 500, 1000, 2000};

	for (size_t bit = 0; bit < HF_ARRAY_SIZE(speeds); bit++)
		if (active_speed == UINT32_C(1) << bit)
			return speeds[bit];
	return 0;
}

static uint64_t lanes(uint8_t active_width)
{
	switch (active_width) {
	case 1:
		return 1;
	case 2:
		return 4;
	case 4:
		return 8;
	case 8:
		return 12;
	case 16:
		return 2;
	default:
		return 0;
	}
}

/* The text of the file "rate", as "2.5 Gb/sec (1X SDR)". */
static uint64_t speed_in_text(const char *rate)
{
	char *rest;
	unsigned long whole;
	unsigned int tenths = 0;

	if (rate[0] < '0' || rate[0] > '9')
		return 0;
	whole = strtoul(rate, &rest, 10);
	if (rest[0] == '.' && rest[1] >= '0' && rest[1] <= '9') {
		tenths = (unsigned int)(rest[1] - '0');
		rest += 2;
	}
	if (whole > UINT32_MAX || strncmp(rest, " Gb/sec", strlen(" Gb/sec")) != 0)
		return 0;
	return whole * 10 + tenths;
}

static int read_rate_of_port(int dir, const struct hf_entry *entry, void *arg)
{
	struct hf_port_info *info = arg;

	return hfi_read_port(dir, NULL, entry, info->port, info, NULL);
}

/* 0: the file does not tell it. */
static uint64_t speed_in_file(struct hf_device *device, uint32_t port)
{
	struct hf_port_info info = {.size = sizeof(info), .port = port};

	return hfi_with_dir(device, read_rate_of_port, &info) ? 0 : speed_in_text(info.rate);
}

static int speed_by_port(struct ibv_context *context, uint32_t port, uint64_t *ret)
{
	const struct verbs_context *verbs = hfi_context_of(context);
	union hf_port_attr attr;
	uint64_t speed = 0;
	int err;

	if (!port || port > UINT8_MAX)
		return EINVAL;
	err = hfi_query_port(context, (uint8_t)port, &attr);
	if (err)
		return err;
	/* Without a kernel, width and speed are the file's rate rounded down to what the codes can tell. */
	if (verbs->priv->uverbs.no_kernel)
		speed = speed_in_file(verbs->priv->device, port);
	if (!speed)
		speed = lanes(attr.attr.active_width) * lane_speed(attr.active_speed_ex);
	if (!speed)
		speed = speed_in_file(verbs->priv->device, port);
	if (!speed)
		return EOPNOTSUPP;
	*ret = speed;
	return 0;
}

HF_EXPORT int ibv_query_port_speed(struct ibv_context *context, uint32_t port, uint64_t *speed)
{
	const struct hf_later_ops *later = hfi_later_of(context);
	int err = EOPNOTSUPP;

	if (!later)
		return EBADF;
	if (later->query_port_speed)
		err = later->query_port_speed(context, port, speed);
	/* Also if the provider has the operation but the kernel lacks its command. */
	return err == EOPNOTSUPP || err == EPROTONOSUPPORT ? speed_by_port(context, port, speed)
							   : err;
}
