/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>

#include "core/base/attr.h"
#include "core/hotplug/notifier.h"
#include "core/hotplug/watch.h"

struct notifier {
	struct hf_notifier base;
	struct hf_watch *watch;
	unsigned int fork_count;
};

static int changed(struct hf_notifier *base)
{
	struct notifier *notifier = hf_container_of(base, struct notifier, base);
	struct hf_hint hint;
	int heard = 0;
	int more;

	/* In a child the sockets are the parent's: what is read here would be missing there. */
	if (notifier->fork_count != hf_fork_count())
		return -ECHILD;
	if (hf_watch_blind(notifier->watch))
		return -EOPNOTSUPP;
	for (more = hf_watch_next(notifier->watch, &hint);
	     more > 0 && hf_watch_pending(notifier->watch);
	     more = hf_watch_next(notifier->watch, &hint))
		heard = 1;
	if (more < 0)
		return more;
	if (hf_watch_blind(notifier->watch))
		return -EOPNOTSUPP;
	return heard || more;
}

static void free_notifier(struct hf_notifier *base)
{
	struct notifier *notifier = hf_container_of(base, struct notifier, base);

	hf_watch_free(notifier->watch);
	free(notifier);
}

int hf_notifier_new(struct hf *hf, struct hf_notifier **ret)
{
	struct hf_watch_options options = {
		.roots = hf->roots,
		.num_roots = hf->num_roots,
		.flags = HF_WATCH_NO_TIMER,
		.log = &hf->log,
	};
	struct notifier *notifier;
	int err;

	if (hf->flags & HF_NO_NOTIFY)
		return -EOPNOTSUPP;
	notifier = calloc(1, sizeof(*notifier));
	if (!notifier)
		return -ENOMEM;
	if (hf->flags & HF_NO_NETLINK)
		options.flags |= HF_WATCH_NO_RDMA;
	notifier->base.changed = changed;
	notifier->base.free = free_notifier;
	notifier->fork_count = hf_fork_count();
	err = hf_watch_new(&options, &notifier->watch);
	if (err) {
		free(notifier);
		return err;
	}
	notifier->base.fd = hf_watch_fd(notifier->watch);
	*ret = &notifier->base;
	return 0;
}
