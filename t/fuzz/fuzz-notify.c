/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* RDMA netlink's notifications, and those of route netlink. The first byte says which. */
#include "t/fuzz/fuzz.h"
#include "core/notify/rdma_netlink.h"
#include "core/notify/route_netlink.h"
#include "t/fuzz/hint.h"

const char fuzz_name[] = "notify";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_hint hint;
	uint8_t *message;

	if (!size)
		return 0;
	message = fuzz_copy(data + 1, size - 1);
	fuzz_fill(&hint, sizeof(hint));
	if (data[0] & 1)
		fuzz_hint(hfi_route_parse(message, size - 1, &hint), &hint);
	else
		fuzz_hint(hfi_rdma_notify_parse(message, size - 1, &hint), &hint);
	free(message);
	return 0;
}
