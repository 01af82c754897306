/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Each operation of a provider of private ABIs 57 to 65 is where that release's headers have it. */
#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "shared/attr.h"
#include "core/foreign/family.h"
#include "core/foreign/operations.h"

/* The table of each release, made of our list: an operation that it does not have takes no room. */
#define OLD(name)	 char name[8];
#define NEW(name, since) char name[(since) <= RELEASE ? 8 : 0];
#define RELEASE		 57
struct operations_57 {
	HF_OPERATIONS(OLD, NEW)
};
#undef RELEASE
#define RELEASE 59
struct operations_59 {
	HF_OPERATIONS(OLD, NEW)
};
#undef RELEASE
#define RELEASE 62
struct operations_62 {
	HF_OPERATIONS(OLD, NEW)
};
#undef RELEASE
#define RELEASE 64
struct operations_64 {
	HF_OPERATIONS(OLD, NEW)
};
#undef RELEASE
#define RELEASE 65
struct operations_65 {
	HF_OPERATIONS(OLD, NEW)
};
#undef RELEASE
#undef OLD
#undef NEW

/* At compile time: what stands at another place stops the build. */
#define SLOT(release, op, offset) \
	static_assert(offsetof(struct operations_##release, op) == (offset), #release " " #op);
#define SIZE_OF_verbs_context_ops(release, size) \
	static_assert(sizeof(struct operations_##release) == (size), #release);
#define SIZE_OF_verbs_context(release, size)
#define SIZE_IN(release, type, size) SIZE_OF_##type(release, size)
#define IN_CONTEXT(release, member, offset)
#include "abi/private-next-layout.def"
#undef SLOT
#undef SIZE_OF_verbs_context_ops
#undef SIZE_OF_verbs_context
#undef SIZE_IN
#undef IN_CONTEXT

/* Each operation with its place in one of our two tables. */
static const struct operation {
	const char *name;
	size_t ours;
	bool later;
} operations[] = {
#define OLD(name)	 {#name, offsetof(struct verbs_context_ops, name), false},
#define NEW(name, since) {#name, offsetof(struct hf_later_ops, name), true},
	HF_OPERATIONS(OLD, NEW)
#undef OLD
#undef NEW
};

struct fact {
	unsigned int release;
	const char *name;
	size_t offset;
};

static const struct fact slots[] = {
#define SLOT(release, op, offset) {release, #op, offset},
#define SIZE_IN(release, type, size)
#define IN_CONTEXT(release, member, offset)
#include "abi/private-next-layout.def"
#undef SLOT
#undef SIZE_IN
#undef IN_CONTEXT
};

static const struct fact sizes[] = {
#define SLOT(release, op, offset)
#define SIZE_IN(release, type, size) {release, #type, size},
#define IN_CONTEXT(release, member, offset)
#include "abi/private-next-layout.def"
#undef SLOT
#undef SIZE_IN
#undef IN_CONTEXT
};

static const struct hf_profile *profile_since(unsigned int release)
{
	for (size_t i = 0; i < hfi_num_families; i++)
		for (size_t j = 0; j < hfi_families[i].num_profiles; j++)
			if (hfi_families[i].profiles[j].first == release)
				return &hfi_families[i].profiles[j];
	fail_msg("no profile begins with rdma-core %u", release);
	return NULL;
}

static const struct operation *operation_of(const char *name)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(operations); i++)
		if (strcmp(operations[i].name, name) == 0)
			return &operations[i];
	fail_msg("%s is not in the list", name);
	return NULL;
}

/* A table in which each operation is a number of its own arrives with each of them where we have it. */
static void every_operation_arrives(void **state)
{
	size_t checked = 0;

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(sizes); i++) {
		const struct hf_profile *profile = profile_since(sizes[i].release);
		struct verbs_context_ops ours;
		struct hf_later_ops later;
		uintptr_t theirs[128];
		size_t set = 0;

		if (strcmp(sizes[i].name, "verbs_context_ops") != 0)
			continue;
		assert_int_equal(hfi_foreign_ops_count(profile) * sizeof(void *), sizes[i].offset);
		for (size_t j = 0; j < HF_ARRAY_SIZE(theirs); j++)
			theirs[j] = 0x1000 + j;
		memset(&ours, 0xff, sizeof(ours));
		memset(&later, 0xff, sizeof(later));
		hfi_foreign_ops_take(profile, theirs, &ours, &later);
		for (size_t j = 0; j < HF_ARRAY_SIZE(slots); j++) {
			const struct operation *operation;
			uintptr_t got;

			if (slots[j].release != profile->first)
				continue;
			checked++;
			operation = operation_of(slots[j].name);
			memcpy(&got,
			       (operation->later ? (const char *)&later : (const char *)&ours) +
				       operation->ours,
			       sizeof(got));
			set += operation->later;
			if (got != theirs[slots[j].offset / sizeof(got)])
				fail_msg("%u: %s is another operation", profile->first,
					 slots[j].name);
		}
		/* What that release does not have is NULL. */
		for (size_t at = 0; at < sizeof(later); at += sizeof(uintptr_t)) {
			uintptr_t got;

			memcpy(&got, (const char *)&later + at, sizeof(got));
			set -= got != 0;
		}
		assert_int_equal(set, 0);
	}
	assert_int_equal(checked, 76 + 79 + 81 + 83 + 93);
	print_message("%zu operations\n", checked);
}

static const struct fact members[] = {
#define SLOT(release, op, offset)
#define SIZE_IN(release, type, size)
#define IN_CONTEXT(release, member, offset) {release, #member, offset},
#include "abi/private-next-layout.def"
#undef SLOT
#undef SIZE_IN
#undef IN_CONTEXT
};

/* Of struct verbs_context, those that programs' headers have and the core fills. */
static const struct fact ours_in_context[] = {
#define HAS(member) {0, #member, offsetof(struct verbs_context, member)},
	HAS(query_port) HAS(advise_mr) HAS(alloc_null_mr) HAS(read_counters) HAS(
		attach_counters_point_flow) HAS(create_counters) HAS(destroy_counters)
		HAS(reg_dm_mr) HAS(alloc_dm) HAS(free_dm) HAS(modify_flow_action_esp) HAS(
			destroy_flow_action) HAS(create_flow_action_esp) HAS(modify_qp_rate_limit)
			HAS(alloc_parent_domain) HAS(dealloc_td) HAS(alloc_td) HAS(modify_cq) HAS(
				post_srq_ops) HAS(destroy_rwq_ind_table) HAS(create_rwq_ind_table)
				HAS(destroy_wq) HAS(modify_wq) HAS(create_wq) HAS(query_rt_values)
					HAS(create_cq_ex) HAS(priv) HAS(query_device_ex) HAS(
						ibv_destroy_flow) HAS(ABI_placeholder2)
						HAS(ibv_create_flow) HAS(ABI_placeholder1) HAS(
							open_qp) HAS(create_qp_ex) HAS(get_srq_num)
							HAS(create_srq_ex) HAS(open_xrcd)
								HAS(close_xrcd)
									HAS(_ABI_placeholder3)
										HAS(sz) HAS(context)
#undef HAS
};

/* The context that a provider of each release sees is ours, with what the profile says in front of it. */
static void the_context_ends_like_ours(void **state)
{
	size_t same = 0, in_front = 0;

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(members); i++) {
		const size_t front = profile_since(members[i].release)->front;
		size_t at = 0;

		while (at < HF_ARRAY_SIZE(ours_in_context) &&
		       strcmp(ours_in_context[at].name, members[i].name) != 0)
			at++;
		if (at == HF_ARRAY_SIZE(ours_in_context)) {
			in_front++;
			assert_in_range(members[i].offset, 0, front - sizeof(void *));
			continue;
		}
		same++;
		if (members[i].offset != front + ours_in_context[at].offset)
			fail_msg("%u: %s is elsewhere", members[i].release, members[i].name);
	}
	for (size_t i = 0; i < HF_ARRAY_SIZE(sizes); i++)
		if (!strcmp(sizes[i].name, "verbs_context"))
			assert_int_equal(sizes[i].offset, profile_since(sizes[i].release)->front +
								  sizeof(struct verbs_context));
	assert_int_equal(same, 5 * HF_ARRAY_SIZE(ours_in_context));
	assert_int_equal(in_front, 0 + 3 + 4 + 6 + 6);
	print_message("%zu members\n", same + in_front);
}

/* All of ours are filled, whichever release it is. */
static void all_of_ours_are_filled(void **state)
{
	size_t later = 0;

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(operations); i++)
		later += operations[i].later;
	assert_int_equal(later * sizeof(void *), sizeof(struct hf_later_ops));
	assert_int_equal((HF_ARRAY_SIZE(operations) - later) * sizeof(void *),
			 sizeof(struct verbs_context_ops));
}

/* A row of the table of layouts in libholdfast-compat(7). */
static void print_layout(char *row, size_t size, const struct hf_family *family,
			 const struct hf_profile *profile)
{
	char releases[32];

	snprintf(releases, sizeof(releases),
		 profile->first == profile->last      ? "%u"
		 : profile->first + 1 < profile->last ? "%u to %u"
						      : "%u and %u",
		 profile->first, profile->last);
	snprintf(row, size, ".It %s Ta %u Ta Pa librxe%s Ta %zu Ta %zu Ta %zu", releases,
		 family->abi, family->suffix, hfi_foreign_ops_count(profile), profile->front,
		 profile->qp_mask_offset);
}

static void print_layouts(void)
{
	char row[160];

	for (size_t i = 0; i < hfi_num_families; i++)
		for (size_t j = 0; j < hfi_families[i].num_profiles; j++) {
			print_layout(row, sizeof(row), &hfi_families[i],
				     &hfi_families[i].profiles[j]);
			printf("%s\n", row);
		}
}

/* The table of layouts there has these rows in this order and no other. */
static void the_manual_has_each_layout(void **state)
{
	const char *source = getenv("top_srcdir");
	char path[4096], line[256], row[160];
	bool within = false;
	size_t i = 0, j = 0;
	FILE *manual;

	(void)state;
	snprintf(path, sizeof(path), "%s/man/libholdfast-compat.7", source ? source : ".");
	manual = fopen(path, "r");
	if (!manual)
		skip();
	while (fgets(line, sizeof(line), manual)) {
		line[strcspn(line, "\n")] = '\0';
		if (!within) {
			within = strncmp(line, ".It Sy release", strlen(".It Sy release")) == 0;
			continue;
		}
		if (!strcmp(line, ".El"))
			break;
		if (i == hfi_num_families)
			fail_msg("no layout is as \"%s\"", line);
		print_layout(row, sizeof(row), &hfi_families[i], &hfi_families[i].profiles[j]);
		assert_string_equal(line, row);
		if (++j == hfi_families[i].num_profiles) {
			j = 0;
			i++;
		}
	}
	fclose(manual);
	assert_int_equal(i, hfi_num_families);
}

/* With --table: the manual's rows. */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_operation_arrives),
		cmocka_unit_test(the_context_ends_like_ours),
		cmocka_unit_test(all_of_ours_are_filled),
		cmocka_unit_test(the_manual_has_each_layout),
	};

	if (argc == 2 && !strcmp(argv[1], "--table")) {
		print_layouts();
		return 0;
	}

	return cmocka_run_group_tests_name("foreign_layouts", tests, NULL, NULL);
}
