# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
libhf_core_la_SOURCES += \
	core/stream/event.c \
	core/stream/event.h \
	core/stream/handle_hint.c \
	core/stream/handle_hint.h \
	core/stream/lower_netdevs.c \
	core/stream/lower_netdevs.h \
	core/stream/port_snapshot.c \
	core/stream/port_snapshot.h \
	core/stream/queue.c \
	core/stream/queue.h \
	core/stream/reported.c \
	core/stream/reported.h \
	core/stream/retry.c \
	core/stream/retry.h \
	core/stream/stream.c \
	core/stream/stream.h
