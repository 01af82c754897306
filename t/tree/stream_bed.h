/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the tests of streams stand on: a tree, a context on it, and strict expectations. */
#ifndef HF_TEST_STREAM_BED_H
#define HF_TEST_STREAM_BED_H

#include <holdfast/holdfast.h>

#include "t/lib/tree.h"

struct bed {
	struct tree *tree;
	struct hf *hf;
	struct hf_stream *a, *b;
	int fds; /* open before the bed was made */
};

int bed_setup(void **state);
/* Fails when a descriptor is left open. */
int bed_teardown(void **state);

/* Ends streams and context only. */
void bed_end(struct bed *bed);

void bed_context(struct bed *bed, uint32_t flags);
void bed_stream(struct bed *bed, struct hf_stream **ret);
/* With enum hf_stream_flags. */
void bed_stream_with(struct bed *bed, uint32_t flags, struct hf_stream **ret);

/*
 * Waits on the stream's descriptor for the next event and checks all of it; its generation is
 * returned. The sequence must have no gap.
 */
uint64_t bed_expect(struct hf_stream *stream, enum hf_event_type type, const char *name,
		    uint32_t changes);
/* Two events of a kind, in either order. */
void bed_expect_both(struct hf_stream *stream, enum hf_event_type type, const char *a,
		     const char *b);
/*
 * Nothing comes: all notifications were there before this call, and of what the stream looks at again
 * by a timer it does so once more. In the end the descriptor is not readable.
 */
void bed_expect_nothing(struct hf_stream *stream);

/* The next event; NULL when none comes, and another test fails. */
struct hf_event *bed_wait(struct hf_stream *stream);
/* What is there now, or NULL. */
struct hf_event *bed_take(struct hf_stream *stream);

/* The whole tree under another path, and back. */
void bed_move_away(struct bed *bed);
void bed_move_back(struct bed *bed);

int bed_count_fds(void);

#endif
