/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A line that says how far a copy or measurement is, on a terminal. */
#include <stdio.h>
#include <unistd.h>

#include "rtrs/blk/blk.h"
#include "shared/clock.h"

enum { SHOWN_EVERY_NS = 200000000, NS_PER_SECOND = 1000000000 };

void rtrsi_blk_progress_begin(struct blk_progress *progress, const struct blk_options *options,
			      uint64_t total)
{
	*progress = (struct blk_progress){.is_shown = !options->is_quiet && isatty(STDERR_FILENO),
					  .begun_ns = hfi_now_ns(),
					  .total = total};
}

void rtrsi_blk_progress(struct blk_progress *progress, uint64_t done)
{
	char size[BLK_SIZE_TEXT], rate[BLK_SIZE_TEXT];
	int64_t now_ns;

	if (!progress->is_shown)
		return;
	now_ns = hfi_now_ns();
	if (now_ns - progress->shown_ns < SHOWN_EVERY_NS)
		return;
	progress->shown_ns = now_ns;
	rtrsi_blk_print_size((double)done, size);
	rtrsi_blk_print_size(
		(double)done * NS_PER_SECOND / (double)(now_ns - progress->begun_ns + 1), rate);
	if (progress->total)
		fprintf(stderr, "\r%3.0f%%  %s  %s/s\033[K",
			100.0 * (double)done / (double)progress->total, size, rate);
	else
		fprintf(stderr, "\r%s  %s/s\033[K", size, rate);
}

void rtrsi_blk_progress_end(struct blk_progress *progress)
{
	if (progress->is_shown && progress->shown_ns)
		fprintf(stderr, "\r\033[K");
}
