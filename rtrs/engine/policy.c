/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The three policies, and their names as the kernel's files show and accept them. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "rtrs/engine/policy.h"
#include "shared/text.h"

static int next_in_turn(const struct rtrs_candidate *candidates, size_t count, size_t cursor)
{
	for (size_t i = 1; i <= count; i++) {
		size_t at = (cursor + i) % count;

		if (candidates[at].usable)
			return (int)at;
	}
	return -ECONNABORTED;
}

static bool is_better(enum rtrs_policy policy, const struct rtrs_candidate *a,
		      const struct rtrs_candidate *b)
{
	if (policy == RTRS_MIN_LATENCY)
		return a->latency_ns < b->latency_ns;
	return a->inflight < b->inflight;
}

static int best_of(enum rtrs_policy policy, const struct rtrs_candidate *candidates, size_t count)
{
	int best = -ECONNABORTED;

	for (size_t i = 0; i < count; i++) {
		if (candidates[i].usable &&
		    (best < 0 || is_better(policy, &candidates[i], &candidates[best])))
			best = (int)i;
	}
	return best;
}

int rtrsi_policy_choose(enum rtrs_policy policy, const struct rtrs_candidate *candidates,
			size_t count, size_t *cursor)
{
	int chosen;

	if (policy == RTRS_ROUND_ROBIN)
		chosen = next_in_turn(candidates, count, *cursor);
	else
		chosen = best_of(policy, candidates, count);
	if (chosen >= 0)
		*cursor = (size_t)chosen;
	return chosen;
}

static const struct {
	const char *name, *abbreviation;
} policies[] = {
	[RTRS_ROUND_ROBIN] = {"round-robin", "RR"},
	[RTRS_MIN_INFLIGHT] = {"min-inflight", "MI"},
	[RTRS_MIN_LATENCY] = {"min-latency", "ML"},
};

int rtrsi_policy_print(enum rtrs_policy policy, char *to, size_t size)
{
	if ((size_t)policy >= HF_ARRAY_SIZE(policies))
		return -EINVAL;
	return hfi_print(to, size, "%s (%s: %d)", policies[policy].name,
			 policies[policy].abbreviation, (int)policy);
}

int rtrsi_policy_parse(const char *text, enum rtrs_policy *ret)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(policies); i++) {
		const char digit[] = {(char)('0' + i), '\0'};

		if (strcmp(text, digit) != 0 && strcasecmp(text, policies[i].name) != 0 &&
		    strcasecmp(text, policies[i].abbreviation) != 0)
			continue;
		*ret = i;
		return 0;
	}
	return -EINVAL;
}
