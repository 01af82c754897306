/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Devices in use, and memory that is registered with them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

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

static int open_verbs_context(const struct rtrs_cm_device *id, struct ibv_context **ret)
{
	struct ibv_device **list = ibv_get_device_list(NULL);
	int err = -ENODEV;

	if (!list)
		return -errno;
	for (size_t i = 0; list[i]; i++) {
		if (!is_rdma_device(list[i], id))
			continue;
		*ret = ibv_open_device(list[i]);
		err = *ret ? 0 : -errno;
		break;
	}
	ibv_free_device_list(list);
	return err;
}

static int watch_channel(struct rtrs_rdma_device *device)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = device};
	int fd = device->channel->fd;

	if (fcntl(fd, F_SETFL, O_NONBLOCK))
		return -errno;
	return epoll_ctl(device->link->epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
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
	err = watch_channel(device);
	if (err)
		ibv_destroy_comp_channel(device->channel);
	return err;
}

static int make_rdma_device(struct rtrs_rdma *link, const struct rtrs_cm_device *id,
			    struct rtrs_rdma_device **ret)
{
	struct rtrs_rdma_device *device = calloc(1, sizeof(*device));
	int err;

	if (!device)
		return -ENOMEM;
	device->link = link;
	device->id = *id;
	err = open_verbs_context(id, &device->context);
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

static int find_or_open_device(struct rtrs_rdma *link, const struct rtrs_cm_device *id,
			       struct rtrs_rdma_device **ret)
{
	struct rtrs_rdma_device *device = link->devices;
	int err;

	while (device && (device->id.index != id->index || device->id.guid != id->guid))
		device = device->next;
	if (!device) {
		err = make_rdma_device(link, id, &device);
		if (err)
			return err;
	}
	device->users++;
	*ret = device;
	return 0;
}

static void let_go_of_device(struct rtrs_rdma_device *device)
{
	struct rtrs_rdma_device **at = &device->link->devices;

	if (--device->users)
		return;
	while (*at != device)
		at = &(*at)->next;
	*at = device->next;
	epoll_ctl(device->link->epoll, EPOLL_CTL_DEL, device->channel->fd, NULL);
	ibv_destroy_comp_channel(device->channel);
	ibv_close_device(device->context);
	free(device);
}

static int make_domain(struct rtrs_rdma_device *device, const void *user,
		       struct rtrs_rdma_domain **ret)
{
	struct rtrs_rdma_domain *domain = calloc(1, sizeof(*domain));
	int err;

	if (!domain)
		return -ENOMEM;
	domain->pd = ibv_alloc_pd(device->context);
	if (!domain->pd) {
		err = -errno;
		free(domain);
		return err;
	}
	domain->device = device;
	domain->user = user;
	domain->next = device->domains;
	device->domains = domain;
	*ret = domain;
	return 0;
}

int rtrsi_rdma_domain_get(struct rtrs_rdma *link, const struct rtrs_cm_device *id, const void *user,
			  struct rtrs_rdma_domain **ret)
{
	struct rtrs_rdma_domain *domain;
	struct rtrs_rdma_device *device;
	int err = find_or_open_device(link, id, &device);

	if (err)
		return err;
	domain = device->domains;
	while (domain && domain->user != user)
		domain = domain->next;
	if (!domain) {
		err = make_domain(device, user, &domain);
		if (err) {
			let_go_of_device(device);
			return err;
		}
	} else {
		/* It has its device already. */
		let_go_of_device(device);
	}
	domain->users++;
	*ret = domain;
	return 0;
}

void rtrsi_rdma_domain_put(struct rtrs_rdma_domain *domain)
{
	struct rtrs_rdma_domain **at = &domain->device->domains;

	if (--domain->users)
		return;
	while (*at != domain)
		at = &(*at)->next;
	*at = domain->next;
	ibv_dealloc_pd(domain->pd);
	let_go_of_device(domain->device);
	free(domain);
}

int rtrsi_rdma_find_device(struct rtrs_rdma_connection *connection)
{
	struct rtrs_rdma *link = hf_container_of(connection->base.link, struct rtrs_rdma, base);
	struct rtrs_cm_device id;
	int err = rtrsi_cm_query_device(link->cm, connection->cm_id, &id);

	if (!err)
		err = rtrsi_rdma_domain_get(link, &id, connection->domain_user,
					    &connection->domain);
	if (!err)
		connection->device = connection->domain->device;
	return err;
}

void rtrsi_rdma_device(const struct rtrs_connection *base, char *name, size_t size,
		       unsigned int *port)
{
	const struct rtrs_rdma_device *device =
		hf_container_of(base, const struct rtrs_rdma_connection, base)->device;

	*name = '\0';
	*port = 0;
	if (!device)
		return;
	snprintf(name, size, "%s", ibv_get_device_name(device->context->device));
	*port = device->id.port;
}

static const int access_flags[] = {
	[RTRS_ACCESS_NONE] = IBV_ACCESS_LOCAL_WRITE,
	[RTRS_ACCESS_WRITE] = IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE,
	[RTRS_ACCESS_WINDOWS] = IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_MW_BIND,
	[RTRS_ACCESS_INVALIDATED] = IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_MW_BIND,
};

int rtrsi_rdma_grant(struct rtrs_connection *base, void *address, size_t length,
		     enum rtrs_access access, struct rtrs_memory **ret)
{
	struct rtrs_rdma_connection *connection =
		hf_container_of(base, struct rtrs_rdma_connection, base);
	struct rtrs_rdma_memory *memory;
	int err;

	if (!connection->device)
		return -ENOTCONN;
	if ((access == RTRS_ACCESS_WINDOWS && !connection->device->has_windows) ||
	    (access == RTRS_ACCESS_INVALIDATED && !connection->device->has_invalidated))
		return -EOPNOTSUPP;
	memory = calloc(1, sizeof(*memory));
	if (!memory)
		return -ENOMEM;
	memory->mr = ibv_reg_mr(connection->domain->pd, address, length, access_flags[access]);
	if (!memory->mr) {
		err = -errno;
		free(memory);
		return err;
	}
	memory->domain = connection->domain;
	memory->access = access;
	memory->domain->users++;
	memory->base = (struct rtrs_memory){address, length, memory->mr->lkey, memory->mr->rkey};
	*ret = &memory->base;
	return 0;
}

void rtrsi_rdma_withdraw(struct rtrs_memory *base)
{
	struct rtrs_rdma_memory *memory = hf_container_of(base, struct rtrs_rdma_memory, base);

	ibv_dereg_mr(memory->mr);
	rtrsi_rdma_domain_put(memory->domain);
	free(memory);
}
