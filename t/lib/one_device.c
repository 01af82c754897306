/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A context with a made-up root that holds one device, served by a provider of the build. */
#include "t/lib/one_device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

void one_device_make(struct one_device *ret, const char *providers, const char *name,
		     const struct tree_options *options)
{
	char dir[4096];
	const char *dirs[2] = {dir, NULL};
	struct hf_root root;
	const struct hf_options context = {
		.size = sizeof(context),
		.roots = &root,
		.num_roots = 1,
		.provider_dirs = dirs,
	};

	snprintf(dir, sizeof(dir), "%s/%s", getenv("top_builddir"), providers);
	assert_int_equal(tree_new(&ret->tree, NULL), 0);
	root = (struct hf_root){.sysfs = tree_sysfs(ret->tree), .dev = tree_dev(ret->tree)};
	assert_int_equal(tree_add(ret->tree, 0, name, options), 0);
	assert_int_equal(hf_new(&context, &ret->hf), 0);
}

void one_device_free(struct one_device *device)
{
	hf_unref(device->hf);
	tree_free(device->tree);
}
