# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
if HAVE_CMOCKA
stream_tests = t/tree/follow_netdev t/tree/node_access t/tree/stream t/tree/stream_flags t/tree/stream_loss \
	t/tree/stream_paths t/tree/stream_threads
check_PROGRAMS += $(stream_tests)
TESTS += $(stream_tests)
stream_bed = t/tree/stream_bed.c t/tree/stream_bed.h
stream_libs = libholdfast.la libhf-test-asleep.la libhf-test-tree.la $(CMOCKA_LIBS)
t_tree_follow_netdev_SOURCES = t/tree/follow_netdev.c $(stream_bed)
t_tree_follow_netdev_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_follow_netdev_LDADD = $(stream_libs)
t_tree_stream_SOURCES = t/tree/stream.c $(stream_bed)
t_tree_stream_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_stream_LDADD = $(stream_libs)
t_tree_stream_flags_SOURCES = t/tree/stream_flags.c $(stream_bed)
t_tree_stream_flags_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_stream_flags_LDADD = $(stream_libs)
t_tree_stream_loss_SOURCES = t/tree/stream_loss.c $(stream_bed)
t_tree_stream_loss_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_stream_loss_LDADD = $(stream_libs)
t_tree_node_access_SOURCES = t/tree/node_access.c $(stream_bed)
t_tree_node_access_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_node_access_LDFLAGS = $(AM_LDFLAGS) -Wl,--export-dynamic-symbol=faccessat
t_tree_node_access_LDADD = $(stream_libs) -ldl
t_tree_stream_paths_SOURCES = t/tree/stream_paths.c $(stream_bed)
t_tree_stream_paths_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_stream_paths_LDADD = $(stream_libs)
t_tree_stream_threads_SOURCES = t/tree/stream_threads.c $(stream_bed)
t_tree_stream_threads_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_stream_threads_LDADD = $(stream_libs)

if HAVE_UMOCKDEV
check_PROGRAMS += t/tree/stream_umockdev
TESTS += t/tree/stream_umockdev
t_tree_stream_umockdev_SOURCES = t/tree/stream_umockdev.c $(stream_bed)
t_tree_stream_umockdev_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(UMOCKDEV_CFLAGS)
t_tree_stream_umockdev_LDADD = $(stream_libs) $(UMOCKDEV_LIBS)
endif
endif
