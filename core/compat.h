/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the libibverbs.so.1 face needs from the core and nobody else may use: HOLDFAST_COMPAT_1. */
#ifndef HF_COMPAT_H
#define HF_COMPAT_H

#include <holdfast-provider/objects.h>

/* A library's constructor makes its table known. The table must stay as long as it is mapped. */
void hf_compat_register(const struct verbs_device_ops *ops);

/*
 * The face was mapped (an address within it), or is about to be unmapped (NULL). Where the program
 * brought it, ibv_get_device_list() says on standard error what libibverbs says there.
 */
void hf_compat_face(const void *address);

/* The version of rdma-core that the context's provider was built from; 0 for one of our own kind. */
unsigned int hf_compat_version(struct ibv_context *context);

/*
 * For the process that looks into foreign libraries: takes each of `files` (NULL at the end), writes
 * what it matches to fd, and answers the process's exit status.
 */
int hf_compat_scan(int fd, const char *face, char **files);

#endif
