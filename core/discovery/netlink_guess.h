/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Guesses the netlink index of a device without a dump. */
#ifndef HF_DISCOVERY_NETLINK_GUESS_H
#define HF_DISCOVERY_NETLINK_GUESS_H

#include <stddef.h>
#include <stdint.h>

#include "shared/attr.h"
#include "core/discovery/netlink.h"

struct hf_nl_guesses;

struct hf_nl_guesses *hfi_nl_guesses_new(void) HF_MUST_CHECK;
void hfi_nl_guesses_free(struct hf_nl_guesses *guesses); /* may be NULL */
void hfi_nl_guesses_clear(struct hf_nl_guesses *guesses) HF_NONNULL;
/* Remembers for later guesses that the device of that name has that index. */
void hfi_nl_guess_learn(struct hf_nl_guesses *guesses, const char *name, uint32_t index) HF_NONNULL;
/*
 * Remembers the devices of a list for later guesses, sorted by the number of their uverbs name; takes the
 * array, which was allocated. `lowest` is the lowest index of them.
 */
struct hf_nl_listed {
	uint64_t number;
	uint32_t index;
};
void hfi_nl_guess_list(struct hf_nl_guesses *guesses, struct hf_nl_listed *listed, size_t count,
		       uint32_t lowest) HF_NONNULL_OF(1);
/* Where a list begins to ask: the lowest index of the last list, or 0. */
uint32_t hfi_nl_guess_lowest(const struct hf_nl_guesses *guesses) HF_MUST_CHECK HF_NONNULL;
/* The device that has both names now; -ENODEV: not found by guessing. */
int hfi_nl_guess(struct hf_nl *nl, const char *uverbs, const char *name,
		 struct hf_nl_device *ret) HF_MUST_CHECK HF_NONNULL;

#endif
