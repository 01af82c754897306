/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Each operation of a provider of private ABIs 57 to 65 is where that release's headers have it. */
#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
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

enum { NONE = -1 };

/* Each operation with its slot in our table. */
static const struct {
	const char *name;
	int ours;
} operations[] = {
#define OLD(name)	 {#name, (int)offsetof(struct verbs_context_ops, name)},
#define NEW(name, since) {#name, NONE},
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

static int ours_of(const char *name)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(operations); i++)
		if (strcmp(operations[i].name, name) == 0)
			return operations[i].ours;
	fail_msg("%s is not in the list", name);
	return NONE;
}

/* A table in which each operation is a number of its own arrives with each of them where we have it. */
static void every_operation_arrives(void **state)
{
	size_t checked = 0;

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(sizes); i++) {
		const struct hf_profile profile = {.first = sizes[i].release};
		struct verbs_context_ops ours;
		uintptr_t theirs[128];

		if (strcmp(sizes[i].name, "verbs_context_ops") != 0)
			continue;
		assert_int_equal(hfi_operations_count(&profile) * sizeof(void *), sizes[i].offset);
		for (size_t j = 0; j < HF_ARRAY_SIZE(theirs); j++)
			theirs[j] = 0x1000 + j;
		memset(&ours, 0xff, sizeof(ours));
		hfi_operations_take(&profile, theirs, &ours);
		for (size_t j = 0; j < HF_ARRAY_SIZE(slots); j++) {
			uintptr_t got;
			int at;

			if (slots[j].release != profile.first)
				continue;
			checked++;
			at = ours_of(slots[j].name);
			if (at == NONE)
				continue;
			memcpy(&got, (const char *)&ours + at, sizeof(got));
			if (got != theirs[slots[j].offset / sizeof(got)])
				fail_msg("%u: %s is another operation", profile.first,
					 slots[j].name);
		}
	}
	assert_int_equal(checked, 76 + 79 + 81 + 83 + 93);
	print_message("%zu operations\n", checked);
}

/* All of ours are filled, whichever release it is. */
static void all_of_ours_are_filled(void **state)
{
	size_t old = 0;

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(operations); i++)
		old += operations[i].ours != NONE;
	assert_int_equal(old * sizeof(void *), sizeof(struct verbs_context_ops));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_operation_arrives),
		cmocka_unit_test(all_of_ours_are_filled),
	};

	return cmocka_run_group_tests_name("foreign_layouts", tests, NULL, NULL);
}
