# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The provider ABI: headers, symbol maps, and the recorded ABI.
provider_includedir = $(includedir)/holdfast-provider
provider_include_HEADERS = \
	abi/holdfast-provider/events.h \
	abi/holdfast-provider/later.h \
	abi/holdfast-provider/memory.h \
	abi/holdfast-provider/objects.h \
	abi/holdfast-provider/provider.h \
	abi/holdfast-provider/queues.h \
	abi/holdfast-provider/steering.h

# Installed so that providers built elsewhere export the symbol node of this ABI.
provider_mapdir = $(pkgdatadir)
dist_provider_map_DATA = abi/maps/provider.map

pkgconfig_DATA += abi/holdfast-provider.pc
EXTRA_DIST += abi/holdfast-provider.pc.in abi/maps/libholdfast.map abi/maps/librtrs.map

# The recorded ABI: `make abi-check` compares with it, `make abi-baseline` records it anew.
EXTRA_DIST += abi/lib.sh abi/next-release abi/check abi/check-self abi/check-providers abi/public-types.ini abi/record \
	abi/baseline/libholdfast-0.1.abi abi/baseline/libibverbs-1.14.abi abi/baseline/librtrs-0.1.abi abi/provider-imports.tsv

check_PROGRAMS += abi/describe
abi_describe_SOURCES = abi/describe.c
abi_describe_LDADD =

.PHONY: abi-check abi-baseline
abi-check: all
	top_builddir=. $(srcdir)/abi/check
	top_builddir=. $(srcdir)/abi/check-self

abi-baseline: all
	top_builddir=. $(srcdir)/abi/record
