/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "shared/attr.h"
#include "shared/stamp.h"
#include "shared/text.h"
#include "core/base/process.h"
#include "core/notify/change_check.h"
#include "core/notify/watch.h"

/* A directory in which devices come and go, as it was when it was last looked at. */
struct seen {
	char path[HF_PATH_SIZE + 32];
	bool there;
	bool settled; /* a later change is sure to show */
	dev_t dev;
	ino_t ino;
	struct timespec mtime;
};

struct notifier {
	struct hf_notifier base;
	struct hf_watch *watch; /* NULL where there is no kernel's root */
	unsigned int fork_count;
	unsigned int num_dirs; /* pairs: the two classes of a root */
	struct seen dirs[];
};

static int heard(struct notifier *notifier)
{
	struct hf_hint hint;
	int ret = 0;
	int more;

	if (hfi_watch_blind(notifier->watch))
		return -EOPNOTSUPP;
	for (more = hfi_watch_next(notifier->watch, &hint);
	     more > 0 && hfi_watch_pending(notifier->watch);
	     more = hfi_watch_next(notifier->watch, &hint))
		ret = 1;
	if (more < 0)
		return more;
	if (hfi_watch_blind(notifier->watch))
		return -EOPNOTSUPP;
	return ret || more;
}

/* 0: as it was, 1: not, or not for certain. Looks before the caller does. */
static int look(struct seen *seen)
{
	bool settled = seen->settled;
	struct stat st;
	bool same;

	if (stat(seen->path, &st) < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			return -errno;
		same = !seen->there;
		seen->there = false;
		seen->settled = true;
		return !same;
	}
	same = seen->there && st.st_dev == seen->dev && st.st_ino == seen->ino &&
	       hfi_stamp_same(&st.st_mtim, &seen->mtime);
	seen->there = true;
	seen->dev = st.st_dev;
	seen->ino = st.st_ino;
	seen->mtime = st.st_mtim;
	seen->settled = hfi_stamp_is_settled(&st.st_mtim);
	return !same || !settled;
}

static int changed(struct hf_notifier *base)
{
	struct notifier *notifier = hf_container_of(base, struct notifier, base);
	int ret = 0;

	/* In a child the sockets are the parent's: what is read here would be missing there. */
	if (notifier->fork_count != hfi_fork_count())
		return -ECHILD;
	if (notifier->watch)
		ret = heard(notifier);
	/* All of them, for the stamps to be those of before the look that follows. */
	for (unsigned int i = 0; i < notifier->num_dirs; i += 2) {
		int one = look(&notifier->dirs[i]);

		if (!one && !notifier->dirs[i].there)
			continue;
		ret = one ? one : ret;
		one = look(&notifier->dirs[i + 1]);
		ret = one ? one : ret;
	}
	return ret;
}

static void free_notifier(struct hf_notifier *base)
{
	struct notifier *notifier = hf_container_of(base, struct notifier, base);

	hfi_watch_free(notifier->watch);
	free(notifier);
}

/* To be waited for: everything goes through one descriptor. */
static int watch_root(struct notifier *notifier, const struct hf *hf,
		      const struct hf_search_root *root)
{
	struct hf_watch_options options = {
		.roots = root,
		.num_roots = 1,
		.flags = HF_WATCH_NO_TIMER | (root->kernel ? HF_WATCH_NO_INOTIFY : 0),
		.log = &hf->log,
	};

	if (hf->flags & HF_NO_NETLINK)
		options.flags |= HF_WATCH_NO_RDMA;
	return hfi_watch_new(&options, &notifier->watch);
}

static int add_dirs(struct notifier *notifier, const struct hf_search_root *root)
{
	struct seen *dirs = &notifier->dirs[notifier->num_dirs];
	int err;

	err = hfi_print(dirs[0].path, sizeof(dirs[0].path), "%s/class/infiniband_verbs",
			root->sysfs);
	if (!err)
		err = hfi_print(dirs[1].path, sizeof(dirs[1].path), "%s/class/infiniband",
				root->sysfs);
	if (!err)
		notifier->num_dirs += 2;
	return err;
}

static int watch_all(struct notifier *notifier, const struct hf *hf)
{
	const struct hf_search_root *kernels = NULL;
	int err = 0;

	for (unsigned int i = 0; i < hf->num_roots && !err; i++) {
		if (hf->roots[i].kernel)
			kernels = &hf->roots[i];
		else
			err = add_dirs(notifier, &hf->roots[i]);
	}
	/* The kernel tells of all its devices, whichever of its roots shows them. */
	return !err && kernels ? watch_root(notifier, hf, kernels) : err;
}

int hfi_notifier_new(struct hf *hf, const struct hf_search_root *root, struct hf_notifier **ret)
{
	struct notifier *notifier;
	int err;

	if (hf->flags & HF_NO_NOTIFY)
		return -EOPNOTSUPP;
	notifier = calloc(1, sizeof(*notifier) +
				     (root ? 0 : 2 * hf->num_roots) * sizeof(notifier->dirs[0]));
	if (!notifier)
		return -ENOMEM;
	notifier->base.changed = changed;
	notifier->base.free = free_notifier;
	notifier->fork_count = hfi_fork_count();
	err = root ? watch_root(notifier, hf, root) : watch_all(notifier, hf);
	/* Nobody may wait for what will not be heard. */
	if (!err && root && hfi_watch_blind(notifier->watch))
		err = -EOPNOTSUPP;
	if (err) {
		free_notifier(&notifier->base);
		return err;
	}
	notifier->base.fd = root ? hfi_watch_fd(notifier->watch) : -1;
	hfi_fd_mark(&notifier->base.socket,
		    notifier->watch ? hfi_watch_socket(notifier->watch) : -1);
	*ret = &notifier->base;
	return 0;
}
