/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* RDMA netlink replies. The first byte of the input says which reply is expected. */
#include "shared/text.h"
#include "core/discovery/netlink.h"
#include "t/fuzz/fuzz.h"

const char fuzz_name[] = "netlink";

static void try_device(const uint8_t *message, size_t size)
{
	struct hf_nl_device device;
	int ret;

	fuzz_fill(&device, sizeof(device));
	ret = hfi_nl_parse_device(message, size, &device);
	if (ret) {
		fuzz_check(ret < 0);
		fuzz_check(fuzz_untouched(&device, sizeof(device)));
		return;
	}
	fuzz_check(fuzz_is_string(device.name));
	/* The name becomes a component of a path. */
	fuzz_check(device.name[0] && fuzz_is_string(device.name));
	fuzz_check(device.protocol <= HF_PROTOCOL_USNIC);
}

static void try_chardev(const uint8_t *message, size_t size)
{
	struct hf_nldev_chardev chardev;
	int ret;

	fuzz_fill(&chardev, sizeof(chardev));
	ret = hfi_nldev_parse_chardev(message, size, &chardev);
	if (ret) {
		fuzz_check(ret < 0);
		fuzz_check(fuzz_untouched(&chardev, sizeof(chardev)));
		return;
	}
	fuzz_check(fuzz_is_string(chardev.name));
	fuzz_check(hfi_is_name(chardev.name, sizeof(chardev.name) - 1));
}

static void try_port(const uint8_t *message, size_t size)
{
	struct hf_nldev_port port;
	int ret;

	fuzz_fill(&port, sizeof(port));
	ret = hfi_nldev_parse_port(message, size, &port);
	if (ret) {
		fuzz_check(ret < 0);
		fuzz_check(fuzz_untouched(&port, sizeof(port)));
		return;
	}
	fuzz_check(fuzz_is_string(port.netdev));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *message;

	if (!size)
		return 0;
	message = fuzz_copy(data + 1, size - 1);
	switch (data[0] % 4) {
	case 0:
		try_device(message, size - 1);
		break;
	case 1:
		try_chardev(message, size - 1);
		break;
	case 2:
		try_port(message, size - 1);
		break;
	default:
		fuzz_check(hfi_nldev_parse_exclusive(message, size - 1) <= 1);
		break;
	}
	free(message);
	return 0;
}
