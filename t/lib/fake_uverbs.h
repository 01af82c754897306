/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A kernel for tests of commands: takes what RDMA_VERBS_IOCTL is called with, answers as told, and
 * lets the test look at every attribute. A test links it before libhf-core.la; other ioctls pass.
 *
 * The order of a test: fake_fail() or fake_reply() for what is about to be asked, the call, then
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
 * An open context on this kernel, all operations "not supported", with nothing sent and nothing to
 * answer. The same object each time: a new one forgets the one before.
 */
struct ibv_context *fake_context(void);
struct verbs_device *fake_device(void);
void fake_context_end(void);

/* The next command that has no answer yet fails with `err`, an errno value. */
void fake_fail(int err);
/* The next command that has no answer yet succeeds; what fake_reply() adds is for that one. */
void fake_succeed(void);
/* Of the command that fake_succeed() was last called for: what is written to an output attribute, or
 * to UVERBS_ATTR_CORE_OUT of an older command. A handle or a descriptor is data of 8 bytes. */
void fake_reply(uint16_t attr, const void *data, size_t size);
void fake_reply_handle(uint16_t attr, uint32_t handle);
/* Every command from now on fails with `err`; 0: no more. */
void fake_gone(int err);
/* Commands nobody said anything about succeed, with outputs of 0 and handles counted from 1. */

/* How many commands were sent since fake_context(). */
unsigned int fake_count(void);
/* The checks that follow are about this command, counted from 0; without it, about the last. */
void fake_look_at(unsigned int number);

void fake_sent(uint16_t object, uint16_t method);
void fake_sent_write(uint32_t cmd);
void fake_in(uint16_t attr, const void *data, size_t size);
void fake_in_const(uint16_t attr, uint64_t value);
void fake_in_handle(uint16_t attr, uint32_t handle);
void fake_in_fd(uint16_t attr, int fd);
void fake_in_handles(uint16_t attr, const uint32_t *handles, size_t count);
void fake_in_enum(uint16_t attr, uint8_t elem, const void *data, size_t size);
/* An output of that size; 0 for a new object or a descriptor. */
void fake_out(uint16_t attr, size_t size);
/* Every attribute of the command was looked at. */
void fake_no_more(void);

#endif
