# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The shim has its own directory, so that only programs that are configured for it load it. The file is named
# like the soname.
compatdir = $(pkglibdir)/compat
compat_LTLIBRARIES = compat/libibverbs.la
compat_libibverbs_la_CPPFLAGS = $(AM_CPPFLAGS)
# With -fno-plt a forwarding function is a single jump.
compat_libibverbs_la_CFLAGS = $(AM_CFLAGS) -fno-plt
compat_libibverbs_la_LDFLAGS = $(AM_LDFLAGS) -avoid-version -shrext .so.1 -shared \
	-Wl,--version-script=$(top_srcdir)/abi/maps/libibverbs.map
compat_libibverbs_la_LIBADD = libholdfast.la
EXTRA_compat_libibverbs_la_DEPENDENCIES = $(top_srcdir)/abi/maps/libibverbs.map
EXTRA_DIST += abi/maps/libibverbs.map abi/libibverbs-symbols.tsv

compat_libibverbs_la_SOURCES = \
	compat/libibverbs/ah.c \
	compat/libibverbs/data.c \
	compat/libibverbs/device.c \
	compat/libibverbs/forward.h \
	compat/libibverbs/later.c \
	compat/libibverbs/memory.c \
	compat/libibverbs/queues.c \
	compat/libibverbs/steering.c \
	compat/ibverbs_1_0/ah.c \
	compat/ibverbs_1_0/device.c \
	compat/ibverbs_1_0/driver.c \
	compat/ibverbs_1_0/events.c \
	compat/ibverbs_1_0/memory.c \
	compat/ibverbs_1_0/ibverbs_1_0.h \
	compat/ibverbs_1_0/post.c \
	compat/ibverbs_1_0/qp.c \
	compat/ibverbs_1_0/queues.c

compat_libibverbs_la_SOURCES += \
	compat/private34/context.c \
	compat/private34/context.h \
	compat/private34/cq.c \
	compat/private34/log.c \
	compat/private34/log.h \
	compat/private34/memory.c \
	compat/private34/memory.h \
	compat/private34/nodes.h \
	compat/private34/post.c \
	compat/private34/private34.h \
	compat/private34/qp.c \
	compat/private34/queues.h \
	compat/private34/register.c \
	compat/private34/srq.c \
	compat/private34/steering.c \
	compat/private34/steering.h \
	compat/private34/strings.c \
	compat/private34/strings.h \
	compat/private57/context.c \
	compat/private57/context.h \
	compat/private57/link.h \
	compat/private59/context.c \
	compat/private59/context.h \
	compat/private59/cq.c \
	compat/private59/cq.h \
	compat/private59/memory.c \
	compat/private59/memory.h \
	compat/private64/heap.c \
	compat/private64/heap.h \
	compat/private64/qp.c \
	compat/private64/qp.h \
	compat/private65/comp_cntr.c \
	compat/private65/comp_cntr.h

# The name that some programs open, NCCL among them: the loader takes the first directory that has it. A build is
# given this directory by nobody, so -libverbs stays the distribution's.
noinst_DATA += compat/link.stamp
CLEANFILES += compat/link.stamp
compat/link.stamp: compat/libibverbs.la
	$(AM_V_GEN)ln -sf libibverbs.so.1 compat/.libs/libibverbs.so && touch $@

# Loads libholdfast by the path in its arguments, so it needs no libtool wrapper in a build tree.
pkglibexec_PROGRAMS += compat/holdfast-scan-provider
compat_holdfast_scan_provider_SOURCES = compat/scan-provider.c

# For /etc/ld.so.conf.d, before the distribution's: see libholdfast-compat(7).
compatconfdir = $(pkgdatadir)
compatconf_DATA = compat/000-holdfast.conf
CLEANFILES += compat/000-holdfast.conf
compat/000-holdfast.conf: Makefile
	$(AM_V_GEN)$(MKDIR_P) compat && echo '$(compatdir)' >$@

# The cache of what providers match. The library creates only the last directory of its path.
install-data-hook: remove-compat-la link-compat make-cache
link-compat:
	ln -sf libibverbs.so.1 '$(DESTDIR)$(compatdir)/libibverbs.so'
make-cache:
	$(INSTALL) -d -m 755 '$(DESTDIR)$(cachedir)'
remove-compat-la:
	rm -f $(DESTDIR)$(compatdir)/libibverbs.la $(DESTDIR)$(compatdir)/libholdfast-paths.la
uninstall-hook: remove-compat
remove-compat:
	rm -f '$(DESTDIR)$(compatdir)/libibverbs.so' '$(DESTDIR)$(compatdir)/libibverbs.so.1' \
		'$(DESTDIR)$(compatdir)/libholdfast-paths.so'
	rm -rf '$(DESTDIR)$(cachedir)'

# Shows soft devices at the fixed paths of the kernel's, for programs that `holdfast run` starts. Beside the shim,
# so that the command finds both in one place.
compat_LTLIBRARIES += compat/libholdfast-paths.la
compat_libholdfast_paths_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared \
	-Wl,--version-script=$(top_srcdir)/abi/maps/paths.map
EXTRA_compat_libholdfast_paths_la_DEPENDENCIES = $(top_srcdir)/abi/maps/paths.map
EXTRA_DIST += abi/maps/paths.map
compat_libholdfast_paths_la_LIBADD = -ldl -lpthread
compat_libholdfast_paths_la_SOURCES = \
	soft/preload/files.c \
	soft/preload/list.c \
	soft/preload/stat.c \
	soft/preload/translate.c \
	soft/preload/translate.h
