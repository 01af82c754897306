# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
libhf_core_la_SOURCES += \
	core/base/log.c \
	core/base/log.h \
	core/base/process.c \
	core/base/process.h \
	core/base/reason.c \
	core/base/reason.h \
	core/base/root.h \
	core/base/thread_safety.h \
	core/base/version.c
