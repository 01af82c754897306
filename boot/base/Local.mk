# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# What the small programs of this room share, and what units do.
EXTRA_DIST += boot/base/10-network-pre.conf
noinst_LTLIBRARIES += libhf-boot.la
libhf_boot_la_SOURCES = boot/base/attr.c boot/base/attr.h boot/base/nldev.c boot/base/nldev.h
libhf_boot_la_CFLAGS = $(AM_CFLAGS) $(MNL_CFLAGS)
libhf_boot_la_LIBADD = $(MNL_LIBS)
