# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
check_LTLIBRARIES += libhf-test-tree.la
libhf_test_tree_la_SOURCES = \
	t/lib/tree.c \
	t/lib/tree.h \
	t/lib/tree_files.c \
	t/lib/tree_files.h
