/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Counts the descriptors that stay open after a list, and with each context. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <infiniband/verbs.h>

enum { NUMBERS = 64, CONTEXTS = 64, PER_CONTEXT = 3, PER_DEVICE = 1, WHILE_OPENING = 2 };

static int count_numbers(void)
{
	int count = 0;

	for (int fd = 0; fd < NUMBERS; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static struct ibv_context *open_first(struct ibv_device **list)
{
	struct ibv_context *context = list && *list ? ibv_open_device(*list) : NULL;

	if (!context)
		printf("FAIL: not opened: %s\n", strerror(errno));
	return context;
}

/*
 * Contexts get their asynchronous events from this eventfd, as if a kernel gave each its own
 * descriptor.
 */
static bool name_event_source(void)
{
	const int fd = eventfd(0, EFD_CLOEXEC);
	char number[16];

	snprintf(number, sizeof(number), "%d", fd);
	return fd >= 0 && !setenv("OBJECTS_ASYNC_FD", number, 1);
}

static int count_kept(struct ibv_device **list, int before)
{
	static struct ibv_context *contexts[CONTEXTS];
	int after_list = count_numbers(), opened = 0, err, all;

	printf("a list keeps %d\n", after_list - before);
	if (after_list != before)
		return 1;
	while (opened < CONTEXTS && (contexts[opened] = ibv_open_device(*list)))
		opened++;
	err = errno;
	all = count_numbers() - after_list;
	printf("%d contexts keep %d\n", opened, all);
	if (err != EMFILE ||
	    opened < (NUMBERS - after_list - PER_DEVICE - WHILE_OPENING) / PER_CONTEXT ||
	    all > opened * PER_CONTEXT + PER_DEVICE)
		return 1;
	for (int i = 0; i < opened; i++)
		ibv_close_device(contexts[i]);
	return count_numbers() == after_list ? 0 : 1;
}

int main(int argc, char **argv)
{
	const bool keep = argc > 1 && !strcmp(argv[1], "keep");
	struct ibv_device **list;
	struct ibv_context *context;
	struct ibv_device_attr attr;
	int before, failed;

	if (!name_event_source())
		return 1;
	before = count_numbers();
	list = ibv_get_device_list(NULL);
	if (keep) {
		failed = !list || !*list || count_kept(list, before);
	} else {
		context = open_first(list);
		failed = !context || ibv_query_device(context, &attr);
		if (context)
			ibv_close_device(context);
	}
	if (list)
		ibv_free_device_list(list);
	return failed;
}
