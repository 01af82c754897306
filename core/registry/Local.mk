# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
libhf_core_la_SOURCES += \
	core/registry/list.c \
	core/registry/list.h \
	core/registry/manifests.c \
	core/registry/manifests.h \
	core/registry/registry.c \
	core/registry/registry.h
