/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * secure SYSFS DEV PROVIDERS: prints whether this process has more rights than its user, and the
 * first device's reason with the file it concerns.
 */
#include <stdio.h>
#include <sys/auxv.h>

#include <holdfast/holdfast.h>

int main(int argc, char **argv)
{
	struct hf_device_info info = {.size = sizeof(info)};
	struct hf_options options = {.size = sizeof(options), .num_roots = 1};
	const char *dirs[2] = {NULL, NULL};
	struct ibv_device **list;
	struct hf_root root = {0};
	struct hf *hf;

	if (argc != 4)
		return 2;
	printf("secure %d\n", getauxval(AT_SECURE) != 0);
	root.sysfs = argv[1];
	root.dev = argv[2];
	dirs[0] = argv[3];
	options.roots = &root;
	options.provider_dirs = dirs;
	if (hf_new(&options, &hf) < 0)
		return 1;
	if (hf_device_list(hf, HF_LIST_ALL, &list) < 1 || hf_device_get_info(list[0], &info) < 0)
		return 1;
	printf("%s %s\n", hf_reason_name(info.reason.code), info.reason.text);
	hf_device_list_free(list);
	hf_unref(hf);
	return 0;
}
