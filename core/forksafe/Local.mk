# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
libhf_core_la_SOURCES += \
	core/forksafe/fork.c \
	core/forksafe/fork.h \
	core/forksafe/fork_pages.c \
	core/forksafe/fork_pages.h \
	core/forksafe/fork_ranges.c \
	core/forksafe/fork_ranges.h
