/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What RDMA netlink says of each device, for the small programs that udev runs: they start once per
 * event, and in an initrd, so that the library is too much for them.
 */
#ifndef HF_SHARED_NLDEV_H
#define HF_SHARED_NLDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HF_NLDEV_NAME = 64, HF_NLDEV_PROTOCOL = 16 };

struct hf_nldev {
	uint32_t index;
	char name[HF_NLDEV_NAME];
	uint64_t node_guid; /* host byte order; 0 where the kernel gives none */
	/* "ib", "roce", "iw", "opa", "usnic", of the first port; empty where the kernel gives none. */
	char protocol[HF_NLDEV_PROTOCOL];
	bool tells_protocol; /* a kernel that would give a protocol, had the device one */
	uint8_t name_assign; /* Linux 6.11: 1, the name is a user's; 0 where the kernel does not tell */
};

struct hf_nldev_socket;

/* -EPROTONOSUPPORT where there is no RDMA netlink, or -errno. */
int hfi_nldev_open(struct hf_nldev_socket **ret);
void hfi_nldev_close(struct hf_nldev_socket *nl);

/*
 * The device of that name. -ENODEV: the kernel has none, in this network namespace. -EBADMSG: an
 * answer that makes no sense; -EIO: devices came and went faster than the list could be read.
 */
int hfi_nldev_find(struct hf_nldev_socket *nl, const char *name, struct hf_nldev *ret);

/*
 * Gives a device another name, and returns what the kernel answers. -EEXIST: another device has it;
 * -ENODEV: there is no device of that index, in this network namespace; -EPERM; -ENAMETOOLONG.
 */
int hfi_nldev_rename(struct hf_nldev_socket *nl, uint32_t index, const char *name);

/* Takes one message apart, `size` bytes of it. -EBADMSG when it makes no sense. */
int hfi_nldev_parse(const void *message, size_t size, struct hf_nldev *ret);

#endif
