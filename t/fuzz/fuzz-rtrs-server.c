/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What an RTRS client sends to a server. The first byte says which message. */
#include <errno.h>

#include "rtrs/protocol/connect.h"
#include "rtrs/protocol/imm.h"
#include "rtrs/protocol/info.h"
#include "rtrs/protocol/le.h"
#include "rtrs/protocol/request.h"
#include "rtrs/rnbd/message.h"
#include "t/fuzz/fuzz.h"

const char fuzz_name[] = "rtrs-server";

static void connect_request(const uint8_t *message, size_t size)
{
	uint8_t again[RTRS_CONNECT_SIZE];
	struct rtrs_connect ret;

	fuzz_fill(&ret, sizeof(ret));
	if (rtrsi_connect_decode(message, size, &ret)) {
		fuzz_check(fuzz_untouched(&ret, sizeof(ret)));
		return;
	}
	fuzz_check(ret.connection < ret.connections && ret.connections <= RTRS_CONNECTIONS_MAX);
	rtrsi_connect_encode(&ret, again);
	/* All but the bytes that say nothing: two before, the minor version, the reserved ones. */
	fuzz_check(!memcmp(again + 6, message + 6, 38) && again[44] == (message[44] & 1));
}

static void info_request(const uint8_t *message, size_t size)
{
	uint8_t again[RTRS_INFO_REQUEST_SIZE];
	char name[RTRS_NAME_SIZE];

	fuzz_fill(name, sizeof(name));
	if (rtrsi_info_request_decode(message, size, name)) {
		fuzz_check(fuzz_untouched(name, sizeof(name)));
		return;
	}
	fuzz_check(fuzz_is_string(name) && rtrsi_name_is_valid(name));
	fuzz_check(rtrsi_info_request_encode(name, again) == 0);
	fuzz_check(!memcmp(again, message, 2 + strlen(name) + 1));
}

/* Depth, size of a chunk as a power of two, immediate; then what stands in the chunk where that points. */
static void chunk_request(const uint8_t *message, size_t size)
{
	struct rtrs_geometry geometry;
	struct rtrs_request ret;
	struct rtrs_imm imm;
	uint8_t *copy;

	if (size < 7 ||
	    rtrsi_geometry_init(rtrsi_get_le16(message), (UINT32_C(1) << (message[2] & 31)) - 4096,
				4096, &geometry))
		return;
	fuzz_fill(&imm, sizeof(imm));
	if (rtrsi_imm_at_server(&geometry, rtrsi_get_le32(message + 3), &imm)) {
		fuzz_check(fuzz_untouched(&imm, sizeof(imm)));
		return;
	}
	if (imm.type != RTRS_IMM_REQUEST)
		return;
	fuzz_check(imm.chunk < geometry.depth && imm.offset < geometry.chunk_size);
	fuzz_check(rtrsi_imm_request(&geometry, imm.chunk, imm.offset) ==
		   rtrsi_get_le32(message + 3));
	message += 7;
	size -= 7;
	if (size > rtrsi_request_size(&geometry, imm.offset))
		size = rtrsi_request_size(&geometry, imm.offset);
	copy = fuzz_copy(message, size);
	fuzz_fill(&ret, sizeof(ret));
	if (rtrsi_request_decode(imm.offset, copy, size, &ret)) {
		fuzz_check(fuzz_untouched(&ret, sizeof(ret)));
	} else {
		fuzz_check((uint64_t)ret.data_length + ret.user_length == imm.offset);
		fuzz_check(ret.is_read || (!ret.has_to && !ret.inval));
		if (!rtrsi_read_data_fault(&geometry, &ret) && ret.has_to)
			fuzz_check(ret.to.length && ret.to.length <= geometry.chunk_size);
	}
	free(copy);
}

/* The user header of a request of RNBD. */
static void rnbd_request(const uint8_t *message, size_t size)
{
	union {
		enum rtrs_rnbd_type type;
		struct rtrs_rnbd_open open;
		struct rtrs_rnbd_io io;
		uint32_t device;
		uint8_t version;
	} ret;
	enum rtrs_rnbd_type type;
	int err;

	if (rtrsi_rnbd_type(message, size, &type))
		return;
	fuzz_fill(&ret, sizeof(ret));
	switch (type) {
	case RNBD_SESSION_INFO:
		err = rtrsi_rnbd_session_info_decode(message, size, &ret.version);
		break;
	case RNBD_OPEN:
		err = rtrsi_rnbd_open_decode(message, size, &ret.open);
		fuzz_check(err || (ret.open.path[0] && fuzz_is_string(ret.open.path)));
		break;
	case RNBD_IO:
		err = rtrsi_rnbd_io_decode(message, size, &ret.io);
		fuzz_check(err || ret.io.op <= RNBD_OP_WRITE_ZEROES);
		break;
	case RNBD_CLOSE:
		err = rtrsi_rnbd_close_decode(message, size, &ret.device);
		break;
	default:
		return;
	}
	fuzz_check(err == 0 || err == -EINVAL);
	fuzz_check(!err || fuzz_untouched(&ret, sizeof(ret)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const parsers[])(const uint8_t *, size_t) = {connect_request, info_request,
								   chunk_request, rnbd_request};
	uint8_t *message;

	if (!size || data[0] >= HF_ARRAY_SIZE(parsers))
		return 0;
	message = fuzz_copy(data + 1, size - 1);
	parsers[data[0]](message, size - 1);
	free(message);
	return 0;
}
