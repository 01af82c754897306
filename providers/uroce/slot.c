/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Who lives: the engine thread of a context holds its slot as a robust futex. When the thread ends,
 * by whatever end of its process (a kill, an exec, also while forked children live on), the kernel
 * marks the word. The thread's list of robust futexes is in private memory, because the kernel and
 * the C library follow its pointers: a robust pthread mutex would have them in shared memory.
 */
#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "providers/uroce/uroce.h"

/* Of the calling thread; it must stay valid until the thread ends. */
static _Thread_local struct robust_list_head uroce_robust;
static _Thread_local struct robust_list uroce_robust_entry;
static _Thread_local struct robust_list_head *uroce_former;
static _Thread_local size_t uroce_former_size;

void uroce_slot_hold(struct uroce_context *context)
{
	const uint32_t thread = (uint32_t)syscall(SYS_gettid);

	/* The C library's own list; nothing on this thread uses robust mutexes. */
	if (syscall(SYS_get_robust_list, 0, &uroce_former, &uroce_former_size))
		uroce_former = NULL;
	uroce_robust_entry.next = &uroce_robust.list;
	uroce_robust.list.next = &uroce_robust_entry;
	uroce_robust.futex_offset = (char *)&context->slot->life - (char *)&uroce_robust_entry;
	uroce_robust.list_op_pending = NULL;
	syscall(SYS_set_robust_list, &uroce_robust, sizeof(uroce_robust));
	atomic_store(&context->slot->life, thread & FUTEX_TID_MASK);
}

void uroce_slot_release(struct uroce_context *context)
{
	atomic_store(&context->slot->life, 0);
	uroce_robust.list.next = &uroce_robust.list;
	if (uroce_former)
		syscall(SYS_set_robust_list, uroce_former, uroce_former_size);
}

bool uroce_slot_alive(const struct uroce_slot *slot)
{
	const uint32_t life = atomic_load_explicit(&slot->life, memory_order_acquire);

	return life && !(life & FUTEX_OWNER_DIED);
}
