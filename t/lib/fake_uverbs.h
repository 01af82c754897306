/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A kernel for tests of commands: receives RDMA_VERBS_IOCTL, gives the answers that the test sets, and
 * lets the test check every attribute. A test links it before libhf-core.la; other ioctls go to the
 * real kernel.
 *
 * A test calls fake_fail() or fake_reply() for the expected commands, makes the call, then calls
 * fake_sent() or fake_sent_write() and one fake_in*() or fake_out() for each attribute, and
 * fake_no_more(). The checks are cmocka's.
 */
#ifndef HF_TEST_FAKE_UVERBS_H
#define HF_TEST_FAKE_UVERBS_H

#include <stddef.h>
#include <stdint.h>
#include <rdma/ib_user_ioctl_cmds.h>
#include <rdma/ib_user_verbs.h>
#include <rdma/rdma_user_ioctl_cmds.h>

#include "core/verbs/context.h"

enum { FAKE_DRIVER_ID = 4711 };

/*
 * Opens a context on this kernel with all operations "not supported" and without commands or answers.
 * It is the same object each time and replaces the one before.
 */
struct ibv_context *fake_context(void);
struct verbs_device *fake_device(void);
void fake_context_end(void);

/* Makes the next command without an answer fail with `err`, an errno value. */
void fake_fail(int err);
/* Makes the next command without an answer succeed. fake_reply() adds to its answer. */
void fake_succeed(void);
/*
 * Sets an output attribute, or UVERBS_ATTR_CORE_OUT of a write() command, in the answer of the last
 * fake_succeed(). A handle or a descriptor has 8 bytes.
 */
void fake_reply(uint16_t attr, const void *data, size_t size);
void fake_reply_handle(uint16_t attr, uint32_t handle);
/* Makes every command fail with `err` from now on. 0: no longer. */
void fake_gone(int err);
/* Commands without an answer succeed, with outputs of 0 and handles counted from 1. */

/* The number of commands sent since fake_context(). */
unsigned int fake_count(void);
/* Selects the command, counted from 0, for the following checks. Default: the last one. */
void fake_look_at(unsigned int number);

void fake_sent(uint16_t object, uint16_t method);
void fake_sent_write(uint32_t cmd);
void fake_in(uint16_t attr, const void *data, size_t size);
void fake_in_const(uint16_t attr, uint64_t value);
void fake_in_handle(uint16_t attr, uint32_t handle);
void fake_in_fd(uint16_t attr, int fd);
void fake_in_handles(uint16_t attr, const uint32_t *handles, size_t count);
void fake_in_enum(uint16_t attr, uint8_t elem, const void *data, size_t size);
/* Expects an output of this size; 0 for a new object or a descriptor. */
void fake_out(uint16_t attr, size_t size);
/* Checks that every attribute of the command was checked. */
void fake_no_more(void);

#endif
