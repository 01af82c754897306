# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Not installed: for building with a verbs.h of rdma-core 59 or later.
EXTRA_DIST += include/newer/infiniband/verbs.h
pkginclude_HEADERS = \
	include/holdfast/context.h \
	include/holdfast/device.h \
	include/holdfast/holdfast.h \
	include/holdfast/provider.h \
	include/holdfast/reason.h \
	include/holdfast/stream.h \
	include/holdfast/verbs.h

# The library as an archive with every symbol in sight: for tests and fuzz targets only.
noinst_LTLIBRARIES += libhf-core.la
libhf_core_la_CFLAGS = $(AM_CFLAGS) $(MNL_CFLAGS) $(UDEV_CFLAGS)
libhf_core_la_LIBADD = libhf-shared.la $(MNL_LIBS) -lpthread
libhf_core_la_SOURCES = \
	core/compat.h \
	core/compat_calls.c \
	core/compat_calls.h \
	core/compat_scan.c \
	core/context.c \
	core/settings.c \
	core/settings.h

include core/base/Local.mk
include core/device/Local.mk
include core/discovery/Local.mk
include core/foreign/Local.mk
include core/forksafe/Local.mk
include core/neighbour/Local.mk
include core/notify/Local.mk
include core/provider/Local.mk
include core/registry/Local.mk
include core/stream/Local.mk
include core/uverbs/Local.mk
include core/verbs/Local.mk

lib_LTLIBRARIES += libholdfast.la
libholdfast_la_SOURCES =
libholdfast_la_LIBADD = libhf-core.la
# Never unloaded: the default context and what it holds is there for good.
libholdfast_la_LDFLAGS = $(AM_LDFLAGS) -version-info $(LIBHOLDFAST_VERSION_INFO) -Wl,-z,nodelete \
	-Wl,-Bsymbolic -Wl,--version-script=$(top_srcdir)/abi/maps/libholdfast.map
EXTRA_libholdfast_la_DEPENDENCIES = $(top_srcdir)/abi/maps/libholdfast.map

pkgconfig_DATA += core/holdfast.pc
EXTRA_DIST += core/holdfast.pc.in
