/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm-verbs DEVICE[@ADDRESS][,DEVICE...] [TEST...]: tests the verbs of a device in loopback, with data and completions;
 * of several devices in turn, all of which are open.
 */
#include <stdlib.h>

#include "t/vm/verbs/rig.h"
#include "t/vm/verbs/tests.h"

enum { BOTH, ROCE, IWARP };
enum { RIGS_MAX = 4 };

static const struct {
	const char *name;
	void (*run)(struct rig *rig);
	int where;
} tests[] = {
	{"rc", test_rc, ROCE},
	{"rdma", test_rdma, ROCE},
	{"atomic", test_atomic, ROCE},
	{"window", test_window, ROCE},
	{"uc", test_uc, ROCE},
	{"ud", test_ud, ROCE},
	{"multicast", test_multicast, ROCE},
	{"srq", test_srq, ROCE},
	{"cq-ex", test_cq_ex},
	{"events", test_events},
	{"resize", test_resize, ROCE},
	{"full", test_full},
	{"refused", test_refused, ROCE},
	{"flush", test_flush, ROCE},
	{"threads", test_threads},
	{"wr", test_wr, ROCE},
	{"wr-refused", test_wr_refused, ROCE},
	{"atomic-write", test_atomic_write, ROCE},
	{"iwarp", test_iwarp, IWARP},
	{"invalidate", test_invalidate, IWARP},
	{"iwarp-srq", test_iwarp_srq, IWARP},
	{"iwarp-wr", test_iwarp_wr, IWARP},
	{"iwarp-wr-refused", test_iwarp_wr_refused, IWARP},
};

static bool is_test_wanted(const char *name, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

static size_t open_rigs(struct rig *rigs, char *names)
{
	size_t count = 0;
	char *name;

	while ((name = strsep(&names, ","))) {
		if (count == RIGS_MAX)
			vm_die("at most %d devices", RIGS_MAX);
		rig_open(&rigs[count++], name);
	}
	return count;
}

int main(int argc, char **argv)
{
	struct rig rigs[RIGS_MAX] = {0};
	unsigned int run = 0;
	size_t count;

	if (argc < 2)
		vm_die("usage: vm-verbs DEVICE[@ADDRESS][,DEVICE...] [TEST...]");
	setbuf(stdout, NULL);
	count = open_rigs(rigs, argv[1]);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]) * count; i++) {
		const unsigned int errors = vm_errors();
		const size_t test = i / count;
		struct rig *rig = &rigs[i % count];

		if (!is_test_wanted(tests[test].name, argv + 2) ||
		    tests[test].where == (rig->iwarp ? ROCE : IWARP))
			continue;
		tests[test].run(rig);
		run++;
		printf("%s %s%s%s\n", vm_errors() == errors ? "passed" : "failed", tests[test].name,
		       count > 1 ? " on " : "",
		       count > 1 ? ibv_get_device_name(rig->context->device) : "");
	}
	for (size_t i = 0; i < count; i++)
		rig_close(&rigs[i]);
	printf("%u tests, %u errors\n", run, vm_errors());
	return run && !vm_errors() ? EXIT_SUCCESS : EXIT_FAILURE;
}
