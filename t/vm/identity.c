/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm-identity [-n] NAME: keeps a handle of the device NAME. At the start and for each line of standard
 * input it prints the handle's state, and the generation of the device that has the name now:
 *   GENERATION STATE INDEX INODE STAMP open=ERRNO now=GENERATION
 * -n  without notifications, so that each list compares stamps
 */
#include <errno.h>
#include <string.h>

#include "t/vm/vm.h"

static void print_identity(struct hf *hf, struct ibv_device *device, const char *asked)
{
	static const char *const states[] = {"?", "ready", "unusable", "gone"};
	struct ibv_device **list, *now = NULL;
	struct hf_device_info info;
	int num, opened;

	/* Lists the devices, as an application does from time to time. */
	num = hf_device_list(hf, HF_LIST_ALL, &list);
	if (num < 0)
		vm_die("hf_device_list: %s", strerror(-num));
	vm_info(device, &info);
	opened = vm_try_open(device, info.node_guid, NULL);
	if (hf_device_by_name(hf, asked, &now))
		now = NULL;
	printf("%" PRIu64 " %s %d %" PRIu64 " %lld.%09ld open=%d now=%" PRIu64 "\n",
	       info.generation, info.state < 4 ? states[info.state] : "?", info.index, info.inode,
	       (long long)info.stamp.tv_sec, info.stamp.tv_nsec, opened,
	       now ? hf_device_generation(now) : 0);
	hf_device_unref(now);
	hf_device_list_free(list);
}

int main(int argc, char **argv)
{
	struct ibv_device *device;
	char line[128];
	uint32_t flags = 0;
	const char *name;
	struct hf *hf;
	int ret;

	if (argc == 3 && !strcmp(argv[1], "-n"))
		flags = HF_NO_NOTIFY;
	else if (argc != 2)
		return 2;
	name = argv[argc - 1];
	setvbuf(stdout, NULL, _IOLBF, 0);
	hf = vm_context(flags);
	ret = hf_device_by_name(hf, name, &device);
	if (ret)
		vm_die("%s: %s", name, strerror(-ret));
	print_identity(hf, device, name);
	while (fgets(line, sizeof(line), stdin))
		print_identity(hf, device, name);
	hf_device_unref(device);
	hf_unref(hf);
	return vm_errors() != 0;
}
