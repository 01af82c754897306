/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Address handles. Since Linux 5.18 the kernel numbers them, and a request names that number;
 * before, every request carries the whole address.
 */
#include <errno.h>
#include <stdlib.h>

#include "providers/rxe/rxe.h"

struct ibv_ah *rxe_create_ah(struct ibv_pd *pd, struct ibv_ah_attr *attr)
{
	struct rxe_create_ah_resp response = {0};
	const struct hf_driver_data data = {.out = &response, .out_size = sizeof(response)};
	struct rxe_ah *ah = calloc(1, sizeof(*ah));
	int err;

	if (!ah)
		return NULL;
	err = hf_provider_create_ah(pd, &ah->ah, attr, &data);
	if (err)
		goto free_ah;
	ah->number = response.ah_num;
	if (!ah->number) {
		err = EOPNOTSUPP;
		goto destroy_ah;
	}
	return &ah->ah;

destroy_ah:
	hf_provider_destroy_ah(&ah->ah);
free_ah:
	free(ah);
	errno = err;
	return NULL;
}

int rxe_destroy_ah(struct ibv_ah *ah)
{
	int err = hf_provider_destroy_ah(ah);

	if (!err)
		free(container_of(ah, struct rxe_ah, ah));
	return err;
}

void rxe_set_address(struct rxe_send_wqe *wqe, const struct ibv_ah *ibv, uint32_t qpn,
		     uint32_t qkey)
{
	const struct rxe_ah *ah =
		(const struct rxe_ah *)(const void *)((const char *)ibv -
						      offsetof(struct rxe_ah, ah));

	wqe->wr.wr.ud.remote_qpn = qpn;
	wqe->wr.wr.ud.remote_qkey = qkey;
	wqe->wr.wr.ud.ah_num = ah->number;
	if (!ah->number)
		wqe->wr.wr.ud.av = ah->av;
}
