/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A descriptor for the removal of an instance, shared by its open contexts. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/fd_mark.h"
#include "shared/file.h"
#include "shared/userns.h"
#include "core/device/hf.h"
#include "core/device/removal.h"

/*
 * A source that the program closed is kept until the end: other threads may still read it without a
 * lock.
 */
struct source {
	struct hf_fd_mark mark;
	struct source *older;
};

struct hf_removal {
	unsigned int users; /* guarded by hf->lock */
	bool needs_checks;
	struct source *_Atomic source; /* written with hf->lock held */
};

/* Determined once: it depends on the process's user namespace only. */
static bool uevents_are_heard(struct hf *hf)
{
	if (!atomic_load(&hf->uevents)) {
		int heard = hfi_uevents_are_heard() ? 1 : -1;

		atomic_store(&hf->uevents, heard);
	}
	return atomic_load(&hf->uevents) > 0;
}

static int open_source(struct hf *hf, const struct hf_device *device)
{
	const struct hf_search_root *root = &hf->roots[device->key.root];
	int fd;

	if (hf->flags & HF_NO_NOTIFY)
		return -EOPNOTSUPP;
	if ((root->kind->reports & HF_REPORTS_UEVENT) && !uevents_are_heard(hf))
		return -EOPNOTSUPP;
	fd = root->kind->open_removal(root->sysfs, device->key.uverbs);
	if (fd >= 0 || fd == -ENODEV || hfi_error_is_shortage(fd))
		return fd;
	hf_debug(&hf->log, "%s: its removal is not reported: %s", device->key.uverbs,
		 strerrordesc_np(-fd));
	return -EOPNOTSUPP;
}

HF_REQUIRES(hfi_hf_kind)
static struct hf_removal *use_removal(struct hf_device *device)
{
	struct hf_removal *removal = device->removal;

	if (removal)
		removal->users++;
	return removal;
}

static int new_source(struct hf *hf, const struct hf_device *device, struct source **ret)
{
	struct source *source = calloc(1, sizeof(*source));
	int fd;

	if (!source)
		return -ENOMEM;
	fd = open_source(hf, device);
	if (fd < 0) {
		free(source);
		return fd;
	}
	hfi_fd_mark(&source->mark, fd);
	*ret = source;
	return 0;
}

static void free_sources(struct source *source)
{
	while (source) {
		struct source *older = source->older;

		hfi_fd_close(&source->mark);
		free(source);
		source = older;
	}
}

/* Opens another source after the program closed the shared descriptor. */
static int renew_source(struct hf_device *device, struct hf_removal *removal)
{
	struct hf *hf = device->hf;
	struct source *fresh;
	int err;

	if (hfi_removal_is_heard(removal))
		return 0;
	err = new_source(hf, device, &fresh);
	if (err)
		return err;
	hfi_hf_lock(hf);
	/* Another thread may have renewed it meanwhile. */
	if (!hfi_removal_is_heard(removal)) {
		fresh->older = atomic_load(&removal->source);
		atomic_store(&removal->source, fresh);
		fresh = NULL;
	}
	hfi_hf_unlock(hf);
	free_sources(fresh);
	return 0;
}

int hfi_removal_get(struct hf_device *device, struct hf_removal **ret)
{
	struct hf *hf = device->hf;
	struct hf_removal *removal, *other;
	struct source *source;
	int err;

	hfi_hf_lock(hf);
	removal = use_removal(device);
	hfi_hf_unlock(hf);
	if (removal) {
		err = renew_source(device, removal);
		if (err)
			hfi_removal_put(device, removal);
		else
			*ret = removal;
		return err;
	}
	removal = calloc(1, sizeof(*removal));
	if (!removal)
		return -ENOMEM;
	removal->users = 1;
	removal->needs_checks = !(hf->roots[device->key.root].kind->reports & HF_REPORTS_UEVENT);
	err = new_source(hf, device, &source);
	if (err) {
		free(removal);
		return err;
	}
	atomic_init(&removal->source, source);
	hfi_hf_lock(hf);
	other = use_removal(device);
	if (!other)
		device->removal = removal;
	hfi_hf_unlock(hf);
	if (other) {
		free_sources(source);
		free(removal);
		removal = other;
	}
	*ret = removal;
	return 0;
}

void hfi_removal_put(struct hf_device *device, struct hf_removal *removal)
{
	bool last;

	if (!removal)
		return;
	hfi_hf_lock(device->hf);
	last = --removal->users == 0;
	if (last)
		device->removal = NULL;
	hfi_hf_unlock(device->hf);
	if (!last)
		return;
	free_sources(atomic_load(&removal->source));
	free(removal);
}

bool hfi_removal_needs_checks(const struct hf_removal *removal)
{
	return removal->needs_checks;
}

int hfi_removal_fd(const struct hf_removal *removal)
{
	return atomic_load(&removal->source)->mark.fd;
}

bool hfi_removal_is_heard(const struct hf_removal *removal)
{
	return hfi_fd_is_still(&atomic_load(&removal->source)->mark);
}

bool hfi_removal_happened(const struct hf_removal *removal)
{
	const struct hf_fd_mark *mark = &atomic_load(&removal->source)->mark;
	struct pollfd pollfd = {.fd = mark->fd, .events = POLLIN};

	/* A descriptor that the program closed says nothing about the device. */
	return hfi_fd_is_still(mark) && poll(&pollfd, 1, 0) > 0 && !(pollfd.revents & POLLNVAL);
}
