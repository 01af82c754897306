/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The tests that main.c runs on each device. */
#ifndef VM_VERBS_TESTS_H
#define VM_VERBS_TESTS_H

#include "t/vm/verbs/rig.h"

void test_rc(struct rig *rig);
void test_rdma(struct rig *rig);
void test_atomic(struct rig *rig);
void test_window(struct rig *rig);
void test_uc(struct rig *rig);
void test_ud(struct rig *rig);
void test_multicast(struct rig *rig);
void test_srq(struct rig *rig);
void test_cq_ex(struct rig *rig);
void test_events(struct rig *rig);
void test_resize(struct rig *rig);
void test_full(struct rig *rig);
void test_refused(struct rig *rig);
void test_flush(struct rig *rig);
void test_threads(struct rig *rig);
void test_wr(struct rig *rig);
void test_wr_refused(struct rig *rig);
void test_atomic_write(struct rig *rig);
void test_iwarp(struct rig *rig);
void test_invalidate(struct rig *rig);
void test_iwarp_srq(struct rig *rig);
void test_iwarp_wr(struct rig *rig);
void test_iwarp_wr_refused(struct rig *rig);

#endif
