/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Takes the commands that are sent by write(); needs -Wl,--wrap=hfi_write_uncancelled. */
#include "t/lib/fake_kernel.h"

ssize_t __real_hfi_write_uncancelled(int fd, const void *buffer, size_t size);
ssize_t __wrap_hfi_write_uncancelled(int fd, const void *buffer, size_t size);

static fake_kernel_write_fn kernel_write_answer;

void fake_kernel_answer_write(fake_kernel_write_fn answer)
{
	kernel_write_answer = answer;
}

ssize_t fake_kernel_write(int fd, const void *buffer, size_t size)
{
	return __real_hfi_write_uncancelled(fd, buffer, size);
}

ssize_t __wrap_hfi_write_uncancelled(int fd, const void *buffer, size_t size)
{
	return kernel_write_answer ? kernel_write_answer(fd, buffer, size)
				   : fake_kernel_write(fd, buffer, size);
}
