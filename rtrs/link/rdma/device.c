/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Devices in use: found by their index or by a GID, opened, watched. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "rtrs/link/rdma/private.h"

/*
 * The index is unique. It is -1 where libibverbs could not ask the kernel; then the GUID must do, which two
 * devices may share.
 */
static bool is_rdma_device(struct ibv_device *device, const struct rtrs_cm_device *id)
{
	int index = ibv_get_device_index(device);

	if (index >= 0)
		return (uint32_t)index == id->index;
	return ibv_get_device_guid(device) == id->guid;
}

static int gid_place_on_port(struct ibv_context *context, uint8_t port, const union ibv_gid *gid,
			     struct rtrs_rdma_place *ret)
{
	struct ibv_port_attr attr;
	struct ibv_gid_entry entry;

	if (ibv_query_port(context, port, &attr))
		return -ENODEV;
	for (int i = 0; i < attr.gid_tbl_len && i <= UINT8_MAX; i++) {
		if (ibv_query_gid_ex(context, port, (uint32_t)i, &entry, 0) ||
		    entry.gid_type != IBV_GID_TYPE_ROCE_V2 ||
		    memcmp(&entry.gid, gid, sizeof(*gid)) != 0)
			continue;
		*ret = (struct rtrs_rdma_place){.port = port,
						.has_gid = true,
						.gid_index = (uint8_t)i,
						.mtu = attr.active_mtu};
		return 0;
	}
	return -ENODEV;
}

static int gid_place(struct ibv_context *context, const union ibv_gid *gid,
		     struct rtrs_rdma_place *ret)
{
	struct ibv_device_attr attr;
	int err = -ENODEV;

	if (ibv_query_device(context, &attr))
		return -ENODEV;
	for (uint8_t port = 1; port && port <= attr.phys_port_cnt && err; port++)
		err = gid_place_on_port(context, port, gid, ret);
	return err;
}

/* The one with the GID: it has to be opened to be asked. */
static int open_by_gid(struct ibv_device *device, const union ibv_gid *gid,
		       struct rtrs_rdma_place *place, struct ibv_context **ret)
{
	struct ibv_context *context = ibv_open_device(device);
	int err;

	if (!context)
		return -errno;
	err = gid_place(context, gid, place);
	if (err)
		ibv_close_device(context);
	else
		*ret = context;
	return err;
}

static bool is_out_of(int err)
{
	return err == -ENOMEM || err == -EMFILE || err == -ENFILE;
}

static bool file_has_gid(const struct ibv_device *device, uint8_t port, int index,
			 const union ibv_gid *gid, bool *exists)
{
	char path[sizeof(device->ibdev_path) + 64], text[INET6_ADDRSTRLEN];
	union ibv_gid found;
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "%s/ports/%u/gids/%d", device->ibdev_path, port, index);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	*exists = fd >= 0;
	if (fd < 0)
		return false;
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (got <= 0)
		return false;
	text[got] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return inet_pton(AF_INET6, text, &found) == 1 && !memcmp(&found, gid, sizeof(found));
}

/* Opening a device is much work. Those that follow an interface have no GIDs in their files. */
static bool is_said_to_have_gid(const struct ibv_device *device, const union ibv_gid *gid)
{
	bool has_port = true;

	for (uint8_t port = 1; port && has_port; port++) {
		bool exists = true;

		for (int i = 0; i <= UINT8_MAX && exists; i++) {
			if (file_has_gid(device, port, i, gid, &exists))
				return true;
			has_port = exists || i;
		}
	}
	return false;
}

static int open_one_with_gid(struct ibv_device **list, const union ibv_gid *gid,
			     struct rtrs_rdma_place *place, struct ibv_context **ret)
{
	int err = -ENODEV;

	for (int is_said = 1; is_said >= 0; is_said--) {
		for (size_t i = 0; list[i]; i++) {
			if (is_said_to_have_gid(list[i], gid) != is_said)
				continue;
			err = open_by_gid(list[i], gid, place, ret);
			if (!err || is_out_of(err))
				return err;
		}
	}
	return -ENODEV;
}

static int open_one_with_index(struct ibv_device **list, const struct rtrs_cm_device *id,
			       struct rtrs_rdma_place *place, struct ibv_context **ret)
{
	*place = (struct rtrs_rdma_place){.port = id->port};
	for (size_t i = 0; list[i]; i++) {
		if (!is_rdma_device(list[i], id))
			continue;
		*ret = ibv_open_device(list[i]);
		return *ret ? 0 : -errno;
	}
	return -ENODEV;
}

static int open_verbs_context(const struct rtrs_cm_device *id, struct rtrs_rdma_place *place,
			      struct ibv_context **ret)
{
	struct ibv_device **list = ibv_get_device_list(NULL);
	int err;

	if (!list)
		return -errno;
	err = id->is_by_gid ? open_one_with_gid(list, &id->gid, place, ret)
			    : open_one_with_index(list, id, place, ret);
	ibv_free_device_list(list);
	return err;
}

static int watch_device_fd(const struct rtrs_rdma_device *device, int fd, uintptr_t mark)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uintptr_t)device | mark};

	if (fcntl(fd, F_SETFL, O_NONBLOCK))
		return -errno;
	return epoll_ctl(device->link->epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static void unwatch_device_fd(const struct rtrs_rdma_device *device, int fd)
{
	epoll_ctl(device->link->epoll, EPOLL_CTL_DEL, fd, NULL);
}

static int watch_device(struct rtrs_rdma_device *device)
{
	int err = watch_device_fd(device, device->channel->fd, 0);

	if (err || !device->is_watched)
		return err;
	err = watch_device_fd(device, device->context->async_fd, RDMA_IS_ASYNC);
	if (err)
		unwatch_device_fd(device, device->channel->fd);
	return err;
}

static int set_up_device(struct rtrs_rdma_device *device)
{
	struct ibv_device_attr attr;
	int err = ibv_query_device(device->context, &attr);

	if (err)
		return -err;
	device->has_windows = attr.device_cap_flags & IBV_DEVICE_MEM_WINDOW;
	device->has_invalidated = attr.device_cap_flags &
				  (IBV_DEVICE_MEM_WINDOW_TYPE_2A | IBV_DEVICE_MEM_WINDOW_TYPE_2B);
	device->channel = ibv_create_comp_channel(device->context);
	if (!device->channel)
		return -errno;
	err = watch_device(device);
	if (err)
		ibv_destroy_comp_channel(device->channel);
	return err;
}

static int make_rdma_device(struct rtrs_rdma *link, const struct rtrs_cm_device *id,
			    struct rtrs_rdma_place *place, struct rtrs_rdma_device **ret)
{
	struct rtrs_rdma_device *device = calloc(1, sizeof(*device));
	int err;

	if (!device)
		return -ENOMEM;
	device->link = link;
	device->id = *id;
	device->is_watched = id->is_by_gid;
	err = open_verbs_context(id, place, &device->context);
	if (err)
		goto no_context;
	err = set_up_device(device);
	if (err)
		goto no_set_up;
	device->next = link->devices;
	link->devices = device;
	*ret = device;
	return 0;
no_set_up:
	ibv_close_device(device->context);
no_context:
	free(device);
	return err;
}

/* What is gone may be back, as another one. */
static bool is_open_device(const struct rtrs_rdma_device *device, const struct rtrs_cm_device *id,
			   struct rtrs_rdma_place *place)
{
	if (device->is_gone)
		return false;
	if (id->is_by_gid)
		return !gid_place(device->context, &id->gid, place);
	*place = (struct rtrs_rdma_place){.port = id->port};
	return device->id.index == id->index && device->id.guid == id->guid;
}

int rtrsi_rdma_device_get(struct rtrs_rdma *link, const struct rtrs_cm_device *id,
			  struct rtrs_rdma_place *place, struct rtrs_rdma_device **ret)
{
	struct rtrs_rdma_device *device = link->devices;
	int err;

	while (device && !is_open_device(device, id, place))
		device = device->next;
	if (!device) {
		err = make_rdma_device(link, id, place, &device);
		if (err)
			return err;
	}
	device->users++;
	*ret = device;
	return 0;
}

void rtrsi_rdma_device_put(struct rtrs_rdma_device *device)
{
	struct rtrs_rdma_device **at = &device->link->devices;

	if (--device->users)
		return;
	while (*at != device)
		at = &(*at)->next;
	*at = device->next;
	unwatch_device_fd(device, device->channel->fd);
	if (device->is_watched && !device->is_gone)
		unwatch_device_fd(device, device->context->async_fd);
	ibv_destroy_comp_channel(device->channel);
	ibv_close_device(device->context);
	free(device);
}

static bool has_removal_event(struct ibv_context *context)
{
	struct ibv_async_event event;
	bool is_removed = false;

	while (!ibv_get_async_event(context, &event)) {
		is_removed |= event.event_type == IBV_EVENT_DEVICE_FATAL;
		ibv_ack_async_event(&event);
	}
	return is_removed;
}

void rtrsi_rdma_look_for_removal(struct rtrs_rdma_device *device)
{
	struct ibv_port_attr attr;

	if (!device->is_watched || device->is_gone)
		return;
	/* The event may still be on its way. */
	if (!has_removal_event(device->context) &&
	    ibv_query_port(device->context, 1, &attr) != ENODEV)
		return;
	device->is_gone = true;
	device->link->has_gone = true;
	unwatch_device_fd(device, device->context->async_fd);
}

void rtrsi_rdma_device(const struct rtrs_connection *base, char *name, size_t size,
		       unsigned int *port)
{
	const struct rtrs_rdma_connection *connection =
		hf_container_of(base, const struct rtrs_rdma_connection, base);

	*name = '\0';
	*port = 0;
	if (!connection->device)
		return;
	snprintf(name, size, "%s", ibv_get_device_name(connection->device->context->device));
	*port = connection->place.port;
}
