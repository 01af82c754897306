/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The device without a kernel, see loop.c. */
#include <holdfast-provider/provider.h>

/* As alloc_context: the descriptor is taken over, and closed where this fails. */
struct verbs_context *example_open_loop(struct ibv_device *device, int cmd_fd);
