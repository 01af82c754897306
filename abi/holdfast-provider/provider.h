/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The private provider ABI: what a provider exports, and what the core offers it. See
 * holdfast-provider(7). The number below must be the same in three places: the file name
 * (NAME-hfN.so), the symbol node (HOLDFAST_PROVIDER_N) and the descriptor.
 */
#ifndef HOLDFAST_PROVIDER_ABI_H
#define HOLDFAST_PROVIDER_ABI_H

#include <holdfast-provider/later.h>
#include <holdfast-provider/memory.h>
#include <holdfast-provider/objects.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HF_PROVIDER_ABI 1

struct hf_provider_descriptor {
	uint32_t size; /* sizeof(struct hf_provider_descriptor) */
	uint32_t abi;  /* HF_PROVIDER_ABI */
	const char *name;
	const char *version;
	const struct verbs_device_ops *ops;
	/*
	 * sizeof(struct ibv_qp_ex) in the provider's headers: the members after it in struct
	 * verbs_qp have a larger offset in each release of rdma-core that has more operations. 0:
	 * 352, as in 44.
	 */
	uint32_t qp_ex_size;
	uint32_t reserved; /* 0 */
};

/*
 * The only symbol that a provider exports, in node HOLDFAST_PROVIDER_1. The descriptor belongs to
 * the provider and must stay valid while the library is loaded. The core calls alloc_device for
 * each instance it offers, and uninit_device exactly once for each device object. When the last
 * device is gone it unloads the library, so a provider must not leave pointers into itself behind.
 */
const struct hf_provider_descriptor *hf_provider_describe(void);

/*
 * What the core offers a provider, in node HOLDFAST_PROVIDER_1.
 *
 * Return convention of this ABI, as in private ABI 34: 0 or a positive errno value.
 *
 * Threads: any thread may call at any time; the provider ensures that no thread uses an object
 * while it is created or destroyed, or a context while its operations are set.
 */

/*
 * Allocates a zeroed object of `size` bytes that contains a struct verbs_context at `offset`, in
 * which every operation returns "not supported". The core owns cmd_fd from then on and closes it in
 * hf_provider_context_uninit(). Returns the object, or NULL with errno set; on failure cmd_fd is
 * closed. Since ABI 1.
 */
void *hf_provider_context_alloc(struct ibv_device *device, int cmd_fd, size_t size, size_t offset,
				uint32_t driver_id);

/* Releases the core's resources of a context; the provider then frees its object. Since ABI 1. */
void hf_provider_context_uninit(struct verbs_context *context);

/* Installs the operations that are not NULL. Since ABI 1. */
void hf_provider_set_ops(struct verbs_context *context, const struct verbs_context_ops *ops);

/* Kernel command GET_CONTEXT; must be the first on a context. `data` may be NULL. Since ABI 1. */
int hf_provider_get_context(struct verbs_context *context, const struct hf_driver_data *data);

/*
 * Kernel command EX_QUERY_DEVICE. Fills at most attr_size bytes of *attr; *fw_ver gets the driver's
 * raw firmware version. `data` may be NULL. Since ABI 1.
 */
int hf_provider_query_device(struct ibv_context *context,
			     const struct ibv_query_device_ex_input *input,
			     struct ibv_device_attr_ex *attr, size_t attr_size, uint64_t *fw_ver,
			     const struct hf_driver_data *data);

/* Kernel command QUERY_PORT; without a kernel driver, reads the device's files. Since ABI 1. */
int hf_provider_query_port(struct ibv_context *context, uint8_t port, struct ibv_port_attr *attr);

/* Logs a message through the Holdfast context of `device`. Since ABI 1. */
void hf_provider_log(const struct ibv_device *device, int level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#ifdef __cplusplus
}
#endif

#include <holdfast-provider/events.h>
#include <holdfast-provider/queues.h>
#include <holdfast-provider/steering.h>

#endif
