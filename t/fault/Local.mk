# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Failure and replacement at every system call and allocation.
check_PROGRAMS += t/fault/inject-test
TESTS += t/fault/inject-test
t_fault_inject_test_SOURCES = \
	t/fault/calls.c \
	t/fault/calls.h \
	t/fault/inject.c \
	t/fault/inject.h \
	t/fault/inject-test.c
