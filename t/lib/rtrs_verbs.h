/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Verbs between the link of librtrs and the library that has them, for tests. */
#ifndef HF_TEST_RTRS_VERBS_H
#define HF_TEST_RTRS_VERBS_H

/*
 * Completions of what was sent from queues of this size are kept back until the queue is full, as with a peer whose
 * acknowledgements come late. What is posted to a full queue fails. 0: of none.
 */
extern unsigned int rtrs_verbs_late_size;
/* QPs of a device that was removed are forgotten: another one in its place has numbers of its own. */
void rtrs_verbs_forget_numbers(void);

#endif
