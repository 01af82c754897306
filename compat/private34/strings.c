/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Private ABI 34: words for enumerators, which providers built with tracing print. */
#include "compat/private34/strings.h"
#include "shared/attr.h"

/* New in rdma-core 50. By number: headers of older releases lack the last ones. */
HF_IN_ALL(ibv_wr_opcode_str)
const char *ibv_wr_opcode_str(enum ibv_wr_opcode opcode)
{
	static const char *const words[] = {
		[0] = "rdma-write",
		[1] = "rdma-write-with-imm",
		[2] = "send",
		[3] = "send-with-imm",
		[4] = "rdma-read",
		[5] = "atomic-cmp-and-swp",
		[6] = "atomic-fetch-and-add",
		[7] = "local-inv",
		[8] = "bind-mw",
		[9] = "send-with-inv",
		[10] = "tso",
		[11] = "driver1",
		[14] = "flush",
		[15] = "atomic-write",
	};

	if ((size_t)opcode >= HF_ARRAY_SIZE(words) || !words[opcode])
		return "unknown";
	return words[opcode];
}
