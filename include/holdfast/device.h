/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Devices: listing, identity, attributes, opening. The handle of a device is the struct ibv_device
 * of <infiniband/verbs.h>; one handle stands for one instance, that is one life of a device from
 * plug to unplug. See holdfast-hotplug(7) for what each call answers once the device is gone.
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
	/* Also devices that cannot be opened; hf_device_get_info() says why. */
	HF_LIST_ALL = 1 << 0,
};

/*
 * Lists the devices that exist now and that this process can open. *ret is an array of that many
 * handles followed by NULL; each entry holds a reference. The caller owns the array and gives it
 * back with hf_device_list_free(). New devices come before the ones already known.
 * Returns the number of devices. Errors: -EIO (no root could be searched), -EACCES (nor read),
 * -EMFILE, -ENFILE, -EINVAL (flags). Since 0.1.
 */
int hf_device_list(struct hf *hf, uint32_t flags, struct ibv_device ***ret);

/* Gives back the array and one reference per entry. NULL is allowed. Since 0.1. */
void hf_device_list_free(struct ibv_device **list);

/*
 * Finds a device by its current name, also one that cannot be opened. The caller owns a reference.
 * Errors: -ENODEV (no such device now, or an empty name), -EIO, -EACCES, -EMFILE, -ENFILE. Since 0.1.
 */
int hf_device_by_name(struct hf *hf, const char *name, struct ibv_device **ret);

/* Takes a reference and returns its argument. Since 0.1. */
struct ibv_device *hf_device_ref(struct ibv_device *device);

/*
 * Gives a reference back and returns NULL. With the last one, once the device is gone, the provider
 * is told to forget the device. NULL is allowed. Since 0.1.
 */
struct ibv_device *hf_device_unref(struct ibv_device *device);

/*
 * The number that names this instance: greater than 0, growing, never used twice in a process.
 * Stays readable when the device is gone. Since 0.1.
 */
uint64_t hf_device_generation(const struct ibv_device *device);

/*
 * 1 when the device is known to be gone, else 0. Reads memory only: it tells what the last list
 * call or stream event found. Since 0.1.
 */
int hf_device_is_gone(const struct ibv_device *device);

enum hf_device_state {
	HF_DEVICE_READY = 1,	/* it can be opened */
	HF_DEVICE_UNUSABLE = 2, /* it exists but cannot be opened; see reason */
	HF_DEVICE_GONE = 3,	/* unplugged; the handle stays valid */
};

/* What the device speaks, as RDMA netlink or else the node type tells; 0 where neither does. */
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
	char provider[64];	 /* empty if none */
	char provider_file[256]; /* empty if none */
	int32_t index;		 /* RDMA netlink's device index, -1 where unknown */
	uint32_t driver_id;	 /* enum rdma_driver_id, 0 where unknown */
	uint32_t kernel_abi;	 /* ABI of the kernel driver towards its provider */
	uint32_t num_ports;	 /* 0 where unknown */
	dev_t node_number;	 /* device number of the node */
	uint64_t inode;		 /* inode number of the instance's sysfs entry, 0 where unknown */
	struct timespec stamp;	 /* its time stamp; changes when the kernel drops caches */
	uint64_t node_guid;	 /* host byte order; 0 if the device went before it was read */
	int32_t node_type;	 /* enum ibv_node_type */
	int32_t transport;	 /* enum ibv_transport_type */
	struct hf_reason reason;
};

/*
 * What is known of a device. Works on a gone device too: the values are the last ones seen and the
 * state says so. `info->size` bytes are written. Errors: -EINVAL (size). Since 0.1.
 */
int hf_device_get_info(struct ibv_device *device, struct hf_device_info *info);

/*
 * Copies the current name with its NUL; returns its length. Errors: -ERANGE (size too small).
 * Since 0.1.
 */
int hf_device_name(struct ibv_device *device, char *name, size_t size);

/*
 * Reads the attribute `path`, relative to the device's directory ("fw_ver", "ports/1/rate"), without
 * the trailing newline and with a NUL; returns its length. The bytes are those of this instance or
 * the call fails. Errors: -ENODEV (gone, or replaced while reading), -ENOENT (no such attribute),
 * -EINVAL (path is absolute or holds "..", leads to no plain file), -ERANGE (size too small),
 * -EACCES, -EIO, -EMFILE, -ENFILE, -EOPNOTSUPP (the device is known to netlink only). Since 0.1.
 */
int hf_device_read_attr(struct ibv_device *device, const char *path, char *value, size_t size);

/*
 * Writes `value`, of 1 to 4096 bytes, to the attribute `path`, relative to the device's directory
 * ("node_desc"): as it is, in one piece. This instance is written to or none. Nothing is created and
 * no symbolic link at the end of the path is followed. After an error the attribute may have been
 * changed, but of no other instance.
 * Errors: -ENODEV (gone, or replaced), -ENOENT (no such attribute), -EINVAL (path is absolute or
 * holds "..", leads to no plain file, value is empty or too long, or refused), -EACCES (not
 * permitted, or read-only), -EOPNOTSUPP (the driver has no such thing, or the device is known to
 * netlink only), -EIO (any other answer of the driver), -EMFILE, -ENFILE. Since 0.1.
 */
int hf_device_write_attr(struct ibv_device *device, const char *path, const char *value);

struct hf_port_info {
	size_t size; /* set to sizeof(struct hf_port_info) before the call */
	uint32_t port;
	uint32_t state;	       /* enum ibv_port_state */
	uint32_t phys_state;   /* as in struct ibv_port_attr */
	int32_t link_layer;    /* IBV_LINK_LAYER_* */
	uint32_t netdev_index; /* interface index, 0 where there is none or it is not known */
	char netdev[16];       /* its name, empty where there is none */
	uint32_t netdev_mtu;   /* 0 where unknown */
	char rate[64];	       /* as the kernel words it: "2.5 Gb/sec (1X SDR)" */
	uint32_t num_gids;     /* entries of the GID table that are in use */
};

/* Reads a port, counted from 1. Errors: as hf_device_read_attr(). Since 0.1. */
int hf_device_get_port(struct ibv_device *device, uint32_t port, struct hf_port_info *info);

enum hf_gid_type {
	HF_GID_IB = 0,
	HF_GID_ROCE_V1 = 1,
	HF_GID_ROCE_V2 = 2,
};

struct hf_gid {
	union ibv_gid gid; /* network byte order */
	uint32_t index;
	uint32_t type;	 /* enum hf_gid_type */
	char netdev[16]; /* empty where unknown */
};

/*
 * Reads the used entries of a port's GID table, in order of index. The search ends at a hole of 64
 * unused entries. *ret is an array whose entries are `entry_size` bytes apart: pass
 * sizeof(struct hf_gid). The caller gives the array back with free(). Returns the
 * number of entries. Errors: as hf_device_read_attr(), and -EINVAL (entry_size).
 * Since 0.1.
 */
int hf_device_get_gids(struct ibv_device *device, uint32_t port, size_t entry_size,
		       struct hf_gid **ret);

/*
 * Opens exactly this instance. *ret is given back with hf_device_close() or ibv_close_device(); it
 * holds a reference to the device.
 * Errors: -ENODEV (gone or replaced, at whatever moment), -EACCES (node not permitted), -ENOENT (no
 * node within the context's waiting time), -ENXIO (the node belongs to another device number, or the
 * device is in another network namespace), -ENOSYS (no provider), -EPROTO (the kernel driver's ABI is
 * outside the provider's range), -EIO, -EMFILE, -ENFILE, and what the provider answers.
 * Since 0.1.
 */
int hf_device_open(struct ibv_device *device, struct ibv_context **ret);

/*
 * Closes an open device; succeeds also when the device is gone. The context must not be used by any
 * thread after the call. Returns 0. Since 0.1.
 */
int hf_device_close(struct ibv_context *context);

#ifdef __cplusplus
}
#endif

#endif
