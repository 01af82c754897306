/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The operations that libibverbs 1.15 to 1.18 added, which struct verbs_context_ops does not have, and the kernel
 * commands for them. Since ABI 1.2: a provider that calls one of these functions is not loaded by an older core.
 *
 * The commands return 0 or a positive errno value, and leave the object unchanged on failure. On a kernel that lacks
 * one of them they answer EOPNOTSUPP, unless the comment says otherwise. A destroy succeeds if the device is gone.
 */
#ifndef HOLDFAST_PROVIDER_LATER_H
#define HOLDFAST_PROVIDER_LATER_H

#include <holdfast/verbs.h>
#include <holdfast-provider/objects.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A buffer of ibv_alloc_buf(), as the core and a provider see it. */
struct ibv_buf {
	void *addr;
	size_t size;
	struct ibv_pd *pd;
	int dmabuf_fd; /* -1: ordinary memory */
};

HF_SIZE(ibv_buf, 32);
HF_LAYOUT(ibv_buf, pd, 16);
HF_LAYOUT(ibv_buf, dmabuf_fd, 24);

struct verbs_dmah {
	struct ibv_dmah dmah;
	uint32_t handle;
};

HF_SIZE(verbs_dmah, 16);
HF_LAYOUT(verbs_dmah, handle, 8);
HF_SIZE(ibv_dmah_init_attr, 12);
HF_LAYOUT(ibv_dmah_init_attr, ph, 8);
HF_LAYOUT(ibv_dmah_init_attr, tph_mem_type, 9);
HF_LAYOUT(ibv_mr_init_attr, access, 8);
HF_LAYOUT(ibv_mr_init_attr, comp_mask, 16);
HF_LAYOUT(ibv_mr_init_attr, addr, 32);
HF_LAYOUT(ibv_mr_init_attr, fd, 40);
HF_LAYOUT(ibv_mr_init_attr, dmah, 56);
HF_SIZE(ibv_comp_cntr, 16);
HF_SIZE(ibv_comp_cntr_caps, 16);
HF_SIZE(ibv_comp_cntr_init_attr, 12);
HF_SIZE(ibv_qp_attach_comp_cntr_attr, 8);

/*
 * A new operation is added at the end. NULL: the core serves reg_mr_ex by reg_mr and reg_dmabuf_mr, alloc_buf and
 * free_buf (which come together) by ordinary memory, query_port_speed by width and speed of the port, and answers
 * EOPNOTSUPP to the others.
 */
struct hf_later_ops {
	void *(*alloc_buf)(struct ibv_pd *pd, size_t size, struct ibv_buf **buf);
	struct ibv_dmah *(*alloc_dmah)(struct ibv_context *context,
				       struct ibv_dmah_init_attr *attr);
	struct ibv_comp_cntr *(*create_comp_cntr)(struct ibv_context *context,
						  struct ibv_comp_cntr_init_attr *attr);
	int (*dealloc_dmah)(struct ibv_dmah *dmah);
	int (*destroy_comp_cntr)(struct ibv_comp_cntr *counter);
	int (*dm_export_dmabuf_fd)(struct ibv_dm *dm);
	void (*free_buf)(struct ibv_buf *buf);
	int (*inc_comp_cntr)(struct ibv_comp_cntr *counter, uint64_t amount);
	int (*inc_err_comp_cntr)(struct ibv_comp_cntr *counter, uint64_t amount);
	int (*qp_attach_comp_cntr)(struct ibv_qp *qp, struct ibv_comp_cntr *counter,
				   struct ibv_qp_attach_comp_cntr_attr *attr);
	int (*query_comp_cntr_caps)(struct ibv_context *context, struct ibv_comp_cntr_caps *caps,
				    size_t size);
	int (*query_port_speed)(struct ibv_context *context, uint32_t port, uint64_t *speed);
	int (*read_comp_cntr)(struct ibv_comp_cntr *counter, uint64_t *value);
	int (*read_err_comp_cntr)(struct ibv_comp_cntr *counter, uint64_t *value);
	struct ibv_mr *(*reg_mr_ex)(struct ibv_pd *pd, struct ibv_mr_init_attr *attr);
	int (*set_comp_cntr)(struct ibv_comp_cntr *counter, uint64_t value);
	int (*set_err_comp_cntr)(struct ibv_comp_cntr *counter, uint64_t value);
};

/* Installs the operations that are not NULL. `size`: sizeof(struct hf_later_ops) of the provider. Since ABI 1.2. */
void hf_provider_set_later_ops(struct verbs_context *context, const struct hf_later_ops *ops,
			       size_t size);

/* A handle for hints of PCIe. Fills dmah.context and handle. Since ABI 1.2. */
int hf_provider_alloc_dmah(struct ibv_context *context, struct verbs_dmah *dmah,
			   const struct ibv_dmah_init_attr *attr);
int hf_provider_free_dmah(struct verbs_dmah *dmah);

/*
 * Registers memory by an address or by a dma-buf, whose offset and IOVA must be stated. EINVAL for both or neither.
 * A kernel that lacks the command serves an address without a handle by REG_MR. Fills what hf_provider_reg_mr()
 * does. Since ABI 1.2.
 */
int hf_provider_reg_mr_ex(struct ibv_pd *pd, struct verbs_mr *mr,
			  const struct ibv_mr_init_attr *attr);

/* A dma-buf of what mmap() of the node finds at `offset`; *fd is the caller's. Since ABI 1.2. */
int hf_provider_export_dmabuf(struct ibv_context *context, uint64_t offset, int *fd);

/* In units of 100 Mb/s. Since ABI 1.2. */
int hf_provider_query_port_speed(struct ibv_context *context, uint32_t port, uint64_t *speed);

/* Completion counters: `error` selects the count of what failed. Since ABI 1.2. */
int hf_provider_create_comp_cntr(struct ibv_context *context, struct ibv_comp_cntr *counter,
				 const struct hf_driver_data *data);
int hf_provider_destroy_comp_cntr(struct ibv_comp_cntr *counter);
int hf_provider_set_comp_cntr(struct ibv_comp_cntr *counter, bool error, uint64_t value);
int hf_provider_inc_comp_cntr(struct ibv_comp_cntr *counter, bool error, uint64_t amount);
int hf_provider_read_comp_cntr(struct ibv_comp_cntr *counter, bool error, uint64_t *value);
int hf_provider_attach_comp_cntr(struct ibv_qp *qp, struct ibv_comp_cntr *counter,
				 const struct ibv_qp_attach_comp_cntr_attr *attr);
/* EINVAL if `size` is less than that of the struct. */
int hf_provider_query_comp_cntr_caps(struct ibv_context *context, struct ibv_comp_cntr_caps *caps,
				     size_t size);

/*
 * Memory that a confidential guest shares with devices: a heap of dma-bufs. Open and alloc return NULL with errno set
 * on failure; `fd` gets the dma-buf, which belongs to the memory. Since ABI 1.2.
 */
struct hf_shared_heap;
struct hf_shared_heap *hf_provider_shared_heap_open(void);
void *hf_provider_shared_heap_alloc(struct hf_shared_heap *heap, size_t size, int *fd);
void hf_provider_shared_heap_free(void *memory, size_t size, int fd);
void hf_provider_shared_heap_close(struct hf_shared_heap *heap);

#ifdef __cplusplus
}
#endif

#endif
