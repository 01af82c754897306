/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A device's entry of RDMA netlink, as the programs that udev runs take it apart. */
#include "shared/nldev.h"
#include "t/fuzz/fuzz.h"

const char fuzz_name[] = "nldev";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *message = fuzz_copy(data, size);
	struct hf_nldev device;
	int ret;

	fuzz_fill(&device, sizeof(device));
	ret = hfi_nldev_parse(message, size, &device);
	if (ret) {
		fuzz_check(ret < 0);
		fuzz_check(fuzz_untouched(&device, sizeof(device)));
	} else {
		fuzz_check(fuzz_is_string(device.name) && device.name[0]);
		fuzz_check(fuzz_is_string(device.protocol));
		fuzz_check(device.tells_protocol || !device.protocol[0]);
	}
	free(message);
	return 0;
}
