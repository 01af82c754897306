/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The public calls for protection domains, memory and address handles, with a provider that only
 * calls the core: their conventions, the members they fill in, and the fork bookkeeping.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <unistd.h>
#include <cmocka.h>
#include <rdma/ib_user_ioctl_verbs.h>

#include "core/verbs/operations.h"
#include "t/lib/fake_uverbs.h"

#undef ibv_reg_mr
#undef ibv_reg_mr_iova

/* The arguments of ibv_dontfork_range() and ibv_dofork_range(): the linker wraps these. */
int __wrap_ibv_dontfork_range(void *base, size_t size);
int __wrap_ibv_dofork_range(void *base, size_t size);

static struct {
	unsigned int dont, again;
	void *base;
	size_t size;
	int err_dont, err_again;
} forks;

int __wrap_ibv_dontfork_range(void *base, size_t size)
{
	forks.dont++;
	forks.base = base;
	forks.size = size;
	return forks.err_dont;
}

int __wrap_ibv_dofork_range(void *base, size_t size)
{
	forks.again++;
	forks.base = base;
	forks.size = size;
	return forks.err_again;
}

static void *give_or_free(int err, void *object)
{
	if (!err)
		return object;
	free(object);
	errno = err;
	return NULL;
}

static struct ibv_pd *memory_alloc_pd(struct ibv_context *context)
{
	struct ibv_pd *pd = calloc(1, sizeof(*pd));

	return give_or_free(hf_provider_alloc_pd(context, pd, NULL), pd);
}

static int memory_dealloc_pd(struct ibv_pd *pd)
{
	int err = hf_provider_dealloc_pd(pd);

	if (!err)
		free(pd);
	return err;
}

static struct ibv_mr *memory_reg_mr(struct ibv_pd *pd, void *addr, size_t length, uint64_t iova,
				    int access)
{
	struct verbs_mr *mr = calloc(1, sizeof(*mr));

	return give_or_free(hf_provider_reg_mr(pd, addr, length, iova, access, mr, NULL), mr);
}

static struct ibv_mr *memory_reg_dmabuf_mr(struct ibv_pd *pd, uint64_t offset, size_t length,
					   uint64_t iova, int fd, int access)
{
	struct verbs_mr *mr = calloc(1, sizeof(*mr));

	return give_or_free(
		hf_provider_reg_dmabuf_mr(pd, offset, length, iova, fd, access, mr, NULL), mr);
}

static struct ibv_mr *memory_import_mr(struct ibv_pd *pd, uint32_t handle)
{
	struct verbs_mr *mr = calloc(1, sizeof(*mr));

	return give_or_free(hf_provider_query_mr(pd, mr, handle), mr);
}

static void memory_unimport_mr(struct ibv_mr *mr)
{
	free(mr);
}

static int memory_rereg_mr(struct verbs_mr *mr, int flags, struct ibv_pd *pd, void *addr,
			   size_t length, int access)
{
	return hf_provider_rereg_mr(mr, (uint32_t)flags, addr, length, (uintptr_t)addr, access, pd,
				    NULL);
}

static int memory_dereg_mr(struct verbs_mr *mr)
{
	int err = hf_provider_dereg_mr(mr);

	if (!err)
		free(mr);
	return err;
}

static struct ibv_ah *memory_create_ah(struct ibv_pd *pd, struct ibv_ah_attr *attr)
{
	struct ibv_ah *ah = calloc(1, sizeof(*ah));

	return give_or_free(hf_provider_create_ah(pd, ah, attr, NULL), ah);
}

static int memory_destroy_ah(struct ibv_ah *ah)
{
	int err = hf_provider_destroy_ah(ah);

	if (!err)
		free(ah);
	return err;
}

static int memory_query_port(struct ibv_context *context, uint8_t port, struct ibv_port_attr *attr)
{
	(void)context;
	if (port != 1)
		return EINVAL;
	*attr = (struct ibv_port_attr){.gid_tbl_len = 3};
	return 0;
}

static const struct verbs_context_ops operations = {
	.alloc_pd = memory_alloc_pd,
	.dealloc_pd = memory_dealloc_pd,
	.reg_mr = memory_reg_mr,
	.reg_dmabuf_mr = memory_reg_dmabuf_mr,
	.rereg_mr = memory_rereg_mr,
	.dereg_mr = memory_dereg_mr,
	.import_mr = memory_import_mr,
	.unimport_mr = memory_unimport_mr,
	.create_ah = memory_create_ah,
	.destroy_ah = memory_destroy_ah,
	.query_port = memory_query_port,
};

static struct ibv_context *context;
static struct ibv_pd *pd;
static char memory[4096];

static int set_up_memory(void **state)
{
	(void)state;
	context = fake_context();
	hfi_operations_set(hfi_context_of(context), &operations);
	memset(&forks, 0, sizeof(forks));
	pd = ibv_alloc_pd(context);
	return !pd;
}

static int tear_down_memory(void **state)
{
	(void)state;
	return ibv_dealloc_pd(pd);
}

static struct verbs_mr *verbs_of(struct ibv_mr *mr)
{
	return (struct verbs_mr *)(void *)mr;
}

static void pds(void **state)
{
	(void)state;
	assert_ptr_equal(pd->context, context);
	fake_fail(ENOMEM);
	errno = 0;
	assert_null(ibv_alloc_pd(context));
	assert_int_equal(errno, ENOMEM);
	fake_fail(EBUSY);
	assert_int_equal(ibv_dealloc_pd(pd), EBUSY);
	/* Operations that the provider lacks. */
	errno = 0;
	assert_null(ibv_import_pd(context, 3));
	assert_int_equal(errno, EOPNOTSUPP);
	assert_null(ibv_import_dm(context, 3));
	ibv_unimport_pd(pd);
}

static void registration(void **state)
{
	struct ibv_mr *mr;

	(void)state;
	mr = ibv_reg_mr(pd, memory, 100, IBV_ACCESS_LOCAL_WRITE);
	assert_non_null(mr);
	assert_ptr_equal(mr->context, context);
	assert_ptr_equal(mr->pd, pd);
	assert_ptr_equal(mr->addr, memory);
	assert_int_equal(mr->length, 100);
	assert_int_equal(verbs_of(mr)->mr_type, IBV_MR_TYPE_MR);
	assert_int_equal(verbs_of(mr)->access, IBV_ACCESS_LOCAL_WRITE);
	assert_int_equal(forks.dont, 1);
	assert_ptr_equal(forks.base, memory);
	assert_int_equal(forks.size, 100);
	assert_int_equal(forks.again, 0);
	fake_fail(EBUSY);
	assert_int_equal(ibv_dereg_mr(mr), EBUSY);
	assert_int_equal(forks.again, 0);
	assert_int_equal(ibv_dereg_mr(mr), 0);
	assert_int_equal(forks.again, 1);
	assert_ptr_equal(forks.base, memory);
	assert_int_equal(forks.size, 100);
}

static void registration_fails(void **state)
{
	(void)state;
	fake_fail(ENOMEM);
	assert_null(ibv_reg_mr(pd, memory, 100, 0));
	assert_int_equal(errno, ENOMEM);
	assert_int_equal(forks.dont, 1);
	assert_int_equal(forks.again, 1);
	forks.err_dont = EINVAL;
	errno = 0;
	assert_null(ibv_reg_mr(pd, memory, 100, 0));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(forks.again, 1);
	assert_int_equal(fake_count(), 2);
}

static void on_demand(void **state)
{
	struct ibv_mr *mr = ibv_reg_mr(pd, NULL, SIZE_MAX, IBV_ACCESS_ON_DEMAND);

	(void)state;
	assert_non_null(mr);
	assert_int_equal(ibv_dereg_mr(mr), 0);
	assert_int_equal(forks.dont + forks.again, 0);
}

static void gone(void **state)
{
	struct ibv_mr *mr = ibv_reg_mr(pd, memory, 100, 0);

	(void)state;
	fake_gone(EIO);
	assert_null(ibv_reg_mr(pd, memory, 100, 0));
	assert_int_equal(errno, EIO);
	forks.again = 0;
	assert_int_equal(ibv_dereg_mr(mr), 0);
	assert_int_equal(forks.again, 1);
}

/* Checks the access flags that the last registration sent. */
static void expect_access(uint64_t iova, uint32_t access)
{
	const struct ib_uverbs_reg_mr request = {
		.start = (uintptr_t)memory,
		.length = 100,
		.hca_va = iova,
		.pd_handle = pd->handle,
		.access_flags = access,
	};

	fake_sent_write(IB_USER_VERBS_CMD_REG_MR);
	fake_in(UVERBS_ATTR_CORE_IN, &request, sizeof(request));
}

static void iova(void **state)
{
	const unsigned int access = IBV_ACCESS_REMOTE_READ | IBV_ACCESS_RELAXED_ORDERING;
	struct ibv_mr *mr;

	(void)state;
	mr = ibv_reg_mr_iova(pd, memory, 100, 0x7000, IBV_ACCESS_REMOTE_READ);
	expect_access(0x7000, IBV_ACCESS_REMOTE_READ);
	assert_ptr_equal(mr->addr, memory);
	assert_int_equal(ibv_dereg_mr(mr), 0);
	/* Optional flags are sent to kernels that report support for them. */
	mr = ibv_reg_mr_iova2(pd, memory, 100, 0x8000, access);
	expect_access(0x8000, IBV_ACCESS_REMOTE_READ);
	assert_int_equal(ibv_dereg_mr(mr), 0);
	fake_device()->core_support = IB_UVERBS_CORE_SUPPORT_OPTIONAL_MR_ACCESS;
	mr = ibv_reg_mr_iova2(pd, memory, 100, 0x9000, access);
	expect_access(0x9000, access);
	assert_int_equal(ibv_dereg_mr(mr), 0);
}

static void registers_dmabuf(void **state)
{
	struct ibv_mr *mr = ibv_reg_dmabuf_mr(pd, 4096, 100, 0, 5, IBV_ACCESS_LOCAL_WRITE);

	(void)state;
	assert_non_null(mr);
	assert_ptr_equal(mr->context, context);
	assert_ptr_equal(mr->pd, pd);
	assert_int_equal((uintptr_t)mr->addr, 4096);
	assert_int_equal(mr->length, 100);
	assert_int_equal(verbs_of(mr)->mr_type, IBV_MR_TYPE_DMABUF_MR);
	assert_int_equal(ibv_rereg_mr(mr, IBV_REREG_MR_CHANGE_ACCESS, NULL, NULL, 0, 1),
			 IBV_REREG_MR_ERR_INPUT);
	assert_int_equal(ibv_dereg_mr(mr), 0);
	assert_int_equal(forks.dont + forks.again, 0);
}

static void import(void **state)
{
	struct ibv_mr *mr = ibv_import_mr(pd, 9);

	(void)state;
	assert_non_null(mr);
	assert_int_equal(mr->handle, 9);
	assert_int_equal(verbs_of(mr)->mr_type, IBV_MR_TYPE_IMPORTED_MR);
	assert_ptr_equal(mr->pd, pd);
	ibv_unimport_mr(mr);
	mr = ibv_import_mr(pd, 9);
	assert_int_equal(ibv_dereg_mr(mr), 0);
	assert_int_equal(forks.dont + forks.again, 0);
	fake_fail(ENOENT);
	assert_null(ibv_import_mr(pd, 10));
	assert_int_equal(errno, ENOENT);
}

static void reregistration(void **state)
{
	const int moves = IBV_REREG_MR_CHANGE_TRANSLATION;
	struct ibv_mr *mr = ibv_reg_mr(pd, memory, 100, 0);
	struct ibv_pd other = {.context = context, .handle = 55};
	unsigned int sent = fake_count();

	(void)state;
	errno = 0;
	assert_int_equal(ibv_rereg_mr(mr, 1 << 5, pd, memory, 1, 0), IBV_REREG_MR_ERR_INPUT);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(ibv_rereg_mr(mr, moves, pd, NULL, 1, 0), IBV_REREG_MR_ERR_INPUT);
	assert_int_equal(ibv_rereg_mr(mr, moves, pd, memory, 0, 0), IBV_REREG_MR_ERR_INPUT);
	assert_int_equal(ibv_rereg_mr(mr, moves, pd, memory, 1, 1), IBV_REREG_MR_ERR_INPUT);
	assert_int_equal(fake_count(), sent);

	forks.err_dont = ENOMEM;
	assert_int_equal(ibv_rereg_mr(mr, moves, NULL, memory + 1, 9, 0),
			 IBV_REREG_MR_ERR_DONT_FORK_NEW);
	assert_int_equal(errno, ENOMEM);
	assert_int_equal(fake_count(), sent);
	forks.err_dont = 0;

	fake_fail(EINVAL);
	assert_int_equal(ibv_rereg_mr(mr, moves, NULL, memory + 1, 9, 0), IBV_REREG_MR_ERR_CMD);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(forks.again, 1);
	assert_ptr_equal(forks.base, memory + 1);
	assert_ptr_equal(mr->addr, memory);
	forks.err_again = EINVAL;
	fake_fail(ENOMEM);
	assert_int_equal(ibv_rereg_mr(mr, moves, NULL, memory + 1, 9, 0),
			 IBV_REREG_MR_ERR_CMD_AND_DO_FORK_NEW);
	assert_int_equal(errno, ENOMEM);

	assert_int_equal(ibv_rereg_mr(mr, moves, NULL, memory + 1, 9, 0),
			 IBV_REREG_MR_ERR_DO_FORK_OLD);
	assert_ptr_equal(forks.base, memory);
	assert_ptr_equal(mr->addr, memory + 1);
	assert_int_equal(mr->length, 9);
	forks.err_again = 0;
	assert_int_equal(ibv_rereg_mr(mr, moves | 6, &other, memory + 2, 8, 3), 0);
	assert_ptr_equal(forks.base, memory + 1);
	assert_ptr_equal(mr->addr, memory + 2);
	assert_ptr_equal(mr->pd, &other);
	assert_int_equal(verbs_of(mr)->access, 3);
	assert_int_equal(ibv_dereg_mr(mr), 0);
}

/*
 * Memory paged on demand needs no protection from fork; a re-registration may change that in either
 * direction.
 */
static void reregistration_of_access(void **state)
{
	const int changes = IBV_REREG_MR_CHANGE_ACCESS;
	struct ibv_mr *mr = ibv_reg_mr(pd, memory, 100, 0);

	(void)state;
	assert_int_equal(forks.dont, 1);
	assert_int_equal(ibv_rereg_mr(mr, changes, NULL, NULL, 0, IBV_ACCESS_ON_DEMAND), 0);
	assert_int_equal(forks.dont, 1);
	assert_int_equal(forks.again, 1);
	assert_ptr_equal(forks.base, memory);
	assert_int_equal(ibv_rereg_mr(mr, changes, NULL, NULL, 0, IBV_ACCESS_LOCAL_WRITE), 0);
	assert_int_equal(forks.dont, 2);
	assert_int_equal(forks.again, 1);
	assert_int_equal(forks.size, 100);
	assert_int_equal(ibv_dereg_mr(mr), 0);
	assert_int_equal(forks.dont, forks.again);

	mr = ibv_reg_mr(pd, memory, 100, IBV_ACCESS_ON_DEMAND);
	assert_int_equal(ibv_rereg_mr(mr, changes, NULL, NULL, 0, 0), 0);
	assert_int_equal(ibv_dereg_mr(mr), 0);
	assert_int_equal(forks.dont, forks.again);
}

static void creates_ah(void **state)
{
	struct ibv_ah_attr attr = {.dlid = 3, .port_num = 1};
	struct ibv_ah *ah = ibv_create_ah(pd, &attr);

	(void)state;
	assert_non_null(ah);
	assert_ptr_equal(ah->context, context);
	assert_ptr_equal(ah->pd, pd);
	fake_fail(EBUSY);
	assert_int_equal(ibv_destroy_ah(ah), EBUSY);
	assert_int_equal(ibv_destroy_ah(ah), 0);
	fake_fail(EINVAL);
	assert_null(ibv_create_ah(pd, &attr));
	assert_int_equal(errno, EINVAL);
}

/* Sets the port's GIDs, with the requested one last: the kernel is asked for each. */
static void reply_gids(uint32_t type, const uint8_t *gid)
{
	struct ib_uverbs_gid_entry entry = {.gid_type = type};

	fake_succeed();
	fake_reply(UVERBS_ATTR_QUERY_GID_ENTRY_RESP_ENTRY, &entry, sizeof(entry));
	fake_fail(ENODATA);
	memcpy(entry.gid, gid, 16);
	fake_succeed();
	fake_reply(UVERBS_ATTR_QUERY_GID_ENTRY_RESP_ENTRY, &entry, sizeof(entry));
}

static const uint8_t own[16] = {0xfd, [15] = 1}, peer[16] = {0xfd, [15] = 2};

static void from_wc_lid(void **state)
{
	struct ibv_wc wc = {.slid = 7, .sl = 2, .dlid_path_bits = 3};
	struct ibv_ah_attr attr;
	struct ibv_ah *ah;

	(void)state;
	assert_int_equal(ibv_init_ah_from_wc(context, 1, &wc, NULL, &attr), 0);
	assert_int_equal(attr.dlid, 7);
	assert_int_equal(attr.sl, 2);
	assert_int_equal(attr.src_path_bits, 3);
	assert_int_equal(attr.port_num, 1);
	assert_int_equal(attr.is_global, 0);
	ah = ibv_create_ah_from_wc(pd, &wc, NULL, 1);
	assert_non_null(ah);
	assert_int_equal(ibv_destroy_ah(ah), 0);
}

static void from_wc_grh(void **state)
{
	const uint8_t next_headers[] = {IPPROTO_UDP, 0x1b};
	struct ibv_wc wc = {.wc_flags = IBV_WC_GRH};
	struct ibv_grh grh = {.version_tclass_flow = htobe32(0x61234567), .hop_limit = 9};
	struct ibv_ah_attr attr, before;

	(void)state;
	memcpy(&grh.dgid, own, 16);
	memcpy(&grh.sgid, peer, 16);
	for (int i = 0; i < 2; i++) {
		grh.next_hdr = next_headers[i];
		memset(&attr, 0, sizeof(attr));
		reply_gids(i ? IBV_GID_TYPE_IB : IBV_GID_TYPE_ROCE_V2, own);
		assert_int_equal(ibv_init_ah_from_wc(context, 1, &wc, &grh, &attr), 0);
		assert_int_equal(attr.is_global, 1);
		assert_memory_equal(&attr.grh.dgid, peer, 16);
		assert_int_equal(attr.grh.flow_label, 0x34567);
		assert_int_equal(attr.grh.traffic_class, 0x12);
		assert_int_equal(attr.grh.hop_limit, 9);
		assert_int_equal(attr.grh.sgid_index, 2);
	}
	memset(&before, 0x77, sizeof(before));
	attr = before;
	/* The GID exists, but for the other protocol. */
	reply_gids(IBV_GID_TYPE_ROCE_V2, own);
	assert_int_equal(ibv_init_ah_from_wc(context, 1, &wc, &grh, &attr), -1);
	assert_int_equal(errno, ENOENT);
	grh.next_hdr = IPPROTO_TCP;
	assert_int_equal(ibv_init_ah_from_wc(context, 1, &wc, &grh, &attr), -1);
	assert_int_equal(errno, EPROTONOSUPPORT);
	grh.version_tclass_flow = 0;
	assert_null(ibv_create_ah_from_wc(pd, &wc, &grh, 1));
	assert_int_equal(errno, EPROTONOSUPPORT);
	grh.version_tclass_flow = htobe32(0x60000000);
	grh.next_hdr = IPPROTO_UDP;
	assert_int_equal(ibv_init_ah_from_wc(context, 2, &wc, &grh, &attr), -1);
	assert_int_equal(errno, EINVAL);
	assert_memory_equal(&attr, &before, sizeof(attr));
}

static uint16_t checksum(const struct ip *ip)
{
	uint16_t words[10];
	uint32_t sum = 0;

	memcpy(words, ip, sizeof(words));
	for (int i = 0; i < 10; i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~((sum & 0xffff) + (sum >> 16));
}

static void from_wc_ipv4(void **state)
{
	const uint8_t own4[16] = {[10] = 0xff, 0xff, 10, 0, 0, 1};
	const uint8_t peer4[16] = {[10] = 0xff, 0xff, 10, 0, 0, 2};
	struct ip ip = {.ip_v = 4, .ip_hl = 5, .ip_ttl = 33, .ip_tos = 0x28, .ip_p = IPPROTO_UDP};
	struct ibv_wc wc = {.wc_flags = IBV_WC_GRH};
	struct ibv_ah_attr attr;
	union {
		struct ibv_grh grh;
		uint8_t bytes[40];
	} received = {0};

	(void)state;
	memcpy(&ip.ip_dst, own4 + 12, 4);
	memcpy(&ip.ip_src, peer4 + 12, 4);
	ip.ip_sum = checksum(&ip);
	memcpy(received.bytes + 20, &ip, 20);
	/* Zeros at first, and then what looks like IPv6. */
	for (int i = 0; i < 2; i++) {
		received.bytes[0] = i ? 0x60 : 0;
		memset(&attr, 0, sizeof(attr));
		reply_gids(IBV_GID_TYPE_ROCE_V2, own4);
		assert_int_equal(ibv_init_ah_from_wc(context, 1, &wc, &received.grh, &attr), 0);
		assert_memory_equal(&attr.grh.dgid, peer4, 16);
		assert_int_equal(attr.grh.sgid_index, 2);
		assert_int_equal(attr.grh.hop_limit, 33);
		assert_int_equal(attr.grh.traffic_class, 0x28);
		assert_int_equal(attr.is_global, 1);
	}
	/* With a wrong checksum it is an address that happens to begin with 0x45. */
	received.bytes[6] = IPPROTO_UDP;
	received.bytes[30] ^= 1;
	reply_gids(IBV_GID_TYPE_ROCE_V2, received.bytes + 24);
	assert_int_equal(ibv_init_ah_from_wc(context, 1, &wc, &received.grh, &attr), 0);
	assert_memory_equal(&attr.grh.dgid, received.bytes + 8, 16);
}

/* A descriptor that is not the node of a present device. */
static void import_device(void **state)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), file = open("/", O_RDONLY | O_CLOEXEC);

	(void)state;
	errno = 0;
	assert_null(ibv_import_device(-1));
	assert_int_equal(errno, EBADF);
	assert_null(ibv_import_device(file));
	assert_int_equal(errno, ENODEV);
	assert_null(ibv_import_device(null));
	assert_int_equal(errno, ENODEV);
	/* The caller still owns them. */
	assert_int_equal(close(file), 0);
	assert_int_equal(close(null), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pds, set_up_memory, tear_down_memory),
		cmocka_unit_test_setup_teardown(registration, set_up_memory, tear_down_memory),
		cmocka_unit_test_setup_teardown(registration_fails, set_up_memory,
						tear_down_memory),
		cmocka_unit_test_setup_teardown(on_demand, set_up_memory, tear_down_memory),
		cmocka_unit_test_setup_teardown(gone, set_up_memory, tear_down_memory),
		cmocka_unit_test_setup_teardown(iova, set_up_memory, tear_down_memory),
		cmocka_unit_test_setup_teardown(registers_dmabuf, set_up_memory, tear_down_memory),
		cmocka_unit_test_setup_teardown(import, set_up_memory, tear_down_memory),
		cmocka_unit_test_setup_teardown(reregistration, set_up_memory, tear_down_memory),
		cmocka_unit_test_setup_teardown(reregistration_of_access, set_up_memory,
						tear_down_memory),
		cmocka_unit_test_setup_teardown(creates_ah, set_up_memory, tear_down_memory),
		cmocka_unit_test_setup_teardown(from_wc_lid, set_up_memory, tear_down_memory),
		cmocka_unit_test_setup_teardown(from_wc_grh, set_up_memory, tear_down_memory),
		cmocka_unit_test_setup_teardown(from_wc_ipv4, set_up_memory, tear_down_memory),
		cmocka_unit_test(import_device),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	fake_context_end();
	return failed;
}
