# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Failures and device changes at every system call and allocation: `make check-fault`. `make check` runs the tests
# of the tier itself, opening with every kind of node, and the quick part of the tier.
check_PROGRAMS += t/fault/fault t/fault/fault-test t/fault/inject-test t/fault/node-test
TESTS += t/fault/fault-test t/fault/inject-test t/fault/node-test t/fault/quick
dist_check_SCRIPTS += t/fault/quick

t_fault_inject_test_SOURCES = \
	t/fault/calls.c \
	t/fault/calls.h \
	t/fault/inject.c \
	t/fault/inject.h \
	t/fault/inject-test.c

fault_sources = \
	t/fault/alloc.c \
	t/fault/alloc.h \
	t/fault/calls.c \
	t/fault/calls.h \
	t/fault/counters.c \
	t/fault/counters.h \
	t/fault/drive.c \
	t/fault/drive.h \
	t/fault/inject.c \
	t/fault/inject.h \
	t/fault/ops.h \
	t/fault/run.c \
	t/fault/run.h \
	t/fault/sysfs.c \
	t/fault/sysfs.h \
	t/fault/world.c \
	t/fault/world.h
fault_libs = libhf-test-tree.la libhf-test-fakenl.la libholdfast.la

t_fault_fault_SOURCES = $(fault_sources) \
	t/fault/fault.c \
	t/fault/ops-device.c \
	t/fault/ops-events.c \
	t/fault/ops-list.c \
	t/fault/ops-open.c \
	t/fault/ops-stream.c
t_fault_fault_LDADD = $(fault_libs)

t_fault_fault_test_SOURCES = $(fault_sources) \
	t/fault/fault-test.c \
	t/fault/ops-broken.c
t_fault_fault_test_LDADD = $(fault_libs)

t_fault_node_test_SOURCES = \
	t/fault/counters.c \
	t/fault/counters.h \
	t/fault/node-test.c \
	t/fault/world.c \
	t/fault/world.h
t_fault_node_test_LDADD = libhf-test-asleep.la $(fault_libs)

# Counts in memory: unlike the provider of t/lib it adds no system call to those that are tested.
check_LTLIBRARIES += t/fault/probe-hf1.la
t_fault_probe_hf1_la_SOURCES = t/fault/counters.h t/fault/probe.c
t_fault_probe_hf1_la_LDFLAGS = $(provider_ldflags) -rpath /nowhere
t_fault_probe_hf1_la_LIBADD = libholdfast.la

include t/fault/verbs.mk

.PHONY: check-fault
check-fault: t/fault/fault$(EXEEXT) t/fault/verbs$(EXEEXT) t/fault/probe-hf1.la
	top_builddir='$(abs_top_builddir)' t/fault/fault$(EXEEXT) $(FAULT_ARGS)
	t/fault/verbs$(EXEEXT)
