# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
provider_includedir = $(includedir)/holdfast-provider
provider_include_HEADERS = \
	abi/holdfast-provider/objects.h \
	abi/holdfast-provider/provider.h

# Installed so that a provider built elsewhere links with the very node of this ABI.
provider_mapdir = $(pkgdatadir)
dist_provider_map_DATA = abi/maps/provider.map

pkgconfig_DATA += abi/holdfast-provider.pc
EXTRA_DIST += abi/holdfast-provider.pc.in abi/maps/libholdfast.map
