/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by the tests of completion queues, SRQs and QPs. Each includes it once. */
#ifndef HF_TEST_QUEUES_H
#define HF_TEST_QUEUES_H

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>
#include <sys/syscall.h>
#include <cmocka.h>

#include "shared/attr.h"
#include "t/lib/asleep.h"
#include "t/lib/fake_uverbs.h"
#include "t/lib/hang.h"

static const uint8_t said_in[24] = "to the kernel driver";
static const uint8_t said_out[16] = "from the driver";
static uint8_t heard[16];
static const struct hf_driver_data driver_data = {
	.in = said_in,
	.in_size = sizeof(said_in),
	.out = heard,
	.out_size = sizeof(heard),
};

static inline void expect_driver_data(void)
{
	fake_in(UVERBS_ATTR_UHW_IN, said_in, sizeof(said_in));
	fake_out(UVERBS_ATTR_UHW_OUT, sizeof(heard));
	fake_no_more();
	assert_memory_equal(heard, said_out, sizeof(heard));
	memset(heard, 0, sizeof(heard));
}

static inline void reply_driver_data(void)
{
	fake_reply(UVERBS_ATTR_UHW_OUT, said_out, sizeof(said_out));
}

static inline void expect_u32(uint16_t attr, uint32_t value)
{
	fake_in(attr, &value, sizeof(value));
}

static inline void expect_pointer(uint16_t attr, const void *pointer)
{
	const uint64_t value = (uintptr_t)pointer;

	fake_in(attr, &value, sizeof(value));
}

static inline void expect_write(uint32_t cmd, const void *request, size_t size,
				size_t response_size)
{
	fake_sent_write(cmd);
	fake_in(UVERBS_ATTR_CORE_IN, request, size);
	if (response_size)
		fake_out(UVERBS_ATTR_CORE_OUT, response_size);
}

/* Errors that any command may return; the caller must get them. */
static const int failures[] = {EINVAL, ENOMEM, EBUSY, EPERM, EOPNOTSUPP, EFAULT, EIO, ENODEV};
/* For a destroy the last two mean that the object no longer exists. */
enum { DESTROY_FAILURES = HF_ARRAY_SIZE(failures) - 2 };

/*
 * Waits until the other thread is blocked, as it should be until an acknowledgement. If it does not
 * block, it has ended.
 */
static inline void wait_until_blocked(const atomic_bool *ended)
{
	while (!atomic_load(ended) && !asleep_count(getpid(), SYS_futex))
		sched_yield();
}

#endif
