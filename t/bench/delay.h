/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef HF_BENCH_DELAY_H
#define HF_BENCH_DELAY_H

/*
 * With Holdfast, of which `library` is a handle from dlopen(): plugs and unplugs devices of a tree
 * that holds `others` more, in another process, and prints how long after each change the stream
 * gave its event.
 */
void delay_measure(void *library, unsigned int others);

#endif
