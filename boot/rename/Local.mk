# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# rdma_rename gives a device the name that the naming library decides, and udev rules around it.
boot_in += \
	boot/rename/60-rdma-persistent-naming.rules.in \
	boot/rename/90-rdma-moved.rules.in
EXTRA_DIST += boot/rename/90-rdma-umad.rules

if BOOT
udev_PROGRAMS += boot/rename/rdma_rename
boot_rename_rdma_rename_SOURCES = boot/rename/rdma_rename.c
boot_rename_rdma_rename_LDADD = libhf-naming.la
udevrules_DATA += \
	boot/rename/60-rdma-persistent-naming.rules \
	boot/rename/90-rdma-moved.rules \
	boot/rename/90-rdma-umad.rules
endif
