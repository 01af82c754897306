/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The verbs part of the tier. Arguments: names of sequences; none: all. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "t/fault/verbs.h"
#include "t/lib/hang.h"

enum { REPORTS = 5 };

static bool is_chosen(int argc, char **argv, const char *name)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return argc < 2;
}

static int drive(enum vprovider provider, const struct vseq *seq, struct vtally *total)
{
	size_t points[V_KINDS] = {0};
	struct vtally tally = {0};
	int bad = 0;

	for (enum vkind kind = 0; kind < V_KINDS; kind++) {
		if (!vdrive_applies(seq, kind))
			continue;
		points[kind] = tally.points;
		/* Each revocation takes time. */
		for (int old = 0; old < (kind == V_REVOKED ? 1 : 2); old++)
			bad |= vdrive(provider, seq, kind, old, REPORTS, &tally) < 0;
		points[kind] = tally.points - points[kind];
	}
	printf("%s %s: %zu points", vprovider_names[provider], seq->name, tally.points);
	for (enum vkind kind = 0; kind < V_KINDS; kind++)
		printf("%s%zu %s", kind ? ", " : " (", points[kind], vkind_names[kind]);
	printf(")");
	for (size_t i = 0; i < V_FAULTS; i++) {
		if (tally.faults[i])
			printf(", %zu %s", tally.faults[i], vfault_names[i]);
		bad |= tally.faults[i] != 0;
		total->faults[i] += tally.faults[i];
	}
	total->points += tally.points;
	printf("%s\n", bad ? ": FAULTS FOUND" : "");
	return bad;
}

int main(int argc, char **argv)
{
	struct vtally total = {0};
	struct timespec start, end;
	int bad = 0;

	clock_gettime(CLOCK_MONOTONIC, &start);
	if (vdrive_init(HF_TEST_HANG_SECONDS) < 0)
		return 99;
	if (!alloc_available())
		printf("alloc: left out: the allocator is a sanitizer's\n");
	for (enum vprovider provider = 0; provider < V_PROVIDERS; provider++)
		for (const struct vseq *seq = vseqs; seq->name; seq++)
			if (is_chosen(argc, argv, seq->name) && !(seq->without & 1U << provider))
				bad |= drive(provider, seq, &total);
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("verbs: %zu points, %s, %ld s\n", total.points,
	       bad ? "FAULTS FOUND" : "no fault found", (long)(end.tv_sec - start.tv_sec));
	return bad || !total.points;
}
