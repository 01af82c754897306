/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Measures whole processes, from start to end: one that lists one device, and the distribution's
 * ibv_devices.
 */
#ifndef HF_BENCH_STARTS_H
#define HF_BENCH_STARTS_H

struct tree;

/* `incumbent` and `holdfast` are the libraries' paths, `one` is a tree of one device. */
void starts_begin(const char *incumbent, const char *holdfast, const struct tree *one);

/* Measures a few processes of each kind in turns. */
void starts_measure(void);

void starts_report(void);

#endif
