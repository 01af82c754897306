/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * RDMA netlink (NETLINK_RDMA, RDMA_NL_NLDEV): one request at a time, and a bounded wait for its answer. Also
 * for the small programs that udev runs once per event and in an initrd, without the library.
 */
#ifndef HF_SHARED_NLDEV_H
#define HF_SHARED_NLDEV_H

#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "shared/nldev_parse.h"

struct nlmsghdr;
struct hf_nldev_socket;

/* -EPROTONOSUPPORT: no RDMA netlink here. Not thread-safe. */
int hfi_nldev_open(struct hf_nldev_socket **ret) HF_MUST_CHECK HF_NONNULL;
void hfi_nldev_close(struct hf_nldev_socket *nl); /* may be NULL */
int hfi_nldev_fd(const struct hf_nldev_socket *nl) HF_MUST_CHECK HF_NONNULL;

/*
 * Begins a request of RDMA_NLDEV_CMD_*: the caller adds its attributes, then sends it. NLM_F_DUMP in `flags`
 * asks for a list, NLM_F_ACK for a confirmation.
 */
struct nlmsghdr *hfi_nldev_request(struct hf_nldev_socket *nl, unsigned int command,
				   uint16_t flags) HF_NONNULL;

/*
 * Sends the request and calls `each` for every message of the answer; its first error is returned. The
 * request is repeated when an answer was lost or a list changed meanwhile: `restart`, unless NULL, is called
 * before each attempt. -EIO: devices come and go faster than the list can be read.
 */
int hfi_nldev_ask(struct hf_nldev_socket *nl,
		  int (*each)(void *arg, const void *message, size_t size),
		  void (*restart)(void *arg), void *arg) HF_MUST_CHECK HF_NONNULL_OF(1);

/*
 * Sends several requests in one message; the kernel answers each separately. Requesting each device
 * of a list costs the kernel less than a dump, whose cost grows with the square of the number of
 * devices (Linux 6.1: each part of a dump has one device, which is found by counting from the
 * first).
 */
enum { HF_NLDEV_BATCH = 32 };

/* `error` is the kernel's negative errno value, and then there is no message. */
typedef int hfi_nldev_answer_fn(void *arg, unsigned int number, int error, const void *message,
				size_t size);

/* Adds a request: the caller adds its attributes. At most HF_NLDEV_BATCH before they are run. */
struct nlmsghdr *hfi_nldev_batch_add(struct hf_nldev_socket *nl, unsigned int command) HF_NONNULL;
/*
 * Sends them and calls `each` once for each answer, with the number of its request from 0; its first error is
 * returned. -ENOBUFS: the answers did not fit into the socket, and some are lost.
 */
int hfi_nldev_batch_run(struct hf_nldev_socket *nl, hfi_nldev_answer_fn *each,
			void *arg) HF_MUST_CHECK HF_NONNULL_OF(1, 2);

/* Calls `each` for the first device of a dump that is not read further, on a socket of its own. */
int hfi_nldev_first(int (*each)(void *arg, const void *message, size_t size),
		    void *arg) HF_MUST_CHECK HF_NONNULL_OF(1);

/*
 * The device of that name. -ENODEV: the kernel has none in this network namespace. -EBADMSG: the answer is
 * malformed; -EIO as above.
 */
int hfi_nldev_find(struct hf_nldev_socket *nl, const char *name,
		   struct hf_nldev *ret) HF_MUST_CHECK HF_NONNULL;

/*
 * Renames a device and returns what the kernel answers. -EEXIST: another device has the name; -ENODEV: no
 * device has that index in this network namespace; -EPERM; -ENAMETOOLONG.
 */
int hfi_nldev_rename(struct hf_nldev_socket *nl, uint32_t index,
		     const char *name) HF_MUST_CHECK HF_NONNULL;

/*
 * 1: since Linux 5.12 fork copies pages that hardware uses, so that registered memory needs no protection. 0: it
 * does not.
 */
int hfi_nldev_copy_on_fork(struct hf_nldev_socket *nl) HF_MUST_CHECK HF_NONNULL;

#endif
