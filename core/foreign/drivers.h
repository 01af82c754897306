/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The names of drivers that libibverbs would load: its configuration files and its environment. */
#ifndef HF_FOREIGN_DRIVERS_H
#define HF_FOREIGN_DRIVERS_H

#include <stddef.h>
#include <sys/stat.h>

#include "shared/attr.h"
#include "core/provider/manifest.h"

enum { HF_DRIVERS_MAX = 256, HF_DRIVER_FILE_MAX = 65536, HF_DRIVERS_REFUSED_MAX = 32 };

struct hf_driver {
	char name[HF_PATH_MAX]; /* "rxe", or from '/': a path without the suffix */
	char from[HF_PATH_MAX]; /* the file that names it, or the variable */
	struct stat file;	/* of that file; zero where there is none */
	/* set for what is no driver: a file or directory, or a part of one, that is ignored */
	struct hf_reason refused;
};

/* In the order in which libibverbs loads them. */
struct hf_drivers {
	struct hf_driver *v;
	size_t count, size, num_refused;
	struct stat file; /* the one that is parsed now */
	/* libibverbs' messages, without prefix and newline; the text is valid during the call. */
	void (*say)(void *arg, const char *message);
	void *arg;
};

/*
 * Parses one file's text (size bytes, no NUL needed): "driver NAME" lines; reports and skips all
 * others. Adds its names in front of those that are known. -ENOMEM, or -E2BIG for more drivers than
 * HF_DRIVERS_MAX.
 */
int hfi_drivers_parse(struct hf_drivers *drivers, const char *path, const char *text,
		      size_t size) HF_MUST_CHECK HF_NONNULL;

/*
 * Adds names separated by ':' or ';', in their order, in front of those that are known. Errors as
 * above.
 */
int hfi_drivers_add_list(struct hf_drivers *drivers, const char *variable,
			 const char *list) HF_MUST_CHECK HF_NONNULL;

/* Reads every regular file of a directory, and reports what cannot be read. */
int hfi_drivers_read(struct hf_drivers *drivers, const char *dir) HF_MUST_CHECK HF_NONNULL;

void hfi_drivers_clear(struct hf_drivers *drivers) HF_NONNULL;

#endif
