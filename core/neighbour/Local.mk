# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
libhf_core_la_SOURCES += \
	core/neighbour/neighbour.c \
	core/neighbour/neighbour.h \
	core/neighbour/neighbour_ask.c \
	core/neighbour/neighbour_ask.h \
	core/neighbour/neighbour_parse.c \
	core/neighbour/neighbour_parse.h
