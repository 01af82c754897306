/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A program that uses its objects after it closed their context: each call returns EBADF. */
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <infiniband/verbs.h>

static int failures;

static void expect(bool is_right, const char *what, long got)
{
	if (is_right && errno == EBADF)
		return;
	printf("FAIL: %s: %ld, %s\n", what, got, strerror(errno));
	failures++;
}

/* Calls that return an errno value; that return -1 and set errno; that return a pointer. */
#define ANSWERS_ERROR(call)                       \
	do {                                      \
		int err;                          \
		errno = 0;                        \
		err = (call);                     \
		expect(err == EBADF, #call, err); \
	} while (0)
#define ANSWERS_MINUS_ONE(call)                \
	do {                                   \
		int ret;                       \
		errno = 0;                     \
		ret = (call);                  \
		expect(ret == -1, #call, ret); \
	} while (0)
#define ANSWERS_NULL(call)                          \
	do {                                        \
		const void *made;                   \
		errno = 0;                          \
		made = (call);                      \
		expect(!made, #call, made != NULL); \
	} while (0)

/* Calls that do not set errno. */
#define RETURNS_ERROR(call)                       \
	do {                                      \
		int err = (call);                 \
		errno = EBADF;                    \
		expect(err == EBADF, #call, err); \
	} while (0)

static struct objects {
	struct ibv_context *context;
	struct ibv_pd *pd;
	struct ibv_mr *mr;
	struct ibv_comp_channel *channel;
	struct ibv_cq *cq;
	struct ibv_srq *srq;
	struct ibv_qp *qp;
	struct ibv_ah *ah;
} o;

static char page[4096];

static int make_objects(struct ibv_device *device)
{
	struct ibv_srq_init_attr srq_attr = {.attr = {.max_wr = 1, .max_sge = 1}};
	struct ibv_qp_init_attr qp_attr = {.qp_type = IBV_QPT_RC};
	struct ibv_ah_attr ah_attr = {.port_num = 1};

	o.context = ibv_open_device(device);
	if (!o.context)
		return -1;
	o.pd = ibv_alloc_pd(o.context);
	o.cq = ibv_create_cq(o.context, 1, NULL, NULL, 0);
	if (!o.pd || !o.cq)
		return -1;
	qp_attr.send_cq = qp_attr.recv_cq = o.cq;
	o.mr = ibv_reg_mr(o.pd, page, sizeof(page), IBV_ACCESS_LOCAL_WRITE);
	o.srq = ibv_create_srq(o.pd, &srq_attr);
	o.qp = ibv_create_qp(o.pd, &qp_attr);
	o.ah = ibv_create_ah(o.pd, &ah_attr);
	return o.mr && o.srq && o.qp && o.ah ? 0 : -1;
}

#undef ibv_query_port
int ibv_query_port(struct ibv_context *context, uint8_t port, struct _compat_ibv_port_attr *attr);

static void use_closed_context(void)
{
	struct ibv_gid_entry entry;
	struct ibv_async_event event;
	struct ibv_device_attr attr;
	char port_attr[sizeof(struct ibv_port_attr)];
	union ibv_gid gid;
	__be16 pkey;

	ANSWERS_ERROR(ibv_query_device(o.context, &attr));
	ANSWERS_ERROR(ibv_query_port(o.context, 1, (void *)port_attr));
	ANSWERS_MINUS_ONE(ibv_query_gid(o.context, 1, 0, &gid));
	ANSWERS_MINUS_ONE(ibv_query_pkey(o.context, 1, 0, &pkey));
	ANSWERS_MINUS_ONE(ibv_get_pkey_index(o.context, 1, 0xffff));
	RETURNS_ERROR(ibv_query_gid_ex(o.context, 1, 0, &entry, 0));
	RETURNS_ERROR(-(int)ibv_query_gid_table(o.context, &entry, 1, 0));
	ANSWERS_MINUS_ONE(ibv_get_async_event(o.context, &event));
	ANSWERS_NULL(ibv_alloc_pd(o.context));
	ANSWERS_NULL(ibv_import_pd(o.context, 1));
	ANSWERS_NULL(ibv_import_dm(o.context, 1));
	ANSWERS_NULL(ibv_create_cq(o.context, 1, NULL, NULL, 0));
	ANSWERS_NULL(ibv_create_comp_channel(o.context));
}

#undef ibv_reg_mr
#undef ibv_reg_mr_iova
struct ibv_mr *ibv_reg_mr(struct ibv_pd *pd, void *addr, size_t length, int access);
struct ibv_mr *ibv_reg_mr_iova(struct ibv_pd *pd, void *addr, size_t length, uint64_t iova,
			       int access);

static void make_more(void)
{
	struct ibv_srq_init_attr srq_attr = {.attr = {.max_wr = 1, .max_sge = 1}};
	struct ibv_qp_init_attr qp_attr = {.qp_type = IBV_QPT_RC, .send_cq = o.cq, .recv_cq = o.cq};
	struct ibv_ah_attr ah_attr = {.port_num = 1};

	ANSWERS_NULL(ibv_reg_mr(o.pd, page, sizeof(page), 0));
	ANSWERS_NULL(ibv_reg_mr_iova(o.pd, page, sizeof(page), 0, 0));
	ANSWERS_NULL(ibv_reg_mr_iova2(o.pd, page, sizeof(page), 0, 0));
	ANSWERS_NULL(ibv_reg_dmabuf_mr(o.pd, 0, sizeof(page), 0, 0, 0));
	ANSWERS_NULL(ibv_import_mr(o.pd, 1));
	ANSWERS_NULL(ibv_create_srq(o.pd, &srq_attr));
	ANSWERS_NULL(ibv_create_qp(o.pd, &qp_attr));
	ANSWERS_NULL(ibv_create_ah(o.pd, &ah_attr));
}

static void use_objects(void)
{
	struct ibv_qp_attr qp_attr = {.qp_state = IBV_QPS_ERR};
	struct ibv_qp_init_attr init_attr;
	struct ibv_srq_attr srq_attr = {0};
	struct ibv_ece ece = {.vendor_id = 1};
	union ibv_gid gid = {{0}};

	ANSWERS_MINUS_ONE(ibv_rereg_mr(o.mr, IBV_REREG_MR_CHANGE_ACCESS, o.pd, NULL, 0, 0) ==
					  IBV_REREG_MR_ERR_CMD
				  ? -1
				  : 0);
	ANSWERS_ERROR(ibv_resize_cq(o.cq, 2));
	ANSWERS_ERROR(ibv_modify_srq(o.srq, &srq_attr, 0));
	ANSWERS_ERROR(ibv_query_srq(o.srq, &srq_attr));
	ANSWERS_ERROR(ibv_modify_qp(o.qp, &qp_attr, IBV_QP_STATE));
	ANSWERS_ERROR(ibv_query_qp(o.qp, &qp_attr, 0, &init_attr));
	ANSWERS_ERROR(ibv_query_ece(o.qp, &ece));
	ANSWERS_ERROR(ibv_set_ece(o.qp, &ece));
	ANSWERS_ERROR(ibv_attach_mcast(o.qp, &gid, 0));
	ANSWERS_ERROR(ibv_detach_mcast(o.qp, &gid, 0));
	(void)ibv_qp_to_qp_ex(o.qp);
	(void)ibv_query_qp_data_in_order(o.qp, IBV_WR_SEND, 0);
	ibv_unimport_pd(o.pd);
	ibv_unimport_mr(o.mr);
}

/*
 * These are inline in the header and read the freed context, as with libibverbs: the memory must
 * not be reused yet.
 */
static void use_freed_memory(void)
{
	struct ibv_send_wr send_wr = {0}, *bad_send;
	struct ibv_recv_wr recv_wr = {0}, *bad_recv;
	struct ibv_cq_init_attr_ex cq_attr = {.cqe = 1};
	struct ibv_device_attr_ex attr;
	struct ibv_wc wc;
	int got;

	errno = 0;
	got = ibv_poll_cq(o.cq, 1, &wc);
	expect(got < 0, "ibv_poll_cq", got);
	ANSWERS_ERROR(ibv_req_notify_cq(o.cq, 0));
	ANSWERS_ERROR(ibv_post_send(o.qp, &send_wr, &bad_send));
	ANSWERS_ERROR(ibv_post_recv(o.qp, &recv_wr, &bad_recv));
	ANSWERS_ERROR(ibv_post_srq_recv(o.srq, &recv_wr, &bad_recv));
	ANSWERS_NULL(ibv_alloc_mw(o.pd, IBV_MW_TYPE_1));
	ANSWERS_NULL(ibv_create_cq_ex(o.context, &cq_attr));
	ANSWERS_ERROR(ibv_query_device_ex(o.context, NULL, &attr));
}

static void destroy_objects(void)
{
	ANSWERS_ERROR(ibv_destroy_ah(o.ah));
	ANSWERS_ERROR(ibv_destroy_qp(o.qp));
	ANSWERS_ERROR(ibv_destroy_srq(o.srq));
	ANSWERS_ERROR(ibv_destroy_cq(o.cq));
	ANSWERS_ERROR(ibv_dereg_mr(o.mr));
	ANSWERS_ERROR(ibv_dealloc_pd(o.pd));
	ANSWERS_MINUS_ONE(ibv_close_device(o.context));
}

/* More contexts than the first table of the core has entries for: each must be known. */
static void many(struct ibv_device *device)
{
	enum { MANY = 300 };
	static struct ibv_context *contexts[MANY];
	struct ibv_device_attr attr;
	int opened = 0;

	while (opened < MANY && (contexts[opened] = ibv_open_device(device)))
		opened++;
	for (int i = 0; i < opened; i++)
		if (ibv_query_device(contexts[i], &attr))
			failures++;
	for (int i = 0; i < opened; i++) {
		if (ibv_close_device(contexts[i]))
			failures++;
		ANSWERS_ERROR(ibv_query_device(contexts[i], &attr));
	}
	printf("%d contexts, each closed once\n", opened);
}

int main(int argc, char **argv)
{
	const bool junk = argc > 1 && !strcmp(argv[1], "junk");
	struct ibv_device **list = ibv_get_device_list(NULL);

	/* Overwrite freed memory at once. */
	if (junk)
		mallopt(M_PERTURB, 0xa5);
	if (!list || !*list || make_objects(*list)) {
		printf("FAIL: no objects: %s\n", strerror(errno));
		return 1;
	}
	if (ibv_close_device(o.context)) {
		printf("FAIL: not closed: %s\n", strerror(errno));
		return 1;
	}
	if (!junk && argc > 1)
		use_freed_memory();
	use_closed_context();
	make_more();
	use_objects();
	destroy_objects();
	many(*list);
	ibv_free_device_list(list);
	/* The provider would have freed them. */
	free(o.pd);
	free(o.cq);
	free(o.srq);
	free(o.qp);
	free(o.ah);
	return failures ? 1 : 0;
}
