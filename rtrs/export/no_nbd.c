/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* In the place of nbd.c where there was no libnbd. */
#include <errno.h>
#include <stddef.h>

#include "rtrs/export/backing.h"

int rtrsi_nbd_backing_new(const char *uri, bool is_read_only, uint32_t max_io, char **message,
			  struct rtrs_backing **ret)
{
	(void)uri;
	(void)is_read_only;
	(void)max_io;
	(void)ret;
	*message = NULL;
	return -EOPNOTSUPP;
}
