# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Stable names. The tool that udev runs and the holdfast command both use this library, so they
# answer the same.
noinst_LTLIBRARIES += libhf-naming.la
libhf_naming_la_LIBADD = libhf-shared.la
libhf_naming_la_SOURCES = \
	naming/hardware.c \
	naming/hardware.h \
	naming/naming.c \
	naming/naming.h \
	naming/pci.c \
	naming/pci.h
