# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The one writer of sysfs-shaped trees: those of soft devices, and those of the tests.
noinst_LTLIBRARIES += libhf-soft.la
libhf_soft_la_LIBADD = libhf-shared.la
libhf_soft_la_SOURCES = \
	soft/address.c \
	soft/address.h \
	soft/device.c \
	soft/device.h \
	soft/files.c \
	soft/files.h \
	soft/find.c \
	soft/find.h \
	soft/root.c \
	soft/root.h \
	soft/tree.c \
	soft/tree.h
