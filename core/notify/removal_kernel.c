/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reports the removal of a device by the kernel: a socket that receives only that uevent. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "shared/file.h"
#include "shared/text.h"
#include "core/base/root.h"
#include "core/notify/removal_kernel.h"

enum {
	GROUP_KERNEL = 1, /* group of NETLINK_KOBJECT_UEVENT; udevd's own group is 2 */
	TEXT_SIZE = 7 + 2 * HF_PATH_SIZE,
};

/* The device's path as the kernel reports it: its real path without the leading "/sys". */
static int read_devpath(const char *sysfs, const char *uverbs, char *ret, size_t size)
{
	char path[HF_PATH_SIZE + HF_NAME_SIZE], link[HF_PATH_SIZE];
	const char *below = link;
	ssize_t length;
	int err;

	err = hfi_print(path, sizeof(path), "%s/class/infiniband_verbs/%s", sysfs, uverbs);
	if (err)
		return err;
	length = readlink(path, link, sizeof(link));
	if (length < 0 && errno == ENOENT) {
		/*
		 * In a chroot without sysfs the device is known from netlink alone, so it has no
		 * path.
		 */
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

/*
 * Compiles a filter that accepts messages beginning with these bytes: three instructions for each
 * word or byte.
 */
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
 * Opens a socket for one message: the uevent of this device's removal. The filter compares the
 * whole path, so that no other uevent makes the socket readable: a program that polls it may then
 * call a function that blocks.
 */
static int open_socket(const char *text)
{
	struct sock_filter code[TEXT_SIZE / 4 * 3 + 3 * 4 + 1];
	struct sock_fprog filter = {.filter = code};
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = GROUP_KERNEL};
	int err, fd;

	/* Include the NUL, or a device whose path begins with this one would match. */
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

int hfi_removal_kernel_open(const char *sysfs, const char *uverbs)
{
	char text[TEXT_SIZE];
	int err = read_devpath(sysfs, uverbs, text, sizeof(text));

	return err ? err : open_socket(text);
}
