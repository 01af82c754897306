# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
libhf_core_la_SOURCES += \
	core/provider/candidate.h \
	core/provider/elf.c \
	core/provider/elf.h \
	core/provider/load.c \
	core/provider/load.h \
	core/provider/manifest.c \
	core/provider/manifest.h \
	core/provider/match.c \
	core/provider/match.h \
	core/provider/registry.c \
	core/provider/registry.h \
	core/provider/registry_list.c \
	core/provider/registry_read.c
