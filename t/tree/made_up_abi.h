/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the made-up provider of each private ABI passes, for the test that looks at what the kernel gets. */
#ifndef HF_TEST_MADE_UP_ABI_H
#define HF_TEST_MADE_UP_ABI_H

enum {
	MADE_UP_REQUEST = 12, /* bytes of driver data */
	MADE_UP_RESPONSE = 24,
	MADE_UP_FD = 1001,
	MADE_UP_LENGTH = 12288,
	MADE_UP_ADDRESS = 0x7654000,
	MADE_UP_QP_ATTR = 15,
};

#endif
