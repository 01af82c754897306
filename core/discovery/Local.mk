# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
libhf_core_la_SOURCES += \
	core/discovery/attrs.c \
	core/discovery/device_dir.c \
	core/discovery/discover.c \
	core/discovery/discovery.h \
	core/discovery/entry.c \
	core/discovery/internal.h \
	core/discovery/names.c \
	core/discovery/netlink.c \
	core/discovery/netlink.h \
	core/discovery/netlink_guess.c \
	core/discovery/netlink_parse.c \
	core/discovery/parse.c \
	core/discovery/read_brief.c \
	core/discovery/read_device.c \
	core/discovery/read_netlink.c \
	core/discovery/sysfs.c
