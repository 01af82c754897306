# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The daemon that keeps node descriptions up to date.
if BOOT
if HAVE_CMOCKA
ndd_tests = t/tree/ndd t/tree/ndd_many
check_PROGRAMS += $(ndd_tests)
TESTS += $(ndd_tests)
ndd_bed = t/tree/ndd_bed.c t/tree/ndd_bed.h t/bench/trace.c t/bench/trace.h
t_tree_ndd_SOURCES = t/tree/ndd.c $(ndd_bed)
t_tree_ndd_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_ndd_LDADD = libhf-test-asleep.la libhf-test-tree.la $(CMOCKA_LIBS)
t_tree_ndd_many_SOURCES = t/tree/ndd_many.c $(ndd_bed)
t_tree_ndd_many_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_ndd_many_LDADD = libhf-test-asleep.la libhf-test-tree.la $(CMOCKA_LIBS) -lpthread
endif
endif
