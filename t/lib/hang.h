/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How long a test waits for what must happen. It ends tests that hang and decides nothing else: no
 * machine, however busy, may come near it. Test scripts read the number from here (t/tree/tree.sh).
 */
#ifndef HF_TEST_HANG_H
#define HF_TEST_HANG_H

enum {
	HF_TEST_HANG_SECONDS = 300,
	HF_TEST_HANG_MS = HF_TEST_HANG_SECONDS * 1000,
};

#endif
