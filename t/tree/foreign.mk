# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The distribution's providers.
dist_check_SCRIPTS += t/tree/foreign-order t/tree/foreign-programs t/tree/foreign-real
TESTS += t/tree/foreign-order
if HAVE_CMOCKA
check_PROGRAMS += t/tree/foreign
TESTS += t/tree/foreign
t_tree_foreign_SOURCES = t/tree/foreign.c t/lib/fake_kernel.c t/lib/fake_kernel.h
t_tree_foreign_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_foreign_LDADD = libholdfast.la libhf-test-tree.la libhf-test-fakenl.la $(CMOCKA_LIBS)
check_PROGRAMS += t/tree/foreign_abis
t_tree_foreign_abis_SOURCES = t/tree/foreign_abis.c t/tree/made_up_abi.h t/lib/fake_kernel.c t/lib/fake_kernel.h
t_tree_foreign_abis_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_foreign_abis_LDADD = libholdfast.la libhf-test-tree.la $(CMOCKA_LIBS)
check_PROGRAMS += t/tree/foreign_real
TESTS += t/tree/foreign-real
t_tree_foreign_real_SOURCES = t/tree/foreign_real.c t/lib/fake_kernel.c t/lib/fake_kernel.h
t_tree_foreign_real_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
t_tree_foreign_real_LDADD = libholdfast.la libhf-test-tree.la libhf-test-fakenl.la $(CMOCKA_LIBS)
# Compiled by the script, once for each layout.
EXTRA_DIST += t/tree/made_up_abi.c
dist_check_SCRIPTS += t/tree/foreign-abis
TESTS += t/tree/foreign-abis
endif
