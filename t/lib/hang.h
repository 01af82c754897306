/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How long a test waits for an event that must happen. It only ends tests that hang, so it is longer than
 * any busy machine needs. Test scripts read the number from here (t/tree/tree.sh).
 */
#ifndef HF_TEST_HANG_H
#define HF_TEST_HANG_H

enum {
	HF_TEST_HANG_SECONDS = 300,
	HF_TEST_HANG_MS = HF_TEST_HANG_SECONDS * 1000,
};

#endif
