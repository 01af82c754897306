/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tells each list of devices whether devices may have come or gone since the previous one. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "shared/attr.h"
#include "shared/stamp.h"
#include "shared/text.h"
#include "core/base/process.h"
#include "core/notify/change_check.h"
#include "core/notify/watch.h"

/* A directory that devices come into and leave, as it was at the last check. */
struct seen {
	char path[HF_PATH_SIZE + 32];
	bool there;
	bool settled; /* a later change will have another time stamp */
	dev_t dev;
	ino_t ino;
	struct timespec mtime;
};

struct hf_change_check {
	struct hf_watch *watch; /* NULL if no root is the kernel's sysfs */
	unsigned int fork_count;
	unsigned int num_dirs; /* in pairs: the two class directories of a root */
	struct seen dirs[];
};

static int heard(struct hf_change_check *check)
{
	struct hf_hint hint;
	int ret = 0;
	int more;

	if (hfi_watch_blind(check->watch))
		return -EOPNOTSUPP;
	for (more = hfi_watch_next(check->watch, &hint);
	     more > 0 && hfi_watch_pending(check->watch);
	     more = hfi_watch_next(check->watch, &hint))
		ret = 1;
	if (more < 0)
		return more;
	if (hfi_watch_blind(check->watch))
		return -EOPNOTSUPP;
	return ret || more;
}

/* 0: unchanged, 1: changed or uncertain. Call before the directory is read. */
static int check_directory(struct seen *seen)
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

int hfi_change_check_ask(struct hf_change_check *check)
{
	int ret = 0;

	/* A forked child shares the sockets: what it read would be missing in the parent. */
	if (check->fork_count != hfi_fork_count())
		return -ECHILD;
	if (check->watch)
		ret = heard(check);
	/* Check all of them, so that each stamp is older than the scan that follows. */
	for (unsigned int i = 0; i < check->num_dirs; i += 2) {
		int one = check_directory(&check->dirs[i]);

		if (!one && !check->dirs[i].there)
			continue;
		ret = one ? one : ret;
		one = check_directory(&check->dirs[i + 1]);
		ret = one ? one : ret;
	}
	return ret;
}

bool hfi_change_check_has_descriptors(const struct hf_change_check *check)
{
	return check->watch != NULL;
}

bool hfi_change_check_is_open(const struct hf_change_check *check)
{
	return !check->watch || hfi_watch_is_open(check->watch);
}

void hfi_change_check_free(struct hf_change_check *check)
{
	if (!check)
		return;
	hfi_watch_free(check->watch);
	free(check);
}

/* The kernel notifies of all its devices, whichever of its roots shows them. */
static int watch_kernel(struct hf_change_check *check, const struct hf_search_root *root, bool rdma,
			const struct hf_log *log)
{
	struct hf_watch_options options = {
		.roots = root,
		.num_roots = 1,
		.flags = HF_WATCH_NO_TIMER | HF_WATCH_NO_INOTIFY | (rdma ? 0 : HF_WATCH_NO_RDMA),
		.log = log,
	};

	return hfi_watch_new(&options, &check->watch);
}

static int add_dirs(struct hf_change_check *check, const struct hf_search_root *root)
{
	struct seen *dirs = &check->dirs[check->num_dirs];
	int err;

	err = hfi_print(dirs[0].path, sizeof(dirs[0].path), "%s/class/infiniband_verbs",
			root->sysfs);
	if (!err)
		err = hfi_print(dirs[1].path, sizeof(dirs[1].path), "%s/class/infiniband",
				root->sysfs);
	if (!err)
		check->num_dirs += 2;
	return err;
}

int hfi_change_check_new(const struct hf_search_root *roots, unsigned int num_roots, bool rdma,
			 const struct hf_log *log, struct hf_change_check **ret)
{
	const struct hf_search_root *kernels = NULL;
	struct hf_change_check *check;
	int err = 0;

	check = calloc(1, sizeof(*check) + (size_t)2 * num_roots * sizeof(check->dirs[0]));
	if (!check)
		return -ENOMEM;
	check->fork_count = hfi_fork_count();
	for (unsigned int i = 0; i < num_roots && !err; i++) {
		if (!roots[i].kind->dir_stamps)
			kernels = &roots[i];
		else
			err = add_dirs(check, &roots[i]);
	}
	if (!err && kernels)
		err = watch_kernel(check, kernels, rdma, log);
	if (err) {
		hfi_change_check_free(check);
		return err;
	}
	*ret = check;
	return 0;
}
