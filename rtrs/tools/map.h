/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Devices of RTRS servers that this program has opened, because somebody has written so to map_device. */
#ifndef RTRS_TOOLS_MAP_H
#define RTRS_TOOLS_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtrs/control/place.h"
#include "shared/attr.h"

/* What map_device shows. */
#define RTRS_MAP_USAGE                                                                           \
	"Usage: echo \"[dest_port=server port number] sessname=<name of the rtrs session> "      \
	"path=<[srcaddr@]dstaddr> [path=<[srcaddr@]dstaddr>] device_path=<full path on remote "  \
	"side> "                                                                                 \
	"[access_mode=<ro|rw|migration>] [nr_poll_queues=<number of queues>]\" > map_device\n\n" \
	"addr ::= [ ip:<ipv4> | ip:<ipv6> | gid:<gid> ]\n"

enum { RTRS_MAP_PATHS_MAX = 6, RTRS_MAP_TEXT_MAX = 4096, RTRS_MAP_NAME_MAX = 255 };

/* What was written; `text` holds the strings, so it is not to be copied. */
struct rtrs_map_words {
	char text[RTRS_MAP_TEXT_MAX + 1];
	const char *session, *device, *paths[RTRS_MAP_PATHS_MAX];
	char with_port[RTRS_MAP_PATHS_MAX][256]; /* paths that have got dest_port */
	unsigned int path_count;
	unsigned int access; /* enum rtrs_rnbd_access */
	int poll_queues;
};

/* -EINVAL: as the kernel's file would refuse it; -ENOMEM: too many paths; -EPROTONOSUPPORT: no such kind of address. */
int rtrsi_map_parse(const char *value, size_t length,
		    struct rtrs_map_words *ret) HF_MUST_CHECK HF_NONNULL;

/*
 * Waits until the device is there. Errors as above; -EEXIST: it is there already; -ENXIO: the session is not there, and
 * no path was given. On a session that is there a device is opened beside those that it has, and paths are not used.
 * What another process has mapped is found by `is_known`, which gets its name, DEVICE@SESSION.
 */
int rtrsi_map(const char *value, size_t length,
	      bool (*is_known)(const char *name)) HF_MUST_CHECK HF_NONNULL;
/* Until all that are being unmapped are. */
void rtrsi_map_wait_for_unmapped(void);
/* Unmaps all, whoever uses them. */
void rtrsi_map_end(void);

/* Whether the control socket of that name shows one of them. */
bool rtrsi_is_mapped(const char *socket, bool *is_read_only) HF_MUST_CHECK HF_NONNULL;

/* One that is mapped, by the name of its control socket: -ENODEV. What was found is to be put back. */
struct rtrs_mapped;

int rtrsi_mapped_get(const char *socket, struct rtrs_mapped **ret) HF_MUST_CHECK HF_NONNULL;
void rtrsi_mapped_put(struct rtrs_mapped *mapped) HF_NONNULL;
/* While a file of it is open it is not unmapped, unless by force. */
void rtrsi_mapped_opened(struct rtrs_mapped *mapped, bool is_open) HF_NONNULL;

bool rtrsi_mapped_is_read_only(const struct rtrs_mapped *mapped) HF_NONNULL;
/* In bytes, or -ENODEV: it was unmapped by force. */
int64_t rtrsi_mapped_size(struct rtrs_mapped *mapped) HF_MUST_CHECK HF_NONNULL;
/* Of any offset and size; how much of it is in the device, or a negative errno. */
int rtrsi_mapped_read(struct rtrs_mapped *mapped, void *to, size_t size,
		      uint64_t offset) HF_MUST_CHECK HF_NONNULL;
int rtrsi_mapped_write(struct rtrs_mapped *mapped, const void *from, size_t size,
		       uint64_t offset) HF_MUST_CHECK HF_NONNULL;
int rtrsi_mapped_flush(struct rtrs_mapped *mapped) HF_MUST_CHECK HF_NONNULL;
/* Zeroes, or what need not be kept: in whole blocks. */
int rtrsi_mapped_punch(struct rtrs_mapped *mapped, uint64_t offset,
		       uint64_t length) HF_MUST_CHECK HF_NONNULL;

#endif
