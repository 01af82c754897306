/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Takes the commands that are sent by ioctl(): a program's own ioctl() is found before the C library's. */
#include <errno.h>
#include <stdarg.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "shared/attr.h"
#include "t/lib/fake_kernel.h"

static fake_kernel_fn kernel_answer;
static int kernel_fd = -1;

void fake_kernel_answer(int fd, fake_kernel_fn answer)
{
	kernel_fd = fd;
	kernel_answer = answer;
}

bool fake_kernel_is(const struct ib_uverbs_ioctl_hdr *command, uint16_t object, uint16_t method)
{
	return command->object_id == object && command->method_id == method;
}

struct ib_uverbs_attr *fake_kernel_attr(struct ib_uverbs_ioctl_hdr *command, uint16_t id)
{
	for (size_t i = 0; i < command->num_attrs; i++)
		if (command->attrs[i].attr_id == id)
			return &command->attrs[i];
	return NULL;
}

void *fake_kernel_bytes(struct ib_uverbs_attr *attr)
{
	return (void *)(uintptr_t)attr->data;
}

/* Exported: a shared library under test has to find it as well. */
HF_EXPORT int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;
	int err;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (!kernel_answer || request != RDMA_VERBS_IOCTL || fd < 0 ||
	    (kernel_fd != FAKE_KERNEL_EVERY_FD && fd != kernel_fd))
		return (int)syscall(SYS_ioctl, fd, request, arg);
	err = kernel_answer(fd, arg);
	if (!err)
		return 0;
	errno = err;
	return -1;
}
