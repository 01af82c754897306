# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
libhf_core_la_SOURCES += \
	core/discovery/attrs.c \
	core/discovery/attrs.h \
	core/discovery/device_dir.c \
	core/discovery/device_dir.h \
	core/discovery/discover.c \
	core/discovery/discover.h \
	core/discovery/entry.c \
	core/discovery/entry.h \
	core/discovery/indexes.c \
	core/discovery/indexes.h \
	core/discovery/life.c \
	core/discovery/life.h \
	core/discovery/names.c \
	core/discovery/names.h \
	core/discovery/netlink.c \
	core/discovery/netlink.h \
	core/discovery/netlink_guess.c \
	core/discovery/netlink_guess.h \
	core/discovery/parse.c \
	core/discovery/parse.h \
	core/discovery/port_netdev.c \
	core/discovery/port_netdev.h \
	core/discovery/port_udp.c \
	core/discovery/port_udp.h \
	core/discovery/port_tables.c \
	core/discovery/port_tables.h \
	core/discovery/read_brief.c \
	core/discovery/read_brief.h \
	core/discovery/read_device.c \
	core/discovery/read_device.h \
	core/discovery/read_netlink.c \
	core/discovery/read_netlink.h \
	core/discovery/sysfs.c \
	core/discovery/sysfs.h
