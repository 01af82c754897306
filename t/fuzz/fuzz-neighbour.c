/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Route netlink's answers about the way to a GID. The first byte says which. */
#include <errno.h>
#include <sys/socket.h>

#include "core/neighbour/neighbour_ask.h"
#include "t/fuzz/fuzz.h"

const char fuzz_name[] = "neighbour";

static void path(const uint8_t *message, size_t size)
{
	struct hf_path ret;
	int err;

	fuzz_fill(&ret, sizeof(ret));
	err = hfi_parse_path(message, size, &ret);
	fuzz_check(err == 0 || err == -EINVAL);
	fuzz_check(!err || fuzz_untouched(&ret, sizeof(ret)));
	fuzz_check(err || !ret.via.family || hfi_ip_size(&ret.via));
}

static void neighbour(const uint8_t *message, size_t size)
{
	struct hf_neighbour ret;
	int err;

	fuzz_fill(&ret, sizeof(ret));
	err = hfi_parse_neighbour(message, size, &ret);
	fuzz_check(err == 0 || err == -EINVAL);
	fuzz_check(!err || fuzz_untouched(&ret, sizeof(ret)));
}

static void link_answer(const uint8_t *message, size_t size)
{
	struct hf_link ret;
	int err;

	fuzz_fill(&ret, sizeof(ret));
	err = hfi_parse_link(message, size, &ret);
	fuzz_check(err == 0 || err == -EINVAL);
	fuzz_check(!err || fuzz_untouched(&ret, sizeof(ret)));
}

static void owner(const uint8_t *message, size_t size)
{
	const struct hf_ip ip = {.family = AF_INET, .bytes = {10, 0, 0, 9}};
	uint32_t ret;
	int err;

	fuzz_fill(&ret, sizeof(ret));
	err = hfi_parse_owner(message, size, &ip, &ret);
	fuzz_check(err == 0 || err == -EINVAL || err == -ENOENT);
	fuzz_check(err ? fuzz_untouched(&ret, sizeof(ret)) : ret != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const parsers[])(const uint8_t *, size_t) = {path, neighbour, link_answer,
								   owner};
	uint8_t *message;

	if (!size)
		return 0;
	message = fuzz_copy(data + 1, size - 1);
	parsers[data[0] & 3](message, size - 1);
	free(message);
	return 0;
}
