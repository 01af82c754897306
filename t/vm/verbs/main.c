/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* vm-verbs DEVICE [TEST...]: the verbs of a device in loopback, data and completions checked. */
#include <stdlib.h>

#include "t/vm/verbs/rig.h"

static const struct {
	const char *name;
	void (*run)(struct rig *rig);
} tests[] = {
	{"rc", test_rc},
	{"rdma", test_rdma},
	{"atomic", test_atomic},
	{"window", test_window},
	{"uc", test_uc},
	{"ud", test_ud},
	{"multicast", test_multicast},
	{"srq", test_srq},
	{"cq-ex", test_cq_ex},
	{"events", test_events},
	{"resize", test_resize},
	{"full", test_full},
	{"refused", test_refused},
	{"flush", test_flush},
	{"threads", test_threads},
	{"wr", test_wr},
	{"wr-refused", test_wr_refused},
	{"atomic-write", test_atomic_write},
};

static bool wanted(const char *name, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	struct rig rig = {0};
	unsigned int run = 0;

	if (argc < 2)
		vm_die("usage: vm-verbs DEVICE [TEST...]");
	setbuf(stdout, NULL);
	rig_open(&rig, argv[1]);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		const unsigned int errors = vm_errors();

		if (!wanted(tests[i].name, argv + 2))
			continue;
		tests[i].run(&rig);
		run++;
		printf("%s %s\n", vm_errors() == errors ? "passed" : "failed", tests[i].name);
	}
	rig_close(&rig);
	printf("%u tests, %u errors\n", run, vm_errors());
	return run && !vm_errors() ? EXIT_SUCCESS : EXIT_FAILURE;
}
