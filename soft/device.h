/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The attributes of a device of a tree, and writing its files. */
#ifndef HF_SOFT_DEVICE_H
#define HF_SOFT_DEVICE_H

#include <stdint.h>
#include <netinet/in.h>

#include "shared/attr.h"

/* Every member is required unless its comment says otherwise. */
struct hf_soft_device {
	uint64_t guid;		    /* host byte order; that of port P is greater by P - 1 */
	const char *node_type;	    /* "1: CA" */
	const char *description;    /* node_desc */
	const char *firmware;	    /* fw_ver */
	const char *link_layer;	    /* "Ethernet" */
	const char *modalias;	    /* of uverbsN/device; NULL: none */
	const char *gid_type;	    /* "RoCE v2" */
	const char *netdev;	    /* of the GIDs; "": none */
	const char *follow;	    /* the network interface that each port follows; NULL: none */
	const char *udp_port;	    /* without which the ports are down; NULL: none */
	const char *uroce_path;	    /* for the provider uroce; NULL: no such file */
	const struct in6_addr *gid; /* of `follow`, the only one; NULL: all, or as the next says */
	uint32_t ipv4; /* of GID 1, host byte order; GID 0 is link-local, others are unused */
	unsigned int ports;
	unsigned int gids;	   /* size of a port's table */
	unsigned int abi;	   /* of the driver */
	unsigned int major, minor; /* of the node; both 0 if it is not a character device */
};

/* Fills an empty directory as class/infiniband/NAME. -EINVAL for an interface whose name is none. */
int hfi_soft_fill_device(int dirfd, const struct hf_soft_device *device) HF_MUST_CHECK HF_NONNULL;

/*
 * The port whose open directory is given follows the network interface, or none any more (NULL): its state,
 * MTU and GIDs are then the interface's. -EINVAL as above.
 */
int hfi_soft_follow(int port, const char *netdev) HF_MUST_CHECK;

/* Fills an empty directory as class/infiniband_verbs/uverbsN of the RDMA device `name`. */
int hfi_soft_fill_uverbs(int dirfd, const char *name,
			 const struct hf_soft_device *device) HF_MUST_CHECK HF_NONNULL;

#endif
