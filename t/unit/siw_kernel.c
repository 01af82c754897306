/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A fake siw kernel driver: makes queues in a file that the provider and the tests map. */
#include "t/unit/siw_kernel.h"

#include <sys/mman.h>
#include <unistd.h>

enum { QUEUES = 16 };

struct kernel kernel;
static uint64_t keys[QUEUES];
static unsigned int num_keys;

int kernel_set_up(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	num_keys = 0;
	kernel.context.cmd_fd = memfd_create("siw", MFD_CLOEXEC);
	assert_true(kernel.context.cmd_fd >= 0);
	assert_int_equal(ftruncate(kernel.context.cmd_fd, FILE_SIZE), 0);
	kernel.memory =
		mmap(NULL, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, kernel.context.cmd_fd, 0);
	assert_true(kernel.memory != MAP_FAILED);
	return 0;
}

int kernel_tear_down(void **state)
{
	(void)state;
	assert_int_equal(kernel.objects, 0);
	munmap(kernel.memory, FILE_SIZE);
	close(kernel.context.cmd_fd);
	return 0;
}

void *kernel_queue(unsigned int back)
{
	assert_in_range(back, 0, num_keys - 1);
	return kernel.memory + keys[num_keys - 1 - back];
}

static uint64_t make_mapping(size_t size)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const uint64_t key = kernel.used;

	kernel.used += (size + page - 1) & ~(page - 1);
	assert_in_range(kernel.used, 0, FILE_SIZE);
	assert_in_range(num_keys, 0, QUEUES - 1);
	keys[num_keys++] = key;
	return key;
}

static uint32_t round_up(uint32_t number)
{
	uint32_t power = 1;

	while (power < number)
		power *= 2;
	return power;
}

static int kernel_create_cq(struct ibv_context *context, uint32_t cqe, struct ibv_cq *cq,
			    const struct hf_driver_data *data)
{
	struct siw_uresp_create_cq *response = data->out;

	assert_int_equal(data->out_size, sizeof(*response));
	response->num_cqe = round_up(cqe);
	response->cq_key = make_mapping(response->num_cqe * sizeof(struct siw_cqe) +
					sizeof(struct siw_cq_ctrl));
	response->num_cqe += kernel.odd;
	cq->context = context;
	kernel.objects++;
	return 0;
}

int hf_provider_create_cq(struct ibv_context *context, int cqe, struct ibv_comp_channel *channel,
			  int comp_vector, struct ibv_cq *cq, const struct hf_driver_data *data)
{
	(void)channel;
	(void)comp_vector;
	return kernel_create_cq(context, (uint32_t)cqe, cq, data);
}

int hf_provider_create_cq_ex(struct ibv_context *context, const struct ibv_cq_init_attr_ex *attr,
			     struct verbs_cq *cq, const struct hf_driver_data *data, uint32_t flags)
{
	(void)flags;
	return kernel_create_cq(context, attr->cqe, &cq->cq, data);
}

int hf_provider_destroy_cq(struct ibv_cq *cq)
{
	(void)cq;
	kernel.objects--;
	return 0;
}

int hf_provider_create_srq(struct ibv_pd *pd, struct ibv_srq *srq, struct ibv_srq_init_attr *attr,
			   const struct hf_driver_data *data)
{
	struct siw_uresp_create_srq *response = data->out;

	assert_int_equal(data->out_size, sizeof(*response));
	srq->context = pd->context;
	response->num_rqe = round_up(attr->attr.max_wr);
	response->srq_key = make_mapping(response->num_rqe * sizeof(struct siw_rqe));
	response->num_rqe += kernel.odd;
	kernel.objects++;
	return 0;
}

int hf_provider_modify_srq(struct ibv_srq *srq, const struct ibv_srq_attr *attr, int mask,
			   const struct hf_driver_data *data)
{
	(void)srq;
	(void)attr;
	(void)mask;
	(void)data;
	return 0;
}

int hf_provider_destroy_srq(struct ibv_srq *srq)
{
	(void)srq;
	kernel.objects--;
	return 0;
}

/* Like the driver, it also returns a size of the receive queue if there is an SRQ. */
static int kernel_create_qp(struct ibv_context *context, struct ibv_qp *qp,
			    const struct ibv_qp_cap *cap, struct ibv_srq *srq,
			    const struct hf_driver_data *data)
{
	struct siw_uresp_create_qp *response = data->out;

	assert_int_equal(data->out_size, sizeof(*response));
	response->num_sqe = round_up(cap->max_send_wr);
	response->sq_key = make_mapping(response->num_sqe * sizeof(struct siw_sqe));
	response->num_sqe += kernel.odd;
	response->num_rqe = cap->max_recv_wr ? round_up(cap->max_recv_wr) : 0;
	if (response->num_rqe && !srq)
		response->rq_key = make_mapping(response->num_rqe * sizeof(struct siw_rqe));
	qp->context = context;
	qp->srq = srq;
	kernel.objects++;
	return 0;
}

int hf_provider_create_qp(struct ibv_pd *pd, struct ibv_qp *qp, struct ibv_qp_init_attr *attr,
			  const struct hf_driver_data *data)
{
	return kernel_create_qp(pd->context, qp, &attr->cap, attr->srq, data);
}

int hf_provider_create_qp_ex(struct ibv_context *context, struct verbs_qp *qp,
			     struct ibv_qp_init_attr_ex *attr, const struct hf_driver_data *data)
{
	return kernel_create_qp(context, &qp->qp, &attr->cap, attr->srq, data);
}

int hf_provider_destroy_qp(struct ibv_qp *qp)
{
	(void)qp;
	kernel.objects--;
	return 0;
}

int hf_provider_post_send(struct ibv_qp *qp, struct ibv_send_wr *wr, struct ibv_send_wr **bad)
{
	(void)qp;
	(void)bad;
	assert_null(wr);
	kernel.rung++;
	return kernel.ring_answer;
}
