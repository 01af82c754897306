# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Which of the distribution's provider libraries there are, what each matches, why one is refused. It
# stands beside core/provider, which calls it, and not in compat: a program that is linked to libholdfast
# alone has no libibverbs.so.1 in it, and must still be told of every candidate before one is opened
# (contract 7). The calls of a foreign ABI themselves are compat's (compat/private*), which is mapped
# only when such a library is taken. How another ABI is added: family.h.
libhf_core_la_SOURCES += \
	core/foreign/cache.c \
	core/foreign/cache.h \
	core/foreign/cache_file.c \
	core/foreign/cache_file.h \
	core/foreign/candidate.c \
	core/foreign/candidate.h \
	core/foreign/drivers.c \
	core/foreign/drivers.h \
	core/foreign/family.c \
	core/foreign/family.h \
	core/foreign/foreign.c \
	core/foreign/foreign.h \
	core/foreign/learn.c \
	core/foreign/learn.h \
	core/foreign/load.c \
	core/foreign/load.h \
	core/foreign/operations.c \
	core/foreign/operations.h \
	core/foreign/other_abi.c \
	core/foreign/other_abi.h \
	core/foreign/registered.c \
	core/foreign/registered.h \
	core/foreign/scan.c \
	core/foreign/scan.h \
	core/foreign/shim.c \
	core/foreign/shim.h \
	core/foreign/tables.c \
	core/foreign/tables.h
