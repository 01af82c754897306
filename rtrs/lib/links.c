/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Links are opened here. That of RDMA is a library of its own, so that programs which do not use it need neither
 * libibverbs nor a device.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>

#include "rtrs/lib/links.h"
#include "rtrs/link/stream/stream.h"

static int open_rdma_link(enum rtrs_link_type type, struct rtrs_link **ret)
{
	int (*open_link)(struct rtrs_link * *ret);
	void *library = dlopen(HF_RTRS_RDMA_LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

	if (!library)
		return -EOPNOTSUPP;
	*(void **)&open_link =
		dlsym(library, type == RTRS_LINK_RDMA ? "rtrsi_rdma_module" : "rtrsi_soft_module");
	return open_link ? open_link(ret) : -EOPNOTSUPP;
}

int rtrsi_links_get(struct rtrs_links *links, enum rtrs_link_type type, struct rtrs_wait *wait,
		    struct rtrs_link **ret)
{
	struct rtrs_link *link = links->open[type];
	int err;

	if (!link) {
		err = rtrsi_link_has_devices(type) ? open_rdma_link(type, &link)
						   : rtrsi_stream_open(&link);
		if (err)
			return err;
		err = rtrsi_wait_add(wait, link->ops->fd(link));
		if (err) {
			link->ops->close(link);
			return err;
		}
		links->open[type] = link;
	}
	*ret = link;
	return 0;
}

void rtrsi_links_close(struct rtrs_links *links)
{
	for (size_t i = 0; i < RTRS_LINK_TYPES; i++) {
		if (links->open[i])
			links->open[i]->ops->close(links->open[i]);
	}
}

void rtrsi_links_hold(const struct rtrs_links *links)
{
	for (size_t i = 0; i < RTRS_LINK_TYPES; i++) {
		struct rtrs_link *link = links->open[i];

		if (link && link->ops->hold)
			link->ops->hold(link);
	}
}

bool rtrsi_links_release(const struct rtrs_links *links)
{
	bool has_events = false;

	for (size_t i = 0; i < RTRS_LINK_TYPES; i++) {
		struct rtrs_link *link = links->open[i];

		if (link && link->ops->release)
			has_events |= link->ops->release(link);
	}
	return has_events;
}

int rtrsi_links_next(const struct rtrs_links *links, struct rtrs_link_event *ret)
{
	for (size_t i = 0; i < RTRS_LINK_TYPES; i++) {
		struct rtrs_link *link = links->open[i];
		int count = link ? link->ops->next(link, ret) : 0;

		if (count)
			return count;
	}
	return 0;
}
