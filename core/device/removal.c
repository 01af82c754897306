/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "shared/error.h"
#include "shared/file.h"
#include "shared/text.h"
#include "shared/userns.h"
#include "core/device/hf.h"
#include "core/device/removal.h"
#include "core/notify/removal_tree.h"

enum {
	GROUP_KERNEL = 1, /* of NETLINK_KOBJECT_UEVENT; udevd's own is 2 */
	TEXT_SIZE = 7 + 2 * HF_PATH_SIZE,
};

struct hf_removal {
	unsigned int users; /* guarded by hf->lock */
	int fd;
};

/* Where the kernel says the device is: what follows "/sys" in its real path. */
static int read_devpath(const struct hf_search_root *root, const char *uverbs, char *ret,
			size_t size)
{
	char path[HF_PATH_SIZE + HF_NAME_SIZE], link[HF_PATH_SIZE];
	const char *below = link;
	ssize_t length;
	int err;

	err = hfi_print(path, sizeof(path), "%s/class/infiniband_verbs/%s", root->sysfs, uverbs);
	if (err)
		return err;
	length = readlink(path, link, sizeof(link));
	if (length < 0 && errno == ENOENT) {
		/* In a chroot without a sysfs netlink alone told of the device: no path then. */
		*strrchr(path, '/') = '\0';
		return access(path, F_OK) == 0 ? -ENODEV : -EOPNOTSUPP;
	}
	if (length < 0)
		return -EOPNOTSUPP;
	if (length == (ssize_t)sizeof(link))
		return -EOPNOTSUPP;
	link[length] = '\0';
	while (!strncmp(below, "../", 3))
		below += 3;
	if (below == link || strncmp(below, "devices/", 8) != 0)
		return -EOPNOTSUPP;
	return hfi_print(ret, size, "remove@/%s", below);
}

/* Lets through what begins with these bytes: three instructions for each word or byte of them. */
static unsigned short compile(const unsigned char *bytes, size_t size, struct sock_filter *code)
{
	struct sock_filter *c = code;

	for (size_t at = 0; at < size;) {
		bool word = size - at >= 4;
		uint32_t want = bytes[at];

		if (word)
			want = (uint32_t)bytes[at] << 24 | (uint32_t)bytes[at + 1] << 16 |
			       (uint32_t)bytes[at + 2] << 8 | bytes[at + 3];
		*c++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_ABS | (word ? BPF_W : BPF_B),
						    (uint32_t)at);
		*c++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, want, 1, 0);
		*c++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
		at += word ? 4 : 1;
	}
	*c++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
	return (unsigned short)(c - code);
}

/*
 * A socket for one message: the uevent of this device's removal. The filter knows the whole path, so
 * that no other uevent ever makes the socket readable; a program which polls must not be woken for
 * nothing, since many call a blocking function then.
 */
static int open_socket(const char *text)
{
	struct sock_filter code[TEXT_SIZE / 4 * 3 + 3 * 4 + 1];
	struct sock_fprog filter = {.filter = code};
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = GROUP_KERNEL};
	int err, fd;

	/* With its NUL, or a device whose path begins with this one would be taken for it. */
	filter.len = compile((const unsigned char *)text, strlen(text) + 1, code);
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) < 0 ||
	    bind(fd, (const struct sockaddr *)(const void *)&address, sizeof(address)) < 0) {
		err = -errno;
		hfi_close(&fd);
		return err;
	}
	return fd;
}

static int open_for_kernel(struct hf *hf, const struct hf_device *device)
{
	char text[TEXT_SIZE];
	int err;

	if (!atomic_load(&hf->uevents)) {
		int heard = hfi_uevents_are_heard() ? 1 : -1;

		atomic_store(&hf->uevents, heard);
	}
	if (atomic_load(&hf->uevents) < 0)
		return -EOPNOTSUPP;
	err = read_devpath(&hf->roots[device->key.root], device->key.uverbs, text, sizeof(text));
	return err ? err : open_socket(text);
}

static int open_source(struct hf *hf, const struct hf_device *device)
{
	int fd;

	if (hf->flags & HF_NO_NOTIFY)
		return -EOPNOTSUPP;
	if (hf->roots[device->key.root].kernel)
		fd = open_for_kernel(hf, device);
	else
		fd = hfi_removal_tree_open(hf->roots[device->key.root].sysfs, device->key.uverbs);
	if (fd >= 0 || fd == -ENODEV || hfi_error_is_shortage(fd))
		return fd;
	hf_debug(&hf->log, "%s: its removal is not heard: %s", device->key.uverbs,
		 strerrordesc_np(-fd));
	return -EOPNOTSUPP;
}

static struct hf_removal *use(struct hf_device *device)
{
	struct hf_removal *removal = device->removal;

	if (removal)
		removal->users++;
	return removal;
}

int hfi_removal_get(struct hf_device *device, struct hf_removal **ret)
{
	struct hf *hf = device->hf;
	struct hf_removal *removal, *other;
	int err;

	pthread_mutex_lock(&hf->lock);
	removal = use(device);
	pthread_mutex_unlock(&hf->lock);
	if (removal) {
		*ret = removal;
		return 0;
	}
	removal = calloc(1, sizeof(*removal));
	if (!removal)
		return -ENOMEM;
	removal->users = 1;
	removal->fd = open_source(hf, device);
	if (removal->fd < 0) {
		err = removal->fd;
		free(removal);
		return err;
	}
	pthread_mutex_lock(&hf->lock);
	other = use(device);
	if (!other)
		device->removal = removal;
	pthread_mutex_unlock(&hf->lock);
	if (other) {
		hfi_close(&removal->fd);
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
	pthread_mutex_lock(&device->hf->lock);
	last = --removal->users == 0;
	if (last)
		device->removal = NULL;
	pthread_mutex_unlock(&device->hf->lock);
	if (!last)
		return;
	hfi_close(&removal->fd);
	free(removal);
}

int hfi_removal_fd(const struct hf_removal *removal)
{
	return removal->fd;
}

bool hfi_removal_happened(const struct hf_removal *removal)
{
	struct pollfd pollfd = {.fd = removal->fd, .events = POLLIN};

	return poll(&pollfd, 1, 0) > 0;
}
