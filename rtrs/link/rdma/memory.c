/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Protection domains, and memory that is registered with them. */
#include <errno.h>
#include <stdlib.h>

#include "rtrs/link/rdma/private.h"

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

/* Takes the device over, or gives it back. */
static int get_domain(struct rtrs_rdma_device *device, const void *user,
		      struct rtrs_rdma_domain **ret)
{
	struct rtrs_rdma_domain *domain = device->domains;
	int err = 0;

	while (domain && domain->user != user)
		domain = domain->next;
	if (!domain)
		err = make_domain(device, user, &domain);
	else
		/* It has its device already. */
		rtrsi_rdma_device_put(device);
	if (err) {
		rtrsi_rdma_device_put(device);
		return err;
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
	rtrsi_rdma_device_put(domain->device);
	free(domain);
}

int rtrsi_rdma_find_device(struct rtrs_rdma_connection *connection)
{
	struct rtrs_rdma *link = hf_container_of(connection->base.link, struct rtrs_rdma, base);
	struct rtrs_rdma_device *device;
	struct rtrs_cm_device id;
	int err = link->cm->ops->query_device(link->cm, connection->cm_id, &id);

	if (!err)
		err = rtrsi_rdma_device_get(link, &id, &connection->place, &device);
	if (!err)
		err = get_domain(device, connection->domain_user, &connection->domain);
	if (!err)
		connection->device = connection->domain->device;
	return err;
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
