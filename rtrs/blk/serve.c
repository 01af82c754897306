/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* rtrs-blk serve: in the foreground, until SIGTERM or SIGINT. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "rtrs/blk/blk.h"
#include "shared/printed.h"

static void log_service(void *user, const char *text)
{
	const struct blk_options *options = user;

	if (options->is_quiet)
		return;
	flockfile(stderr);
	hfi_put_safe(stderr, text);
	fputc('\n', stderr);
	funlockfile(stderr);
}

static bool is_max_io_valid(uint64_t max_io)
{
	const uint64_t chunk = max_io + 4096;

	return !(chunk & (chunk - 1));
}

static int listen_at_all(struct rtrs_export_service *service, const struct blk_options *options)
{
	for (unsigned int i = 0; i < options->address_count; i++) {
		int err = rtrsi_export_listen(service, options->addresses[i]);

		if (err) {
			rtrsi_blk_complain("%s: %s", options->addresses[i], strerrordesc_np(-err));
			return BLK_FAILED;
		}
	}
	return BLK_OK;
}

/* SIGHUP: files may have been resized. */
static void serve_until_told(struct rtrs_export_service *service, const sigset_t *signals)
{
	int number = 0;

	while (number != SIGTERM && number != SIGINT) {
		if (sigwait(signals, &number))
			return;
		if (number == SIGHUP)
			rtrsi_export_measure(service);
	}
}

int rtrsi_blk_serve(const struct blk_options *options)
{
	const struct rtrs_export_options of_service = {
		.directory = options->target,
		.named = options->named,
		.named_count = options->named_count,
		.is_read_only = options->read_only,
		.threads = (unsigned int)options->threads,
		.queue_depth = (uint32_t)options->queue_depth,
		.max_io = (uint32_t)options->max_io,
		.invalidate = options->invalidate,
		.log = log_service,
		.user = (void *)options,
	};
	struct rtrs_export_service *service;
	sigset_t signals;
	int err, status;

	if (!is_max_io_valid(options->max_io)) {
		rtrsi_blk_complain("--max-io: with 4096 more it has to be a power of two");
		return BLK_USAGE;
	}
	/* Before there are threads. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	err = rtrsi_export_open(&of_service, &service);
	if (err) {
		rtrsi_blk_complain("%s: %s", options->target ? options->target : "serve",
				   strerrordesc_np(-err));
		return BLK_FAILED;
	}
	status = listen_at_all(service, options);
	err = status == BLK_OK ? rtrsi_export_run(service) : 0;
	if (err) {
		rtrsi_blk_complain("%s", strerrordesc_np(-err));
		status = BLK_FAILED;
	}
	if (status == BLK_OK) {
		log_service((void *)options, "serving");
		(void)sd_notify(0, "READY=1");
		serve_until_told(service, &signals);
		/* A disk may never answer: a second one ends it. */
		sigdelset(&signals, SIGHUP);
		sigprocmask(SIG_UNBLOCK, &signals, NULL);
		(void)sd_notify(0, "STOPPING=1");
	}
	rtrsi_export_close(service);
	return status;
}
