# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Makes units follow devices where systemd gives up: a program, and the rules and the unit that run it. The
# convenience library is also for the tests.
noinst_LTLIBRARIES += libhf-replug.la
libhf_replug_la_SOURCES = \
	boot/replug/devices.c \
	boot/replug/devices.h
libhf_replug_la_CFLAGS = $(AM_CFLAGS) $(UDEV_CFLAGS)
libhf_replug_la_LIBADD = $(UDEV_LIBS)

boot_in += \
	boot/replug/90-rdma-replug.rules.in \
	boot/replug/rdma-replug@.service.in

if BOOT
pkglibexec_PROGRAMS += boot/replug/rdma-replug
boot_replug_rdma_replug_SOURCES = \
	boot/replug/jobs.c \
	boot/replug/jobs.h \
	boot/replug/rdma_replug.c
boot_replug_rdma_replug_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS)
boot_replug_rdma_replug_LDADD = libhf-replug.la $(SYSTEMD_LIBS)
udevrules_DATA += boot/replug/90-rdma-replug.rules
systemdunit_DATA += boot/replug/rdma-replug@.service
endif
