# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The same for verbs: the fake kernel is part of the program, so that no tracer is needed.
check_PROGRAMS += t/fault/verbs t/fault/verbs-test
TESTS += t/fault/verbs t/fault/verbs-test

kernel_wraps = -Wl,--wrap=mmap -Wl,--wrap=munmap -Wl,--wrap=epoll_create1 -Wl,--wrap=epoll_ctl \
	-Wl,--wrap=hfi_write_uncancelled
kernel_ldflags = $(AM_LDFLAGS) $(kernel_wraps)
# Shared by the programs; each member is linked only where it is needed.
check_LTLIBRARIES += libhf-test-verbs.la
libhf_test_verbs_la_SOURCES = \
	compat/private34/context.c \
	compat/private34/cq.c \
	compat/private34/private34.h \
	compat/private34/log.c \
	compat/private34/memory.c \
	compat/private34/post.c \
	compat/private34/qp.c \
	compat/private34/srq.c \
	compat/private34/steering.c \
	providers/common/cq_ex.c \
	providers/common/default_ops.c \
	providers/rxe/ah.c \
	providers/rxe/cq.c \
	providers/rxe/poll.c \
	providers/rxe/qp.c \
	providers/rxe/queue.c \
	providers/rxe/rq.c \
	providers/rxe/rxe.c \
	providers/rxe/send.c \
	providers/rxe/srq.c \
	providers/rxe/wr.c \
	t/fault/frames.c \
	t/fault/kernel.c \
	t/fault/kernel.h \
	t/fault/provider.h \
	t/fault/alloc.c \
	t/fault/alloc.h \
	t/lib/fake_kernel.c \
	t/lib/fake_kernel.h \
	t/lib/fake_kernel_write.c \
	t/fault/verbs.h \
	t/fault/verbs-drive.c \
	t/fault/verbs-judge.c
libhf_test_verbs_la_CPPFLAGS = $(provider_cppflags)
libhf_test_verbs_la_LIBADD = libhf-test-siw.la

# Two providers in one program: the second one is renamed.
check_LTLIBRARIES += libhf-test-siw.la
libhf_test_siw_la_SOURCES = \
	providers/siw/array.c \
	providers/siw/cq.c \
	providers/siw/poll.c \
	providers/siw/qp.c \
	providers/siw/rq.c \
	providers/siw/send.c \
	providers/siw/siw.c \
	providers/siw/wr.c
libhf_test_siw_la_CPPFLAGS = $(provider_cppflags) -Dhf_provider_describe=siw_provider_describe

t_fault_verbs_SOURCES = t/fault/verbs.c t/fault/verbs-seq.c
t_fault_verbs_LDFLAGS = $(kernel_ldflags)
t_fault_verbs_LDADD = libhf-test-verbs.la libhf-test-tree.la libhf-core.la
t_fault_verbs_test_SOURCES = t/fault/verbs-test.c
t_fault_verbs_test_LDFLAGS = $(kernel_ldflags)
t_fault_verbs_test_LDADD = libhf-test-verbs.la libhf-test-tree.la libhf-core.la
