# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# What the library, the tools, boot integration and the tests all use. It includes no other room.
noinst_LTLIBRARIES += libhf-shared.la
libhf_shared_la_CFLAGS = $(AM_CFLAGS) $(MNL_CFLAGS)
libhf_shared_la_LIBADD = $(MNL_LIBS)
libhf_shared_la_SOURCES = \
	shared/attr.h \
	shared/cancel.c \
	shared/cancel.h \
	shared/clock.h \
	shared/error.c \
	shared/error.h \
	shared/fd_mark.c \
	shared/fd_mark.h \
	shared/file.c \
	shared/file.h \
	shared/hash.h \
	shared/json.c \
	shared/json.h \
	shared/nldev.c \
	shared/nldev.h \
	shared/nldev_parse.c \
	shared/nldev_parse.h \
	shared/printed.c \
	shared/printed.h \
	shared/runtime_dir.c \
	shared/runtime_dir.h \
	shared/soft_counters.h \
	shared/stamp.c \
	shared/stamp.h \
	shared/sysfs_attr.c \
	shared/sysfs_attr.h \
	shared/text.c \
	shared/text.h \
	shared/thread.h \
	shared/udp_port.c \
	shared/udp_port.h \
	shared/userns.c \
	shared/userns.h
