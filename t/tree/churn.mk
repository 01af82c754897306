# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# A random plan of plugging, held against a model. `make check-churn` is the long one.
check_PROGRAMS += t/tree/churn
TESTS += t/tree/churn t/tree/churn-threads
dist_check_SCRIPTS += t/tree/churn-threads
t_tree_churn_SOURCES = \
	t/tree/churn.c \
	t/tree/churn.h \
	t/tree/churn_model.c \
	t/tree/churn_view.c
t_tree_churn_LDADD = libholdfast.la libhf-test-tree.la -lpthread

CHURN_STEPS = 100000
CHURN_SEED = 1
check-churn: all t/tree/churn
	top_builddir='$(abs_top_builddir)' t/tree/churn -n $(CHURN_STEPS) -s $(CHURN_SEED) -b 8000
	top_builddir='$(abs_top_builddir)' t/tree/churn -n $(CHURN_STEPS) -s $(CHURN_SEED) -b 8000 -t
.PHONY: check-churn
