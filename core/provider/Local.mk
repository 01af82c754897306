# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
libhf_core_la_SOURCES += \
	core/provider/candidate.c \
	core/provider/candidate.h \
	core/provider/elf.c \
	core/provider/elf.h \
	core/provider/elf_reader.c \
	core/provider/elf_reader.h \
	core/provider/elf_tables.c \
	core/provider/elf_tables.h \
	core/provider/library.c \
	core/provider/library.h \
	core/provider/manifest.c \
	core/provider/manifest.h \
	core/provider/match.c \
	core/provider/match.h \
	core/provider/safety.c \
	core/provider/safety.h
