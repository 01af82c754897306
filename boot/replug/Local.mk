# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Makes units follow devices where systemd gives up: a program, and the rules and the unit that run it.
boot_in += \
	boot/replug/90-rdma-replug.rules.in \
	boot/replug/rdma-replug@.service.in

if BOOT
pkglibexec_PROGRAMS += boot/replug/rdma-replug
boot_replug_rdma_replug_SOURCES = \
	boot/replug/devices.c \
	boot/replug/devices.h \
	boot/replug/jobs.c \
	boot/replug/jobs.h \
	boot/replug/rdma_replug.c
boot_replug_rdma_replug_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS) $(UDEV_CFLAGS)
boot_replug_rdma_replug_LDADD = $(SYSTEMD_LIBS) $(UDEV_LIBS)
udevrules_DATA += boot/replug/90-rdma-replug.rules
systemdunit_DATA += boot/replug/rdma-replug@.service
endif
