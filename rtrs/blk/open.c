/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A device, opened as the options say. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rtrs/blk/blk.h"
#include "shared/text.h"

enum { RECONNECT_DELAY_MS = 1000, SESSION_SIZE = 255, MS_PER_SECOND = 1000 };

static void log_volume(void *user, const char *path, const char *what, int error)
{
	const struct blk_options *options = user;

	if (options->is_quiet || (!error && path))
		return;
	rtrsi_blk_complain("%s%s%s%s%s", path ? path : "", path ? ": " : "", what,
			   error ? ": " : "", error ? strerrordesc_np(-error) : "");
}

/* One that no other client of the server has. */
static void name_session(char name[SESSION_SIZE])
{
	char host[64] = "host";

	if (gethostname(host, sizeof(host) - 1))
		host[0] = '\0';
	host[strcspn(host, "./")] = '\0';
	(void)hfi_print(name, SESSION_SIZE, "rtrs-blk-%s-%d", host, (int)getpid());
}

static const char *reason_text(int error)
{
	switch (error) {
	case -EPERM:
		return "others have it open for writing";
	case -EROFS:
		return "it can be read only";
	case -EOPNOTSUPP:
		return "no support for RDMA is installed";
	case -ENOTCONN:
	case -ECONNRESET:
		return "the server has closed the connection";
	default:
		return strerrordesc_np(-error);
	}
}

int rtrsi_blk_open(const struct blk_options *options, enum rtrs_rnbd_access access,
		   struct rtrs_volume **ret)
{
	static char name[SESSION_SIZE];
	const struct rtrs_volume_options of_volume = {
		.session = options->session ? options->session : name,
		.path = options->target,
		.access = options->has_access ? options->access : access,
		.addresses = options->addresses,
		.address_count = options->address_count,
		.connections = (uint32_t)options->connections,
		.permits = options->depth > 128 ? (uint32_t)options->depth : 0,
		.reconnect_delay_ms = RECONNECT_DELAY_MS,
		.give_up_ms = (uint32_t)options->timeout_s * MS_PER_SECOND,
		.log = log_volume,
		.user = (void *)options,
	};
	int err;

	name_session(name);
	err = rtrsi_volume_open(&of_volume, ret);
	if (!err)
		return BLK_OK;
	rtrsi_blk_complain("%s: %s", options->target, reason_text(err));
	return BLK_FAILED;
}
