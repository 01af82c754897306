/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Devices: listing, identity, attributes, opening. The handle of a device is a struct ibv_device of
 * <infiniband/verbs.h>. One handle stands for one instance: one life of a device, from plug to unplug.
 * See holdfast-device(3), and holdfast-hotplug(7) for what each call returns when the device is gone.
 */
#ifndef HOLDFAST_DEVICE_H
#define HOLDFAST_DEVICE_H

#include <stdint.h>
#include <time.h>
#include <sys/types.h>
#include <infiniband/verbs.h>

#include <holdfast/context.h>
#include <holdfast/reason.h>

#ifdef __cplusplus
extern "C" {
#endif

enum hf_list_flags {
	/* List devices that cannot be opened as well; hf_device_get_info() says why. */
	HF_LIST_ALL = 1 << 0,
};

/*
 * Lists the devices that exist now and that this process can open. `flags`: enum hf_list_flags. *ret
 * is an array of handles followed by NULL; each entry holds a reference. The caller owns the array and
 * gives it back with hf_device_list_free(). New devices come before known ones.
 * Returns the number of devices. Errors: -EIO (no root could be searched), -EACCES (no root may be
 * read), -EMFILE, -ENFILE, -EINVAL (flags). Since 0.1.
 */
int hf_device_list(struct hf *hf, uint32_t flags, struct ibv_device ***ret);

/* Gives back a list and its references. NULL is allowed. Since 0.1. */
void hf_device_list_free(struct ibv_device **list);

/*
 * Finds a device by its current name, even if it cannot be opened. If several roots hold such a device, it
 * finds that of the first of them, in the order of the context's roots. The caller owns a reference and gives it back with hf_device_unref().
 * Errors: -ENODEV (no device has this name, or it is empty), -EIO, -EACCES, -EMFILE, -ENFILE. Since 0.1.
 */
int hf_device_by_name(struct hf *hf, const char *name, struct ibv_device **ret);

/* Takes a reference and returns its argument. It cannot fail. Since 0.1. */
struct ibv_device *hf_device_ref(struct ibv_device *device);

/*
 * Gives a reference back and returns NULL. NULL is allowed. When the device is gone and this was the
 * last reference, the provider frees its device object. Since 0.1.
 */
struct ibv_device *hf_device_unref(struct ibv_device *device);

/*
 * The number of the instance: it is greater than 0, grows, and is never used twice in a process. It
 * does not change when the device is renamed or gone. It cannot fail. Since 0.1.
 */
uint64_t hf_device_generation(const struct ibv_device *device);

/*
 * Returns 1 if the device is known to be gone, otherwise 0. It reads memory only: it returns what the
 * last list call or stream event found. Since 0.1.
 */
int hf_device_is_gone(const struct ibv_device *device);

enum hf_device_state {
	HF_DEVICE_READY = 1,	/* it can be opened */
	HF_DEVICE_UNUSABLE = 2, /* it exists but cannot be opened; `reason` says why */
	HF_DEVICE_GONE = 3,	/* it was unplugged; the handle stays valid */
};

/* The protocol of a device, from RDMA netlink or from its node type. */
enum hf_protocol {
	HF_PROTOCOL_UNKNOWN = 0,
	HF_PROTOCOL_IB = 1,
	HF_PROTOCOL_ROCE = 2,
	HF_PROTOCOL_IWARP = 3,
	HF_PROTOCOL_OPA = 4,
	HF_PROTOCOL_USNIC = 5,
};

struct hf_device_info {
	size_t size; /* set to sizeof(struct hf_device_info) before the call */
	uint64_t generation;
	uint32_t state;		 /* enum hf_device_state */
	uint32_t protocol;	 /* enum hf_protocol */
	char name[64];		 /* current name, "rxe0" */
	char uverbs[64];	 /* "uverbs0" */
	char node[256];		 /* path of the device node */
	char root[256];		 /* the root it was found in, "/sys" */
	char provider[64];	 /* its name; empty if none */
	char provider_file[256]; /* path of its library; empty if none */
	int32_t index;		 /* index in RDMA netlink, -1 if unknown */
	uint32_t driver_id;	 /* enum rdma_driver_id, 0 if unknown */
	uint32_t kernel_abi;	 /* version of the kernel driver's ABI */
	uint32_t num_ports;	 /* the highest port number; 0 if unknown */
	dev_t node_number;	 /* device number of the node */
	uint64_t inode;		 /* inode of the instance's sysfs entry, 0 if unknown */
	struct timespec stamp;	 /* its time stamp; changes when caches are dropped */
	uint64_t node_guid;	 /* host byte order; 0 if unplugged before it was read */
	int32_t node_type;	 /* enum ibv_node_type */
	int32_t transport;	 /* enum ibv_transport_type */
	struct hf_reason reason; /* why it cannot be opened */
};

/*
 * Fills the first `info->size` bytes of *info. If the device is gone, the state says so and the other
 * values are the last known ones. Errors: -EINVAL (size). Since 0.1.
 */
int hf_device_get_info(struct ibv_device *device, struct hf_device_info *info);

/*
 * Copies the current name with its NUL and returns its length. If the device is gone, it is the last
 * name. Errors: -ERANGE (`size` is too small; 64 is enough). Since 0.1.
 */
int hf_device_name(struct ibv_device *device, char *name, size_t size);

/*
 * Reads the attribute `path`, relative to the device's directory ("fw_ver", "ports/1/rate"), without
 * its trailing newline and with a NUL, and returns its length. It returns the value of this instance
 * or fails. Errors: -ENODEV (gone, or replaced while reading), -ENOENT (no such attribute), -EINVAL
 * (`path` is absolute, contains "..", or does not lead to a plain file), -ERANGE (`size` is too small),
 * -EACCES, -EIO, -EMFILE, -ENFILE, -EOPNOTSUPP (the device is known to RDMA netlink only). Since 0.1.
 */
int hf_device_read_attr(struct ibv_device *device, const char *path, char *value, size_t size);

/*
 * Writes `value`, 1 to 4096 bytes, with one write to the attribute `path`, relative to the device's
 * directory ("node_desc"). It writes to this instance or to none, creates no file, and does not follow
 * a symbolic link at the end of the path. After an error the attribute of this instance may have been
 * changed.
 * Errors: -ENODEV (gone, or replaced), -ENOENT (no such attribute), -EINVAL (`path` is absolute,
 * contains "..", or does not lead to a plain file; `value` is empty, too long, or refused by the driver),
 * -EACCES (not permitted, or read-only), -EOPNOTSUPP (the driver does not support it, or the device is
 * known to RDMA netlink only), -EIO (any other error of the driver), -EMFILE, -ENFILE. Since 0.1.
 */
int hf_device_write_attr(struct ibv_device *device, const char *path, const char *value);

struct hf_port_info {
	size_t size; /* set to sizeof(struct hf_port_info) before the call */
	uint32_t port;
	uint32_t state;	       /* enum ibv_port_state, 0 if unknown */
	uint32_t phys_state;   /* as in struct ibv_port_attr, 0 if unknown */
	int32_t link_layer;    /* IBV_LINK_LAYER_* */
	uint32_t netdev_index; /* index of its network interface, 0 if none or unknown */
	char netdev[16];       /* name of the interface, empty if none or unknown */
	uint32_t netdev_mtu;   /* MTU of the interface in bytes, 0 if unknown */
	char rate[64];	       /* in the kernel's words: "2.5 Gb/sec (1X SDR)"; or empty */
	uint32_t num_gids;     /* entries of the GID table that are in use and can be read */
};

/*
 * Reads a port, counted from 1, into the first `info->size` bytes of *info. A value that cannot be read
 * is 0 or empty and hides no other. Errors: as hf_device_read_attr(); -ENOENT (no such port), -EINVAL
 * (size). Since 0.1.
 */
int hf_device_get_port(struct ibv_device *device, uint32_t port, struct hf_port_info *info);

enum hf_gid_type {
	HF_GID_IB = 0,
	HF_GID_ROCE_V1 = 1,
	HF_GID_ROCE_V2 = 2,
	HF_GID_TYPE_UNKNOWN = 3, /* the kernel does not tell the type of this entry */
};

struct hf_gid {
	union ibv_gid gid; /* network byte order */
	uint32_t index;
	uint32_t type;	 /* enum hf_gid_type */
	char netdev[16]; /* its network interface, empty if unknown */
};

/*
 * Reads the entries of a port's GID table that are in use, in order of their index, whatever the gaps
 * between them. An entry that cannot be read is left out; if none can be read, the call fails. *ret is
 * an array whose entries are `entry_size` bytes apart: pass sizeof(struct hf_gid). The caller owns the
 * array and gives it back with free(). Returns the number of entries. Errors: as hf_device_get_port(),
 * and -EINVAL (entry_size). Since 0.1.
 */
int hf_device_get_gids(struct ibv_device *device, uint32_t port, size_t entry_size,
		       struct hf_gid **ret);

/*
 * Opens exactly this instance. The caller owns *ret, which holds a reference to the device, and gives
 * it back with hf_device_close() or ibv_close_device(). The call waits for a missing node and for the
 * driver.
 * Errors: -ENODEV (gone, or replaced at any moment during the call), -EACCES (the node may not be
 * opened), -ENOENT (the node did not appear in time), -ENXIO (the node belongs to another device number,
 * or the device is in another network namespace), -ENOSYS (no provider, or one that opened it wrongly),
 * -EPROTO (the kernel driver's ABI is outside the provider's range), -EIO, -EMFILE, -ENFILE, and errors of
 * the provider. Since 0.1.
 */
int hf_device_open(struct ibv_device *device, struct ibv_context **ret);

/*
 * Closes an open device and returns 0, even if the device is gone. No thread may use the context during
 * or after the call. The call waits for the driver. Since 0.1.
 */
int hf_device_close(struct ibv_context *context);

#ifdef __cplusplus
}
#endif

#endif
