# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
EXTRA_DIST += t/tree/tree.sh
dist_check_SCRIPTS += t/tree/examples t/tree/example-provider
TESTS += t/tree/examples t/tree/example-provider

if HAVE_CMOCKA
check_PROGRAMS += t/tree/devices t/tree/providers t/tree/stream t/tree/stream_loss t/tree/stream_threads
TESTS += t/tree/devices t/tree/providers t/tree/stream t/tree/stream_loss t/tree/stream_threads
t_tree_devices_SOURCES = t/tree/devices.c
t_tree_devices_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_devices_LDADD = libholdfast.la libhf-test-tree.la $(CMOCKA_LIBS)
t_tree_providers_SOURCES = t/tree/providers.c t/lib/fake/counters.h
t_tree_providers_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_providers_LDADD = libholdfast.la libhf-test-tree.la $(CMOCKA_LIBS)
t_tree_stream_SOURCES = t/tree/stream.c t/tree/stream_bed.c t/tree/stream_bed.h
t_tree_stream_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_stream_LDADD = libholdfast.la libhf-test-tree.la $(CMOCKA_LIBS)
t_tree_stream_loss_SOURCES = t/tree/stream_loss.c t/tree/stream_bed.c t/tree/stream_bed.h
t_tree_stream_loss_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_stream_loss_LDADD = libholdfast.la libhf-test-tree.la $(CMOCKA_LIBS)
t_tree_stream_threads_SOURCES = t/tree/stream_threads.c t/tree/stream_bed.c t/tree/stream_bed.h
t_tree_stream_threads_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_stream_threads_LDADD = libholdfast.la libhf-test-tree.la $(CMOCKA_LIBS)
endif
include t/tree/churn.mk

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
