/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The base of the stream tests: a tree, a context on it, and strict expectations. */
#ifndef HF_TEST_STREAM_BED_H
#define HF_TEST_STREAM_BED_H

#include <holdfast/holdfast.h>

#include "t/lib/tree.h"

struct bed {
	struct tree *tree;
	struct hf *hf;
	struct hf_stream *a, *b;
	int fds; /* open before the bed was created */
};

int bed_setup(void **state);
/* Fails if a descriptor was left open. */
int bed_teardown(void **state);

/* Frees the streams and the context only. */
void bed_end(struct bed *bed);

void bed_context(struct bed *bed, uint32_t flags);
void bed_stream(struct bed *bed, struct hf_stream **ret);
/* Flags are enum hf_stream_flags. */
void bed_stream_with(struct bed *bed, uint32_t flags, struct hf_stream **ret);

/*
 * Waits on the stream's descriptor for the next event and checks all its members; returns its
 * generation. Sequence numbers must have no gap.
 */
uint64_t bed_expect(struct hf_stream *stream, enum hf_event_type type, const char *name,
		    uint32_t changes);
/* Expects two events of a kind, in either order. */
void bed_expect_both(struct hf_stream *stream, enum hf_event_type type, const char *a,
		     const char *b);
/*
 * Expects no event: all notifications must have been sent before this call. Waits until everything
 * that the stream checks by a timer has been checked once more. In the end the descriptor is not
 * readable.
 */
void bed_expect_nothing(struct hf_stream *stream);

/* Waits for the next event; NULL if none comes, which must fail another check. */
struct hf_event *bed_wait(struct hf_stream *stream);
/* The next available event, or NULL. */
struct hf_event *bed_take(struct hf_stream *stream);

/* Moves the whole tree to another path, or back. */
void bed_move_away(struct bed *bed);
void bed_move_back(struct bed *bed);

int bed_count_fds(void);

#endif
