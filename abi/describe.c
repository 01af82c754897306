/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* describe FILE NODE: prints the members of a provider's descriptor, for abi/check-providers. */
#include <dlfcn.h>
#include <stdio.h>

#include <holdfast-provider/provider.h>

int main(int argc, char **argv)
{
	const struct hf_provider_descriptor *descriptor;
	const struct hf_provider_descriptor *(*describe)(void);
	void *file;

	if (argc != 3) {
		fprintf(stderr, "usage: describe FILE NODE\n");
		return 2;
	}
	file = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
	if (!file) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	*(void **)&describe = dlvsym(file, "hf_provider_describe", argv[2]);
	if (!describe) {
		fprintf(stderr, "%s\n", dlerror());
		dlclose(file);
		return 1;
	}
	descriptor = describe();
	printf("%u %s %s %u %u\n", descriptor->abi, descriptor->name, descriptor->version,
	       descriptor->ops->match_min_abi_version, descriptor->ops->match_max_abi_version);
	dlclose(file);
	return 0;
}
