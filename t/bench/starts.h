/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a program pays before it does anything: a process that lists one device, and the
 * distribution's ibv_devices, each from its start to its end.
 */
#ifndef HF_BENCH_STARTS_H
#define HF_BENCH_STARTS_H

struct tree;

/* `incumbent` and `holdfast` are the libraries' paths, `one` is a tree of one device. */
void starts_begin(const char *incumbent, const char *holdfast, const struct tree *one);

/* A few of each kind, in turns. */
void starts_measure(void);

void starts_report(void);

#endif
