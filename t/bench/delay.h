/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Measures the time from a change in the tree to the stream's event. */
#ifndef HF_BENCH_DELAY_H
#define HF_BENCH_DELAY_H

/*
 * Adds and removes devices in a tree with `others` more devices, in another process, and prints the time
 * from each change until the stream delivers its event. `library`: Holdfast's handle from dlopen().
 */
void delay_measure(void *library, unsigned int others);

#endif
