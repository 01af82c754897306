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
	MADE_UP_CPU = 0x321,
	MADE_UP_PH = 2,
	MADE_UP_OFFSET = 0x7000,
	MADE_UP_PORT = 3,
	MADE_UP_SPEED = 1600,
	MADE_UP_OPS = 0x2a,
};

/* Entries of a completion queue that say in which memory the provider asks for it. */
enum { MADE_UP_IN_DMABUF = 11, MADE_UP_NOWHERE, MADE_UP_IN_BOTH };

#endif
