/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Makes units follow devices where systemd gives up. When a device appears, systemd starts the
 * units that it wants, but refuses if one of them is still being stopped. When the last device is
 * removed, systemd stops rdma-hw.target, but refuses if a unit that is part of it is still being
 * started. It does not try again. 90-rdma-replug.rules and rdma-replug@.service run this program,
 * which replaces the conflicting job.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot/replug/devices.h"
#include "boot/replug/jobs.h"

enum { EXIT_USAGE = 2 };

static int print_usage(void)
{
	fprintf(stderr,
		"usage: rdma-replug mark\n"
		"       rdma-replug stop\n"
		"       rdma-replug start EVENT[:SUBSYSTEM:NAME]\n"
		"\n"
		"mark   says in /run/holdfast/unplugged that a device was unplugged or renamed\n"
		"stop   stops rdma-hw.target if there is no RDMA device\n"
		"start  starts what a device or node wants and systemd has refused to start;\n"
		"       without SUBSYSTEM and NAME, what any of them wants. EVENT is a number\n"
		"       that tells events apart.\n");
	return EXIT_USAGE;
}

static int mark_unplugged(void)
{
	int fd;

	if (mkdir("/run/holdfast", 0755) && errno != EEXIST)
		return -errno;
	fd = open("/run/holdfast/unplugged", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int start_of_all(sd_bus *bus)
{
	struct replug_names units = {0};
	int err = replug_units_of_all(&units);

	if (!err)
		err = replug_start_refused(bus, &units);
	replug_free_names(&units);
	return err;
}

static int stop_without_device(sd_bus *bus)
{
	int err;

	if (replug_any_device())
		return 0;
	err = replug_stop_target(bus);
	/* A device that appeared meanwhile found the target active, so it must stay. */
	if (!err && replug_any_device())
		err = start_of_all(bus);
	return err;
}

static int start_of_one(sd_bus *bus, char *subsystem)
{
	struct replug_names units = {0};
	char *name = strchr(subsystem, ':');
	int err;

	if (!name)
		return -EINVAL;
	*name++ = '\0';
	err = replug_units_of(subsystem, name, &units);
	if (!err)
		err = replug_start_refused(bus, &units);
	replug_free_names(&units);
	return err;
}

static int start_for_event(sd_bus *bus, char *instance)
{
	char *node = strchr(instance, ':');
	int err = node ? start_of_one(bus, node + 1) : start_of_all(bus);

	/* The device may be removed meanwhile. */
	return err ? err : stop_without_device(bus);
}

int main(int argc, char **argv)
{
	bool to_start = argc == 3 && !strcmp(argv[1], "start");
	bool to_stop = argc == 2 && !strcmp(argv[1], "stop");
	sd_bus *bus = NULL;
	int err;

	if (to_stop && replug_any_device())
		return EXIT_SUCCESS;
	if (argc == 2 && !strcmp(argv[1], "mark")) {
		err = mark_unplugged();
	} else if (to_start || to_stop) {
		err = replug_connect(&bus);
		/* Without systemd there is nothing to do. */
		if (err == -ENOENT || err == -ECONNREFUSED)
			return EXIT_SUCCESS;
		if (!err)
			err = to_start ? start_for_event(bus, argv[2]) : stop_without_device(bus);
	} else {
		return print_usage();
	}
	sd_bus_flush_close_unref(bus);
	if (err)
		fprintf(stderr, "rdma-replug: %s\n", strerror(-err));
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
