/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The objects that a provider shares with the core. Their layout is that of private provider ABI 34
 * (rdma-core 34 and later use the same names), and is checked below: a member must never move.
 */
#ifndef HOLDFAST_PROVIDER_OBJECTS_H
#define HOLDFAST_PROVIDER_OBJECTS_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <sys/types.h>
#include <infiniband/verbs.h>

#ifdef __cplusplus
extern "C" {
#define HF_LAYOUT(type, member, offset) \
	static_assert(offsetof(struct type, member) == (offset), "ABI: " #type "." #member)
#define HF_SIZE(type, size) static_assert(sizeof(struct type) == (size), "ABI: size of " #type)
#else
#define HF_LAYOUT(type, member, offset) \
	_Static_assert(offsetof(struct type, member) == (offset), "ABI: " #type "." #member)
#define HF_SIZE(type, size) _Static_assert(sizeof(struct type) == (size), "ABI: size of " #type)
#endif

struct ibv_command_buffer;
struct verbs_device;

struct hf_links {
	void *next;
	void *prev;
};

enum hf_match_kind {
	HF_MATCH_END = 0,
	HF_MATCH_PCI = 1,
	HF_MATCH_MODALIAS = 2,
	HF_MATCH_DRIVER_ID = 3,
};

struct verbs_match_ent {
	void *driver_data;
	union {
		const char *modalias;
		uint64_t driver_id;
	} u;
	uint16_t vendor;
	uint16_t device;
	uint8_t kind; /* enum hf_match_kind */
};

/* Bits of verbs_sysfs_dev.flags: the member was read, so if it is empty or 0 that is its value. */
enum hf_sysfs_flags {
	HF_SYSFS_MODALIAS_READ = 1 << 0,
	HF_SYSFS_GUID_READ = 1 << 1,
};

/* What the core knows of a device when it offers it to a provider. Owned by the core. */
struct verbs_sysfs_dev {
	struct hf_links entry;
	void *provider_data; /* the provider's own */
	const struct verbs_match_ent *match;
	unsigned int flags;
	char sysfs_name[IBV_SYSFS_NAME_MAX];
	dev_t sysfs_cdev; /* 0 until it is read, which may be after match_device and alloc_device */
	char ibdev_name[IBV_SYSFS_NAME_MAX];
	char ibdev_path[IBV_SYSFS_PATH_MAX];
	char modalias[512]; /* like sysfs_cdev, but read when the match table needs it */
	uint64_t node_guid; /* network byte order; read like sysfs_cdev */
	uint32_t driver_id;
	enum ibv_node_type node_type;
	int ibdev_idx;
	uint32_t num_ports;
	uint32_t abi_ver;
	struct timespec time_created;
};

struct verbs_device_ops {
	const char *name;
	uint32_t match_min_abi_version;
	uint32_t match_max_abi_version;
	const struct verbs_match_ent *match_table;
	const struct verbs_device_ops **static_providers;
	bool (*match_device)(struct verbs_sysfs_dev *sysfs_dev);
	struct verbs_context *(*alloc_context)(struct ibv_device *device, int cmd_fd,
					       void *private_data);
	struct verbs_context *(*import_context)(struct ibv_device *device, int cmd_fd);
	struct verbs_device *(*alloc_device)(struct verbs_sysfs_dev *sysfs_dev);
	void (*uninit_device)(struct verbs_device *device);
};

/* Embedded anywhere in the zeroed object that a provider's alloc_device returns. */
struct verbs_device {
	struct ibv_device device;
	const struct verbs_device_ops *ops;
	int refcount; /* atomic; used by the core */
	struct hf_links entry;
	struct verbs_sysfs_dev *sysfs;
	uint64_t core_support;
};

enum ibv_mr_type {
	IBV_MR_TYPE_MR,
	IBV_MR_TYPE_NULL_MR,
	IBV_MR_TYPE_IMPORTED_MR,
	IBV_MR_TYPE_DMABUF_MR,
};

struct verbs_mr {
	struct ibv_mr ibv_mr;
	enum ibv_mr_type mr_type;
	int access;
};

struct verbs_xrcd {
	struct ibv_xrcd xrcd;
	uint32_t comp_mask;
	uint32_t handle;
};

struct verbs_srq {
	struct ibv_srq srq;
	enum ibv_srq_type srq_type;
	struct verbs_xrcd *xrcd;
	struct ibv_cq *cq;
	uint32_t srq_num;
};

/* The union is anonymous, which C99 supports only as an extension. */
__extension__ struct verbs_cq {
	union {
		struct ibv_cq cq;
		struct ibv_cq_ex cq_ex;
	};
};

enum verbs_qp_mask {
	VERBS_QP_XRCD = 1 << 0,
	VERBS_QP_EX = 1 << 1,
};

/*
 * The members after the union moved between releases that all have ABI 34: see
 * holdfast-provider(7).
 */
__extension__ struct verbs_qp {
	union {
		struct ibv_qp qp;
		struct ibv_qp_ex qp_ex;
	};
	uint32_t comp_mask; /* enum verbs_qp_mask */
	struct verbs_xrcd *xrcd;
};

struct verbs_dm {
	struct ibv_dm dm;
	uint32_t handle;
};

struct verbs_counters {
	struct ibv_counters counters;
	uint32_t handle;
};

enum ibv_flow_action_type {
	IBV_FLOW_ACTION_UNSPECIFIED,
	IBV_FLOW_ACTION_ESP = 1,
};

struct verbs_flow_action {
	struct ibv_flow_action action;
	uint32_t handle;
	enum ibv_flow_action_type type;
};

/* A provider's part of a kernel command. Members left 0 are not sent. */
struct hf_driver_data {
	const void *in;
	size_t in_size;
	void *out;
	size_t out_size;
	struct ibv_command_buffer *link; /* more attributes; responses are written back to them */
};

/* A member that is NULL keeps the previous operation: at first one that returns "not supported". */
struct verbs_context_ops {
	int (*advise_mr)(struct ibv_pd *, enum ib_uverbs_advise_mr_advice, uint32_t,
			 struct ibv_sge *, uint32_t);
	struct ibv_dm *(*alloc_dm)(struct ibv_context *, struct ibv_alloc_dm_attr *);
	struct ibv_mw *(*alloc_mw)(struct ibv_pd *, enum ibv_mw_type);
	struct ibv_mr *(*alloc_null_mr)(struct ibv_pd *);
	struct ibv_pd *(*alloc_parent_domain)(struct ibv_context *,
					      struct ibv_parent_domain_init_attr *);
	struct ibv_pd *(*alloc_pd)(struct ibv_context *);
	struct ibv_td *(*alloc_td)(struct ibv_context *, struct ibv_td_init_attr *);
	void (*async_event)(struct ibv_context *, struct ibv_async_event *);
	int (*attach_counters_point_flow)(struct ibv_counters *, struct ibv_counter_attach_attr *,
					  struct ibv_flow *);
	int (*attach_mcast)(struct ibv_qp *, const union ibv_gid *, uint16_t);
	int (*bind_mw)(struct ibv_qp *, struct ibv_mw *, struct ibv_mw_bind *);
	int (*close_xrcd)(struct ibv_xrcd *);
	void (*cq_event)(struct ibv_cq *);
	struct ibv_ah *(*create_ah)(struct ibv_pd *, struct ibv_ah_attr *);
	struct ibv_counters *(*create_counters)(struct ibv_context *,
						struct ibv_counters_init_attr *);
	struct ibv_cq *(*create_cq)(struct ibv_context *, int, struct ibv_comp_channel *, int);
	struct ibv_cq_ex *(*create_cq_ex)(struct ibv_context *, struct ibv_cq_init_attr_ex *);
	struct ibv_flow *(*create_flow)(struct ibv_qp *, struct ibv_flow_attr *);
	struct ibv_flow_action *(*create_flow_action_esp)(struct ibv_context *,
							  struct ibv_flow_action_esp_attr *);
	struct ibv_qp *(*create_qp)(struct ibv_pd *, struct ibv_qp_init_attr *);
	struct ibv_qp *(*create_qp_ex)(struct ibv_context *, struct ibv_qp_init_attr_ex *);
	struct ibv_rwq_ind_table *(*create_rwq_ind_table)(struct ibv_context *,
							  struct ibv_rwq_ind_table_init_attr *);
	struct ibv_srq *(*create_srq)(struct ibv_pd *, struct ibv_srq_init_attr *);
	struct ibv_srq *(*create_srq_ex)(struct ibv_context *, struct ibv_srq_init_attr_ex *);
	struct ibv_wq *(*create_wq)(struct ibv_context *, struct ibv_wq_init_attr *);
	int (*dealloc_mw)(struct ibv_mw *);
	int (*dealloc_pd)(struct ibv_pd *);
	int (*dealloc_td)(struct ibv_td *);
	int (*dereg_mr)(struct verbs_mr *);
	int (*destroy_ah)(struct ibv_ah *);
	int (*destroy_counters)(struct ibv_counters *);
	int (*destroy_cq)(struct ibv_cq *);
	int (*destroy_flow)(struct ibv_flow *);
	int (*destroy_flow_action)(struct ibv_flow_action *);
	int (*destroy_qp)(struct ibv_qp *);
	int (*destroy_rwq_ind_table)(struct ibv_rwq_ind_table *);
	int (*destroy_srq)(struct ibv_srq *);
	int (*destroy_wq)(struct ibv_wq *);
	int (*detach_mcast)(struct ibv_qp *, const union ibv_gid *, uint16_t);
	void (*free_context)(struct ibv_context *);
	int (*free_dm)(struct ibv_dm *);
	int (*get_srq_num)(struct ibv_srq *, uint32_t *);
	struct ibv_dm *(*import_dm)(struct ibv_context *, uint32_t);
	struct ibv_mr *(*import_mr)(struct ibv_pd *, uint32_t);
	struct ibv_pd *(*import_pd)(struct ibv_context *, uint32_t);
	int (*modify_cq)(struct ibv_cq *, struct ibv_modify_cq_attr *);
	int (*modify_flow_action_esp)(struct ibv_flow_action *, struct ibv_flow_action_esp_attr *);
	int (*modify_qp)(struct ibv_qp *, struct ibv_qp_attr *, int);
	int (*modify_qp_rate_limit)(struct ibv_qp *, struct ibv_qp_rate_limit_attr *);
	int (*modify_srq)(struct ibv_srq *, struct ibv_srq_attr *, int);
	int (*modify_wq)(struct ibv_wq *, struct ibv_wq_attr *);
	struct ibv_qp *(*open_qp)(struct ibv_context *, struct ibv_qp_open_attr *);
	struct ibv_xrcd *(*open_xrcd)(struct ibv_context *, struct ibv_xrcd_init_attr *);
	int (*poll_cq)(struct ibv_cq *, int, struct ibv_wc *);
	int (*post_recv)(struct ibv_qp *, struct ibv_recv_wr *, struct ibv_recv_wr **);
	int (*post_send)(struct ibv_qp *, struct ibv_send_wr *, struct ibv_send_wr **);
	int (*post_srq_ops)(struct ibv_srq *, struct ibv_ops_wr *, struct ibv_ops_wr **);
	int (*post_srq_recv)(struct ibv_srq *, struct ibv_recv_wr *, struct ibv_recv_wr **);
	int (*query_device_ex)(struct ibv_context *, const struct ibv_query_device_ex_input *,
			       struct ibv_device_attr_ex *, size_t);
	int (*query_ece)(struct ibv_qp *, struct ibv_ece *);
	int (*query_port)(struct ibv_context *, uint8_t, struct ibv_port_attr *);
	int (*query_qp)(struct ibv_qp *, struct ibv_qp_attr *, int, struct ibv_qp_init_attr *);
	int (*query_qp_data_in_order)(struct ibv_qp *, enum ibv_wr_opcode, uint32_t);
	int (*query_rt_values)(struct ibv_context *, struct ibv_values_ex *);
	int (*query_srq)(struct ibv_srq *, struct ibv_srq_attr *);
	int (*read_counters)(struct ibv_counters *, uint64_t *, uint32_t, uint32_t);
	struct ibv_mr *(*reg_dm_mr)(struct ibv_pd *, struct ibv_dm *, uint64_t, size_t,
				    unsigned int);
	struct ibv_mr *(*reg_dmabuf_mr)(struct ibv_pd *, uint64_t, size_t, uint64_t, int, int);
	struct ibv_mr *(*reg_mr)(struct ibv_pd *, void *, size_t, uint64_t, int);
	int (*req_notify_cq)(struct ibv_cq *, int);
	int (*rereg_mr)(struct verbs_mr *, int, struct ibv_pd *, void *, size_t, int);
	int (*resize_cq)(struct ibv_cq *, int);
	int (*set_ece)(struct ibv_qp *, struct ibv_ece *);
	void (*unimport_dm)(struct ibv_dm *);
	void (*unimport_mr)(struct ibv_mr *);
	void (*unimport_pd)(struct ibv_pd *);
};

HF_SIZE(verbs_match_ent, 24);
HF_SIZE(verbs_sysfs_dev, 992);
HF_LAYOUT(verbs_sysfs_dev, provider_data, 16);
HF_LAYOUT(verbs_sysfs_dev, match, 24);
HF_LAYOUT(verbs_sysfs_dev, sysfs_name, 36);
HF_LAYOUT(verbs_sysfs_dev, sysfs_cdev, 104);
HF_LAYOUT(verbs_sysfs_dev, ibdev_name, 112);
HF_LAYOUT(verbs_sysfs_dev, ibdev_path, 176);
HF_LAYOUT(verbs_sysfs_dev, modalias, 432);
HF_LAYOUT(verbs_sysfs_dev, node_guid, 944);
HF_LAYOUT(verbs_sysfs_dev, driver_id, 952);
HF_LAYOUT(verbs_sysfs_dev, abi_ver, 968);
HF_LAYOUT(verbs_sysfs_dev, time_created, 976);
HF_SIZE(verbs_device_ops, 72);
HF_LAYOUT(verbs_device_ops, match_device, 32);
HF_LAYOUT(verbs_device_ops, uninit_device, 64);
HF_SIZE(verbs_device, 712);
HF_LAYOUT(verbs_device, ops, 664);
HF_LAYOUT(verbs_device, refcount, 672);
HF_LAYOUT(verbs_device, sysfs, 696);
HF_SIZE(verbs_mr, 56);
HF_LAYOUT(verbs_mr, mr_type, 48);
HF_SIZE(verbs_xrcd, 16);
HF_LAYOUT(verbs_xrcd, handle, 12);
HF_SIZE(verbs_srq, 160);
HF_LAYOUT(verbs_srq, srq_type, 128);
HF_LAYOUT(verbs_srq, srq_num, 152);
HF_SIZE(verbs_cq, 288);
/* The descriptor contains the size of ibv_qp_ex, which some releases of rdma-core extend. */
HF_SIZE(verbs_qp, sizeof(struct ibv_qp_ex) + 16);
HF_LAYOUT(verbs_qp, comp_mask, sizeof(struct ibv_qp_ex));
HF_LAYOUT(verbs_qp, xrcd, sizeof(struct ibv_qp_ex) + 8);
HF_SIZE(verbs_dm, 40);
HF_LAYOUT(verbs_dm, handle, 32);
HF_SIZE(verbs_counters, 16);
HF_SIZE(verbs_flow_action, 16);
HF_LAYOUT(verbs_flow_action, type, 12);
HF_SIZE(verbs_context_ops, 608);
HF_LAYOUT(verbs_context_ops, query_port, 480);
HF_LAYOUT(verbs_context_ops, unimport_pd, 600);
HF_SIZE(verbs_context, 648);
HF_LAYOUT(verbs_context, priv, 208);
HF_LAYOUT(verbs_context, context, 320);

#ifdef __cplusplus
}
#endif

#endif
