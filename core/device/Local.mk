# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
libhf_core_la_SOURCES += \
	core/device/attributes.c \
	core/device/attributes.h \
	core/device/device.c \
	core/device/device.h \
	core/device/fork.c \
	core/device/fork.h \
	core/device/hf.c \
	core/device/hf.h \
	core/device/instance.c \
	core/device/instance.h \
	core/device/list.c \
	core/device/list.h \
	core/device/node.c \
	core/device/node.h \
	core/device/node_names.c \
	core/device/node_names.h \
	core/device/open.c \
	core/device/open.h \
	core/device/removal.c \
	core/device/removal.h \
	core/device/root_kind.c \
	core/device/root_kind.h \
	core/device/roots.c \
	core/device/roots.h \
	core/device/scan.c \
	core/device/scan.h \
	core/device/scan_lock.c \
	core/device/scan_lock.h \
	core/device/spare_descriptors.c \
	core/device/spare_descriptors.h \
	core/device/table.c \
	core/device/table.h \
	core/device/table_internal.h \
	core/device/trial.c \
	core/device/trial.h
