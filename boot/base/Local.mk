# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# What the small programs of this room share.
noinst_LTLIBRARIES += libhf-nldev.la
libhf_nldev_la_SOURCES = boot/base/nldev.c boot/base/nldev.h
libhf_nldev_la_CFLAGS = $(AM_CFLAGS) $(MNL_CFLAGS)
libhf_nldev_la_LIBADD = $(MNL_LIBS)
