/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A service of blocks: librtrs below, RNBD's messages on it, and devices behind them. */
#ifndef RTRS_EXPORT_SERVICE_H
#define RTRS_EXPORT_SERVICE_H

#include <rtrs/rtrs.h>
#include <stdbool.h>
#include <stdint.h>

#include "shared/attr.h"

struct rtrs_export_service;

/* A device that is not a file: memory of some size, or an NBD URI. */
struct rtrs_export_named {
	const char *name;
	const char *uri; /* NULL: memory */
	uint64_t size;
};

/* What happens, in words that may hold bytes from outside; from any thread. */
typedef void (*rtrs_export_log_fn)(void *user, const char *text);

struct rtrs_export_options {
	const char *directory; /* NULL: no files */
	const struct rtrs_export_named *named;
	unsigned int named_count;
	bool is_read_only;
	unsigned int threads;
	uint32_t queue_depth, max_io; /* as in struct rtrs_service_options */
	bool invalidate;
	rtrs_export_log_fn log;
	void *user;
};

/* The strings stay as long as the service. */
int rtrsi_export_open(const struct rtrs_export_options *options,
		      struct rtrs_export_service **ret) HF_MUST_CHECK HF_NONNULL;
int rtrsi_export_listen(struct rtrs_export_service *service,
			const char *address) HF_MUST_CHECK HF_NONNULL;
/* Its threads serve from now on. */
int rtrsi_export_run(struct rtrs_export_service *service) HF_MUST_CHECK HF_NONNULL;
/* Looks at the sizes of all open devices again. */
void rtrsi_export_measure(struct rtrs_export_service *service) HF_NONNULL;
/* Requests that are being carried out are answered, and no new ones begun; then all is closed. */
void rtrsi_export_close(struct rtrs_export_service *service);

#endif
