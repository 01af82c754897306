/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Every object that is passed to a provider or a program has the layout of private ABI 34. */
/* Compile with the headers of rdma-core 44, whose layout this is: later ones are longer. */
#include "config.h"

/* Before the kernel's headers: this one decides how they declare pointers. */
#include <holdfast-provider/provider.h>

#include <assert.h>
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <rdma/ib_user_ioctl_cmds.h>
#include <rdma/ib_user_ioctl_verbs.h>
#include <rdma/ib_user_verbs.h>
#include <rdma/rdma_user_ioctl_cmds.h>
#include <cmocka.h>

#ifndef HAVE_STRUCT_IBV_QP_EX_WR_FLUSH

#define MEMBER_SIZE(type, member) sizeof(((type *)NULL)->member)

/* At compile time: a member that moves stops the build. */
#define SIZE(type, size) static_assert(sizeof(type) == (size), #type);
#define MEMBER(type, member, offset, size)                                    \
	static_assert(offsetof(type, member) == (offset), #type "." #member); \
	static_assert(MEMBER_SIZE(type, member) == (size), #type "." #member);
#include "abi/private34-layout.def"
#undef SIZE
#undef MEMBER

struct fact {
	const char *what;
	size_t is, was;
};

#define SIZE(type, size) {#type, sizeof(type), size},
#define MEMBER(type, member, offset, size)                   \
	{#type "." #member, offsetof(type, member), offset}, \
		{#type "." #member, MEMBER_SIZE(type, member), size},
static const struct fact facts[] = {
#include "abi/private34-layout.def"
};

/* The same at run time, so that the count is printed. */
static void sizes_and_offsets_match(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		if (facts[i].is != facts[i].was)
			fail_msg("%s: %zu, and %zu in private ABI 34", facts[i].what, facts[i].is,
				 facts[i].was);
	assert_true(sizeof(facts) / sizeof(facts[0]) > 3000);
	print_message("%zu sizes and offsets\n", sizeof(facts) / sizeof(facts[0]));
}

/*
 * The number 34 leaves open where verbs_qp.comp_mask is. The distribution's library shows it: it
 * reads VERBS_QP_EX there.
 */
static void the_distribution_reads_where_we_write(void **state)
{
	enum { AS_LARGE_AS_ANY = 512 };
	union {
		struct ibv_qp qp;
		char bytes[AS_LARGE_AS_ANY];
	} object;
	const uint32_t mask = VERBS_QP_EX;
	struct ibv_qp_ex *(*to_qp_ex)(struct ibv_qp *);
	void *library = dlopen("/usr/lib/x86_64-linux-gnu/libibverbs.so.1", RTLD_NOW | RTLD_LOCAL);
	unsigned int hits = 0;

	(void)state;
	if (!library) {
		print_message("skipped: %s\n", dlerror());
		skip();
	}
	to_qp_ex = (struct ibv_qp_ex * (*)(struct ibv_qp *)) dlsym(library, "ibv_qp_to_qp_ex");
	assert_non_null(to_qp_ex);
	for (size_t at = sizeof(struct ibv_qp); at + sizeof(mask) <= sizeof(object); at += 4) {
		memset(&object, 0, sizeof(object));
		memcpy(object.bytes + at, &mask, sizeof(mask));
		if (to_qp_ex(&object.qp)) {
			assert_int_equal(at, offsetof(struct verbs_qp, comp_mask));
			hits++;
		}
	}
	assert_int_equal(hits, 1);
	print_message("verbs_qp.comp_mask at %zu\n", offsetof(struct verbs_qp, comp_mask));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_and_offsets_match),
		cmocka_unit_test(the_distribution_reads_where_we_write),
	};

	return cmocka_run_group_tests_name("layouts", tests, NULL, NULL);
}

#else

int main(void)
{
	printf("skipped: the headers are of rdma-core 45 or later\n");
	return 77;
}

#endif
