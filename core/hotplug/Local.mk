# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
libhf_core_la_SOURCES += \
	core/hotplug/hint.c \
	core/hotplug/hint.h \
	core/hotplug/inotify.c \
	core/hotplug/netlink_source.c \
	core/hotplug/place.c \
	core/hotplug/place.h \
	core/hotplug/rdma_notify.c \
	core/hotplug/route.c \
	core/hotplug/source.h \
	core/hotplug/uevent.c \
	core/hotplug/watch.c \
	core/hotplug/watch.h
