/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A program that closes every descriptor and opens its own, which get the numbers that the library had: what
 * a daemon does. Afterwards each must be as it was: not read, not written, not closed, not changed.
 */
#ifndef HF_TEST_OTHERS_H
#define HF_TEST_OTHERS_H

enum others_kind {
	OTHERS_SOCKETS,
	OTHERS_EVENTFDS,
	OTHERS_EPOLLS,
	OTHERS_TIMERS,
	OTHERS_INOTIFIES,
	OTHERS_NULLS,
	OTHERS_PIPES,
	OTHERS_FILES,
	OTHERS_KINDS,
};

/* Closes everything from 3 on and takes the numbers up to `last`. Aborts when it cannot. */
void others_take(enum others_kind kind, int last);
/* 0, or the number of the first that is not as it was, after a line that says so. */
int others_check(void);
/* Closes them. */
void others_end(void);

#endif
