/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm-descriptors: a program of libibverbs that counts the descriptors which lists, contexts of one device, and
 * completion channels keep. With a device after another, one context each, where it is called with "each".
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <infiniband/verbs.h>

enum { CONTEXTS = 64 };

static int count_open(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = -3; /* "." and "..", and that of the directory */

	while (dir && readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static struct ibv_context *open_counted(struct ibv_device *device)
{
	struct ibv_context *context = ibv_open_device(device);

	if (!context)
		fail("open");
	return context;
}

int main(int argc, char **argv)
{
	const int each = argc > 1 && !strcmp(argv[1], "each");
	struct ibv_context *contexts[CONTEXTS];
	struct ibv_comp_channel *channel;
	const int before = count_open();
	struct ibv_device **list;
	int devices, listed, kept;

	list = ibv_get_device_list(&devices);
	if (!list || !devices)
		fail("list");
	listed = count_open();
	printf("list %d", listed - before);
	for (int i = 0; i < CONTEXTS && (!each || i < devices); i++) {
		contexts[i] = open_counted(list[each ? i : 0]);
		kept = count_open() - listed;
		if (i == 0 || i == 7 || i == CONTEXTS - 1)
			printf(", %d: %d", i + 1, kept);
	}
	if (!each) {
		kept = count_open();
		channel = ibv_create_comp_channel(contexts[0]);
		if (!channel)
			fail("channel");
		printf(", channel %d", count_open() - kept);
		ibv_destroy_comp_channel(channel);
	}
	for (int i = 0; i < CONTEXTS && (!each || i < devices); i++)
		ibv_close_device(contexts[i]);
	printf(", closed %d\n", count_open() - listed);
	ibv_free_device_list(list);
	return 0;
}
