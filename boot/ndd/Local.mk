# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# rdma-ndd, the daemon that keeps node descriptions up to date.
EXTRA_DIST += boot/ndd/60-rdma-ndd.rules
boot_in += boot/ndd/rdma-ndd.service.in

if BOOT
sbin_PROGRAMS += boot/ndd/rdma-ndd
boot_ndd_rdma_ndd_SOURCES = \
	boot/ndd/background.c \
	boot/ndd/background.h \
	boot/ndd/devices.c \
	boot/ndd/devices.h \
	boot/ndd/host.c \
	boot/ndd/host.h \
	boot/ndd/log.c \
	boot/ndd/log.h \
	boot/ndd/main.c \
	boot/ndd/options.c \
	boot/ndd/options.h \
	boot/ndd/text.c \
	boot/ndd/text.h
boot_ndd_rdma_ndd_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS)
boot_ndd_rdma_ndd_LDADD = libholdfast.la $(SYSTEMD_LIBS)
udevrules_DATA += boot/ndd/60-rdma-ndd.rules
systemdunit_DATA += boot/ndd/rdma-ndd.service
endif
