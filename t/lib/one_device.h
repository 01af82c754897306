/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A context with a made-up root that holds one device, served by a provider of the build. */
#ifndef HF_TEST_ONE_DEVICE_H
#define HF_TEST_ONE_DEVICE_H

#include <holdfast/holdfast.h>

#include "t/lib/tree.h"

struct one_device {
	struct tree *tree;
	struct hf *hf;
};

/* `providers` is a directory below $top_builddir. The device is uverbs0. */
void one_device_make(struct one_device *ret, const char *providers, const char *name,
		     const struct tree_options *options);
void one_device_free(struct one_device *device);

#endif
