/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What an RTRS server sends to a client: the answer to a connection, then what the first byte says. */
#include <errno.h>

#include "rtrs/link/rdma/tcp_message.h"
#include "rtrs/protocol/connect.h"
#include "rtrs/protocol/imm.h"
#include "rtrs/protocol/info.h"
#include "rtrs/protocol/le.h"
#include "rtrs/protocol/request.h"
#include "rtrs/rnbd/message.h"
#include "t/fuzz/fuzz.h"

const char fuzz_name[] = "rtrs-client";

static void info_answer(const struct rtrs_geometry *geometry, const uint8_t *message, size_t size)
{
	struct rtrs_chunk *chunks = calloc(geometry->depth, sizeof(*chunks));

	if (!chunks)
		abort();
	if (!rtrsi_info_answer_decode(geometry, message, size, chunks)) {
		for (uint32_t i = 0; i < geometry->depth; i++)
			fuzz_check(chunks[i].address <= UINT64_MAX - geometry->chunk_size);
	}
	free(chunks);
}

static void immediate(const struct rtrs_geometry *geometry, const uint8_t *message, size_t size)
{
	struct rtrs_imm imm;
	uint32_t key;

	if (size < 4)
		return;
	fuzz_fill(&imm, sizeof(imm));
	if (rtrsi_imm_at_client(geometry, rtrsi_get_le32(message), &imm)) {
		fuzz_check(fuzz_untouched(&imm, sizeof(imm)));
		return;
	}
	if (imm.type != RTRS_IMM_ANSWER && imm.type != RTRS_IMM_ANSWER_INVAL)
		return;
	fuzz_check(imm.chunk < geometry->depth);
	fuzz_check(imm.error <= 0 && imm.error >= -RTRS_ANSWER_ERRNO_MAX);
	fuzz_check(rtrsi_imm_answer(imm.chunk, imm.error, imm.type == RTRS_IMM_ANSWER_INVAL) ==
		   rtrsi_get_le32(message));
	fuzz_fill(&key, sizeof(key));
	if (rtrsi_new_key_decode(geometry, imm.chunk, message + 4, size - 4, &key))
		fuzz_check(fuzz_untouched(&key, sizeof(key)));
}

static void accepted(uint8_t which, const uint8_t *message, size_t size)
{
	struct rtrs_geometry geometry;
	struct rtrs_accept accept;

	fuzz_fill(&accept, sizeof(accept));
	if (rtrsi_accept_decode(message, size, &accept)) {
		fuzz_check(fuzz_untouched(&accept, sizeof(accept)));
		return;
	}
	fuzz_check(size >= RTRS_CONNECT_SIZE);
	fuzz_fill(&geometry, sizeof(geometry));
	if (rtrsi_geometry_init(accept.depth, accept.max_io, accept.max_header, &geometry)) {
		fuzz_check(fuzz_untouched(&geometry, sizeof(geometry)));
		return;
	}
	fuzz_check((uint64_t)geometry.depth * geometry.chunk_size <= UINT64_C(1) << 28);
	message += RTRS_CONNECT_SIZE;
	size -= RTRS_CONNECT_SIZE;
	if (which)
		immediate(&geometry, message, size);
	else
		info_answer(&geometry, message, size);
}

/* The data of an answer of RNBD. */
static void rnbd_answer(const uint8_t *message, size_t size)
{
	struct rtrs_rnbd_device device;
	uint8_t version;

	fuzz_fill(&device, sizeof(device));
	if (rtrsi_rnbd_open_answer_decode(message, size, &device))
		fuzz_check(fuzz_untouched(&device, sizeof(device)));
	else
		fuzz_check(device.logical_block_size >= RNBD_SECTOR_SIZE);
	fuzz_fill(&version, sizeof(version));
	if (rtrsi_rnbd_session_answer_decode(message, size, &version))
		fuzz_check(fuzz_untouched(&version, sizeof(version)));
}

/* Before there is a connection of RDMA: the bytes that stand for a header are its own. */
static void tcp_message(const uint8_t *bytes, size_t size)
{
	uint8_t again[RTRS_TCP_HEADER];
	struct rtrs_tcp_message message;
	int err;

	if (size < RTRS_TCP_HEADER)
		return;
	err = rtrsi_tcp_decode(bytes, &message);
	fuzz_check(!err || err == -EPROTO || err == -EPROTONOSUPPORT);
	if (err)
		return;
	fuzz_check(message.private_size <= RTRS_TCP_PRIVATE_MAX);
	rtrsi_tcp_encode(&message, again);
	fuzz_check(!memcmp(again, bytes, sizeof(again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *message;

	if (!size)
		return 0;
	message = fuzz_copy(data + 1, size - 1);
	if (data[0] < 2) {
		accepted(data[0], message, size - 1);
	} else if (data[0] == 3) {
		rnbd_answer(message, size - 1);
	} else if (data[0] == 4) {
		tcp_message(message, size - 1);
	} else {
		int err = rtrsi_reject_decode(message, size - 1);

		fuzz_check(err < 0 && err >= -4095);
	}
	free(message);
	return 0;
}
