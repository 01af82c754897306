# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
libhf_core_la_SOURCES += \
	core/hotplug/attend.c \
	core/hotplug/event.c \
	core/hotplug/event.h \
	core/hotplug/hint.c \
	core/hotplug/hint.h \
	core/hotplug/inotify.c \
	core/hotplug/lower.c \
	core/hotplug/lower.h \
	core/hotplug/netlink_source.c \
	core/hotplug/notifier.c \
	core/hotplug/notifier.h \
	core/hotplug/place.c \
	core/hotplug/place.h \
	core/hotplug/queue.c \
	core/hotplug/queue.h \
	core/hotplug/rdma_notify.c \
	core/hotplug/route.c \
	core/hotplug/snapshot.c \
	core/hotplug/snapshot.h \
	core/hotplug/source.h \
	core/hotplug/stream.c \
	core/hotplug/stream.h \
	core/hotplug/told.c \
	core/hotplug/udev_calls.c \
	core/hotplug/udev_calls.h \
	core/hotplug/uevent.c \
	core/hotplug/watch.c \
	core/hotplug/watch.h
