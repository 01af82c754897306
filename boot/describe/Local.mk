# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Sets udev properties for the kinds of an RDMA device. The convenience library is for the tests too.
noinst_LTLIBRARIES += libhf-describe.la
libhf_describe_la_SOURCES = \
	boot/describe/decide.c \
	boot/describe/describe.h \
	boot/describe/tree.c
libhf_describe_la_CFLAGS = $(AM_CFLAGS) $(MNL_CFLAGS)
libhf_describe_la_LIBADD = libhf-shared.la

boot_in += boot/describe/75-rdma-description.rules.in
if BOOT
udev_PROGRAMS += boot/describe/rdma_describe
udevrules_DATA += boot/describe/75-rdma-description.rules
endif
boot_describe_rdma_describe_SOURCES = boot/describe/rdma_describe.c
boot_describe_rdma_describe_LDADD = libhf-describe.la
