# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
EXTRA_DIST += t/tree/tree.sh
dist_check_SCRIPTS += t/tree/examples t/tree/example-provider
TESTS += t/tree/examples t/tree/example-provider

if HAVE_CMOCKA
check_PROGRAMS += t/tree/devices t/tree/providers
TESTS += t/tree/devices t/tree/providers
t_tree_devices_SOURCES = t/tree/devices.c
t_tree_devices_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_devices_LDADD = libholdfast.la libhf-test-tree.la $(CMOCKA_LIBS)
t_tree_providers_SOURCES = t/tree/providers.c t/lib/fake/counters.h
t_tree_providers_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_providers_LDADD = libholdfast.la libhf-test-tree.la $(CMOCKA_LIBS)
endif
include t/tree/churn.mk
include t/tree/stream.mk

# The holdfast command, on trees made by tree.sh.
tool_tests = \
	t/tree/tool-completion \
	t/tree/tool-doctor \
	t/tree/tool-exit \
	t/tree/tool-holders \
	t/tree/tool-json \
	t/tree/tool-list \
	t/tree/tool-monitor
dist_check_SCRIPTS += $(tool_tests)
TESTS += $(tool_tests)
EXTRA_DIST += t/tree/tool-lib.sh
