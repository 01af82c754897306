# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
libhf_core_la_SOURCES += \
	core/notify/change_check.c \
	core/notify/change_check.h \
	core/notify/hint.c \
	core/notify/hint.h \
	core/notify/hint_queue.c \
	core/notify/hint_queue.h \
	core/notify/inotify.c \
	core/notify/inotify.h \
	core/notify/inotify_fd.c \
	core/notify/inotify_fd.h \
	core/notify/inotify_path.c \
	core/notify/inotify_path.h \
	core/notify/inotify_tree.c \
	core/notify/inotify_tree.h \
	core/notify/libudev.c \
	core/notify/libudev.h \
	core/notify/netlink.c \
	core/notify/netlink.h \
	core/notify/rdma_netlink.c \
	core/notify/rdma_netlink.h \
	core/notify/removal_kernel.c \
	core/notify/removal_kernel.h \
	core/notify/removal_tree.c \
	core/notify/removal_tree.h \
	core/notify/route_netlink.c \
	core/notify/route_netlink.h \
	core/notify/uevent.c \
	core/notify/uevent.h \
	core/notify/watch.c \
	core/notify/watch.h \
	core/notify/watch_options.h
