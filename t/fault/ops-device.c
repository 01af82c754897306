/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Attributes, ports and GIDs of one device. */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "t/fault/ops.h"

static const int attr_errors[] = {ENODEV, ENOENT, EACCES, EIO, EMFILE, ENFILE, 0};
static const int write_errors[] = {ENODEV, ENOENT, EACCES,     EINVAL, EIO,
				   EMFILE, ENFILE, EOPNOTSUPP, 0};

static void prepare_device_calls(struct run *run)
{
	run->hf = run_context(run);
	run_find_devices(run);
}

static void prepare_brief_devices(struct run *run)
{
	run->hf = run_context(run);
	run_find_briefly(run);
}

static const struct world_instance *asked(const struct run *run)
{
	return &run->world->instances[run->asked];
}

/* Once the device is known to be gone, nothing can be read. */
static void check_not_gone(struct run *run)
{
	if (run->again && run_replaced(run))
		run_fault(run, FAULT_WRONG_ANSWER, "it succeeds on a device that is gone");
}

static int call_attr(struct run *run)
{
	return hf_device_read_attr(run->target, "fw_ver", run->value, sizeof(run->value));
}

static void check_attr(struct run *run, int length)
{
	if (strcmp(run->value, asked(run)->fw_ver) != 0)
		run_fault(run, FAULT_WRONG_DEVICE, "fw_ver is '%.32s' instead of '%s'", run->value,
			  asked(run)->fw_ver);
	else if ((size_t)length != strlen(run->value))
		run_fault(run, FAULT_WRONG_ANSWER, "the length is said to be %d", length);
	check_not_gone(run);
}

/* Opens the attribute of the device that has the target's name now, whichever that is. */
static FILE *open_description(const struct run *run, const char *mode)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/class/infiniband/%s/node_desc", run->world->sysfs,
		 run->world->name[WORLD_TARGET]);
	return fopen(path, mode);
}

static void prepare_write(struct run *run)
{
	FILE *file;

	prepare_device_calls(run);
	file = open_description(run, "w");
	if (!file || fputs("before", file) < 0 || fclose(file) != 0)
		run_fault(run, FAULT_WRONG_ANSWER, "the tree has no node_desc to write to");
}

static int call_write(struct run *run)
{
	return hf_device_write_attr(run->target, "node_desc", "written");
}

static void check_write(struct run *run, int answer)
{
	const int now = run->world->now[WORLD_TARGET];
	char text[32] = "";
	FILE *file;

	(void)answer;
	check_not_gone(run);
	if (now < 0)
		return;
	file = open_description(run, "r");
	if (!file || !fgets(text, sizeof(text), file))
		run_fault(run, FAULT_WRONG_ANSWER, "node_desc cannot be read");
	if (file)
		fclose(file);
	if (now == run->asked && strcmp(text, "written") != 0)
		run_fault(run, FAULT_WRONG_ANSWER, "node_desc is '%s'", text);
	if (now != run->asked && !strcmp(text, "written"))
		run_fault(run, FAULT_WRONG_DEVICE, "it was written to another device");
}

static int call_port(struct run *run)
{
	return hf_device_get_port(run->target, 1, &run->port);
}

/* Each value is read separately: one that the failed call could not read is unknown. */
static bool may_lack_values(const struct run *run)
{
	return !run->again && run->kind >= RUN_FAIL;
}

static void check_port(struct run *run, int answer)
{
	const struct hf_port_info *port = &run->port;
	bool lacks = may_lack_values(run);

	(void)answer;
	check_not_gone(run);
	if (strcmp(port->rate, asked(run)->rate) != 0 && !(lacks && !port->rate[0]))
		run_fault(run, FAULT_WRONG_DEVICE, "the rate is '%s' instead of '%s'", port->rate,
			  asked(run)->rate);
	/* A missing attribute or GID may also mean an older kernel or the end of the table. */
	if (run_was_lied_to(run) && !run->again)
		return;
	if (port->port != 1 || (port->state != IBV_PORT_ACTIVE && !(lacks && !port->state)) ||
	    (port->link_layer != IBV_LINK_LAYER_ETHERNET && !(lacks && !port->link_layer)))
		run_fault(run, FAULT_WRONG_ANSWER, "port %u, state %u, link layer %d", port->port,
			  port->state, port->link_layer);
	if (port->num_gids != 2 && !(lacks && port->num_gids < 2))
		run_fault(run, FAULT_WRONG_ANSWER, "%u GIDs instead of 2", port->num_gids);
}

static int call_gids(struct run *run)
{
	return hf_device_get_gids(run->target, 1, sizeof(*run->gids), &run->gids);
}

/* A GID that cannot be read is omitted. */
static void check_run_gids(struct run *run, int num)
{
	bool lacks = may_lack_values(run);

	check_not_gone(run);
	if (num != 2 && !(lacks && num < 2))
		run_fault(run, FAULT_WRONG_ANSWER, "%d GIDs instead of 2", num);
	for (int i = 0; i < num; i++) {
		const struct hf_gid *gid = &run->gids[i];

		if (gid->index == 0 && be64toh(gid->gid.global.interface_id) != asked(run)->guid)
			run_fault(run, FAULT_WRONG_DEVICE, "the GID of %lx instead of %lx",
				  (unsigned long)be64toh(gid->gid.global.interface_id),
				  (unsigned long)asked(run)->guid);
		if (gid->index > 1 ||
		    (gid->type != HF_GID_ROCE_V2 &&
		     !(lacks && (gid->type == HF_GID_TYPE_UNKNOWN || gid->type == HF_GID_ROCE_V1))))
			run_fault(run, FAULT_WRONG_ANSWER, "a GID's type or index is wrong");
	}
}

static void drop_gids(struct run *run, int num)
{
	(void)num;
	free(run->gids);
}

static int call_info(struct run *run)
{
	run->info.size = sizeof(run->info);
	return hf_device_get_info(run->target, &run->info);
}

/* Values that were not read before the device was removed, or could not be read, are unknown. */
static bool may_be_unknown(const struct run *run)
{
	return run_replaced(run) || (!run->again && run->kind >= RUN_FAIL);
}

static void check_info(struct run *run, int answer)
{
	(void)answer;
	if (!run->info.node_guid && may_be_unknown(run))
		run->info.node_guid = asked(run)->guid;
	if (run->info.node_guid != asked(run)->guid || run->info.inode != asked(run)->inode ||
	    run->info.generation != run->target_generation)
		run_fault(run, FAULT_WRONG_DEVICE, "GUID %lx, inode %lu, generation %lu",
			  (unsigned long)run->info.node_guid, (unsigned long)run->info.inode,
			  (unsigned long)run->info.generation);
}

static int call_guid(struct run *run)
{
	run->guid = be64toh(ibv_get_device_guid(run->target));
	return 0;
}

static void check_guid(struct run *run, int answer)
{
	(void)answer;
	if (!run->guid && may_be_unknown(run))
		return;
	if (run->guid != asked(run)->guid)
		run_fault(run, run->guid ? FAULT_WRONG_DEVICE : FAULT_WRONG_ANSWER,
			  "the GUID is %lx instead of %lx", (unsigned long)run->guid,
			  (unsigned long)asked(run)->guid);
}

const struct op ops_device[] = {
	{.name = "read-attr",
	 .prepare = prepare_device_calls,
	 .call = call_attr,
	 .check = check_attr,
	 .errors = attr_errors,
	 .about_target = true},
	{.name = "write-attr",
	 .prepare = prepare_write,
	 .call = call_write,
	 .check = check_write,
	 .errors = write_errors,
	 .about_target = true},
	{.name = "get-port",
	 .prepare = prepare_device_calls,
	 .call = call_port,
	 .check = check_port,
	 .errors = attr_errors,
	 .about_target = true},
	{.name = "get-gids",
	 .prepare = prepare_device_calls,
	 .call = call_gids,
	 .check = check_run_gids,
	 .drop = drop_gids,
	 .errors = attr_errors,
	 .about_target = true},
	{.name = "get-info",
	 .prepare = prepare_brief_devices,
	 .call = call_info,
	 .check = check_info,
	 .errors = (const int[]){0}},
	{.name = "get-guid",
	 .prepare = prepare_brief_devices,
	 .call = call_guid,
	 .check = check_guid,
	 .errors = (const int[]){0}},
	{.name = "read-unread",
	 .prepare = prepare_brief_devices,
	 .call = call_attr,
	 .check = check_attr,
	 .errors = attr_errors,
	 .about_target = true},
	{.name = "netlink-port",
	 .prepare = prepare_device_calls,
	 .call = call_port,
	 .check = check_port,
	 .errors = attr_errors,
	 .about_target = true,
	 .netlink = true},
	{.name = NULL},
};
