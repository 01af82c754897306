/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * hf-list: the devices that exist now, their ports, and for a device that cannot be opened why not.
 * Exit status: 0 if every device could be read, 1 otherwise.
 */
#include <holdfast/holdfast.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *port_state(uint32_t state)
{
	static const char *const names[] = {
		[IBV_PORT_NOP] = "no state",  [IBV_PORT_DOWN] = "down",
		[IBV_PORT_INIT] = "init",     [IBV_PORT_ARMED] = "armed",
		[IBV_PORT_ACTIVE] = "active", [IBV_PORT_ACTIVE_DEFER] = "active, deferring",
	};

	return state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

static int print_port(struct ibv_device *device, uint32_t number)
{
	struct hf_port_info port = {.size = sizeof(port)};
	int ret;

	ret = hf_device_get_port(device, number, &port);
	if (ret < 0)
		return ret;
	printf("  port %u: %s, %u GIDs", number, port_state(port.state), port.num_gids);
	if (port.netdev[0])
		printf(", on %s", port.netdev);
	printf("\n");
	return 0;
}

static int print_listed_device(struct ibv_device *device)
{
	struct hf_device_info info = {.size = sizeof(info)};
	uint32_t number;
	int ret;

	ret = hf_device_get_info(device, &info);
	if (ret < 0)
		return ret;
	printf("%s generation %llu", info.name, (unsigned long long)info.generation);
	if (info.state != HF_DEVICE_READY) {
		printf(" unusable: %s (%s)\n", hf_reason_name(info.reason.code), info.reason.text);
		return 0;
	}
	printf(" ready: %s, provider %s\n", info.node, info.provider);
	/* The number of ports is not always known; beyond the last one the answer is -ENOENT. */
	for (number = 1; info.num_ports == 0 || number <= info.num_ports; number++) {
		ret = print_port(device, number);
		if (ret == -ENOENT)
			break;
		if (ret < 0)
			return ret;
	}
	return 0;
}

int main(void)
{
	struct ibv_device **list = NULL;
	struct hf *hf = NULL;
	int failed = 0;
	int count, i, ret;

	ret = hf_new(NULL, &hf);
	if (ret < 0) {
		fprintf(stderr, "hf-list: no context: %s\n", strerror(-ret));
		return EXIT_FAILURE;
	}
	count = hf_device_list(hf, HF_LIST_ALL, &list);
	if (count < 0) {
		fprintf(stderr, "hf-list: no list: %s\n", strerror(-count));
		hf_unref(hf);
		return EXIT_FAILURE;
	}
	for (i = 0; i < count; i++) {
		ret = print_listed_device(list[i]);
		if (ret == -ENODEV)
			continue; /* unplugged while we looked: nothing is wrong */
		if (ret < 0) {
			fprintf(stderr, "hf-list: device %d of %d: %s\n", i + 1, count,
				strerror(-ret));
			failed = 1;
		}
	}
	hf_device_list_free(list);
	hf_unref(hf);
	if (fflush(stdout) != 0) {
		perror("hf-list");
		failed = 1;
	}
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
