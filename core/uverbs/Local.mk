# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
libhf_core_la_SOURCES += \
	core/uverbs/address.c \
	core/uverbs/command.c \
	core/uverbs/command.h \
	core/uverbs/comp_counters.c \
	core/uverbs/counters.c \
	core/uverbs/cq.c \
	core/uverbs/cq_poll.c \
	core/uverbs/device_commands.c \
	core/uverbs/device_commands.h \
	core/uverbs/event_counts.c \
	core/uverbs/event_counts.h \
	core/uverbs/flow.c \
	core/uverbs/flow_specs.c \
	core/uverbs/flow_specs.h \
	core/uverbs/gid_commands.c \
	core/uverbs/gid_commands.h \
	core/uverbs/ioctl.c \
	core/uverbs/later.h \
	core/uverbs/link.c \
	core/uverbs/link.h \
	core/uverbs/memory.c \
	core/uverbs/memory.h \
	core/uverbs/memory_later.c \
	core/uverbs/memory_native.c \
	core/uverbs/post.c \
	core/uverbs/qp.c \
	core/uverbs/qp_create.c \
	core/uverbs/queues.c \
	core/uverbs/queues.h \
	core/uverbs/shared_heap.c \
	core/uverbs/srq.c \
	core/uverbs/uverbs.h \
	core/uverbs/wq.c
