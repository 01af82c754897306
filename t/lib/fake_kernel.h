/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The kernel's side of a uverbs node in tests: the one place that intercepts commands sent by ioctl() or
 * write(). They are answered by the test, by fake_uverbs.h or by t/fault/kernel.h.
 */
#ifndef HF_TEST_FAKE_KERNEL_H
#define HF_TEST_FAKE_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <rdma/ib_user_ioctl_cmds.h>
#include <rdma/rdma_user_ioctl.h>

enum { FAKE_KERNEL_EVERY_FD = -2 };

/* Answers a command: 0, or a positive errno value. */
typedef int (*fake_kernel_fn)(int fd, struct ib_uverbs_ioctl_hdr *command);

/*
 * Passes commands to `fd` (FAKE_KERNEL_EVERY_FD: to every descriptor) to `answer` from now on; everything
 * else goes to the real kernel. NULL: stops intercepting. One descriptor at a time.
 */
void fake_kernel_answer(int fd, fake_kernel_fn answer);

bool fake_kernel_is(const struct ib_uverbs_ioctl_hdr *command, uint16_t object, uint16_t method);
/* The attribute with this id, or NULL. */
struct ib_uverbs_attr *fake_kernel_attr(struct ib_uverbs_ioctl_hdr *command, uint16_t id);
/* An attribute's bytes. Not for attributes of 8 bytes or less, which are stored in `data`. */
void *fake_kernel_bytes(struct ib_uverbs_attr *attr);

/*
 * The same for write(), in programs that are linked with -Wl,--wrap=hfi_write_uncancelled: `answer`
 * gets what is written to any descriptor. fake_kernel_write() is the real one.
 */
typedef ssize_t (*fake_kernel_write_fn)(int fd, const void *buffer, size_t size);
void fake_kernel_answer_write(fake_kernel_write_fn answer);
ssize_t fake_kernel_write(int fd, const void *buffer, size_t size);

#endif
