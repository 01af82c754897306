# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# RTRS. It stands on public headers and shared/ alone; nothing of it is installed.
noinst_LTLIBRARIES += librtrs-internal.la
librtrs_internal_la_LIBADD = libhf-shared.la
librtrs_internal_la_SOURCES = \
	rtrs/protocol/connect.c \
	rtrs/protocol/connect.h \
	rtrs/protocol/fault.c \
	rtrs/protocol/fault.h \
	rtrs/protocol/geometry.c \
	rtrs/protocol/geometry.h \
	rtrs/protocol/imm.c \
	rtrs/protocol/imm.h \
	rtrs/protocol/info.c \
	rtrs/protocol/info.h \
	rtrs/protocol/le.h \
	rtrs/protocol/message_type.h \
	rtrs/protocol/request.c \
	rtrs/protocol/request.h
