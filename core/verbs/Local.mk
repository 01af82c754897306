# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
libhf_core_la_SOURCES += \
	core/verbs/ah.c \
	core/verbs/comp_channel.c \
	core/verbs/context.c \
	core/verbs/context.h \
	core/verbs/cq.c \
	core/verbs/cq.h \
	core/verbs/device_list.c \
	core/verbs/dm.c \
	core/verbs/events.c \
	core/verbs/fork.c \
	core/verbs/fork.h \
	core/verbs/fork_pages.c \
	core/verbs/fork_pages.h \
	core/verbs/fork_ranges.c \
	core/verbs/fork_ranges.h \
	core/verbs/gid.c \
	core/verbs/import.c \
	core/verbs/marshall.c \
	core/verbs/marshall.h \
	core/verbs/mcast.c \
	core/verbs/mr.c \
	core/verbs/neighbour.c \
	core/verbs/neighbour.h \
	core/verbs/neighbour_ask.c \
	core/verbs/neighbour_parse.c \
	core/verbs/open.c \
	core/verbs/operations.c \
	core/verbs/operations.h \
	core/verbs/pd.c \
	core/verbs/qp.c \
	core/verbs/qp_ex.c \
	core/verbs/query.c \
	core/verbs/query_kernel.c \
	core/verbs/rates.c \
	core/verbs/srq.c \
	core/verbs/strings.c \
	core/verbs/sysfs_compat.c \
	core/verbs/sysfs_compat.h

# Waiting and letting go.
libhf_core_la_SOURCES += \
	core/verbs/detach.c \
	core/verbs/detach.h \
	core/verbs/revoke.c \
	core/verbs/revoke.h \
	core/verbs/track.c \
	core/verbs/track.h \
	core/verbs/track_ex.c \
	core/verbs/track_internal.h \
	core/verbs/wait.c \
	core/verbs/wait.h
