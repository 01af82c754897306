/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Guesses the netlink index of a device. A dump is too expensive when one device of thousands is
 * wanted, and the kernel finds a device by its index only. So try the index that either of its
 * names had before, then the next ones above the highest known, since indices grow (Linux 6.1,
 * xa_alloc_cyclic() in drivers/infiniband/core/device.c). The answer to a guess is verified like
 * any other.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/hash.h"
#include "shared/text.h"
#include "core/discovery/names.h"
#include "core/discovery/netlink.h"
#include "core/discovery/netlink_guess.h"

enum { NEXT_TRIES = 64, NEXT_MISSES = 3, NAMES_MAX = 1 << 20 };

struct guess {
	char name
		[HF_NAME_SIZE]; /* "uverbs0" or "rxe0"; a stale name is found out by verification */
	uint32_t index;
	UT_hash_handle hh;
};

struct hf_nl_guesses {
	struct guess *by_name;
	/* Thousands of devices are remembered in an array, which takes no time to fill. */
	struct hf_nl_listed *listed;
	size_t num_listed;
	uint32_t lowest;
	uint32_t highest;
	bool have_highest;
};

struct hf_nl_guesses *hfi_nl_guesses_new(void)
{
	return calloc(1, sizeof(struct hf_nl_guesses));
}

void hfi_nl_guesses_clear(struct hf_nl_guesses *guesses)
{
	struct guess *guess, *next;

	free(guesses->listed);
	guesses->listed = NULL;
	guesses->num_listed = 0;
	HASH_ITER (hh, guesses->by_name, guess, next) {
		HASH_DEL(guesses->by_name, guess);
		free(guess);
	}
}

void hfi_nl_guesses_free(struct hf_nl_guesses *guesses)
{
	if (guesses)
		hfi_nl_guesses_clear(guesses);
	free(guesses);
}

/* If memory runs out, the index is not remembered. */
void hfi_nl_guess_learn(struct hf_nl_guesses *guesses, const char *name, uint32_t index)
{
	struct guess *guess;

	if (!guesses->have_highest || index > guesses->highest)
		guesses->highest = index;
	guesses->have_highest = true;
	HASH_FIND_STR(guesses->by_name, name, guess);
	if (guess) {
		guess->index = index;
		return;
	}
	/* Where devices are renamed often, many names are stale. */
	if (HASH_COUNT(guesses->by_name) >= NAMES_MAX)
		hfi_nl_guesses_clear(guesses);
	guess = calloc(1, sizeof(*guess));
	if (!guess)
		return;
	(void)hfi_copy(guess->name, sizeof(guess->name), name);
	guess->index = index;
	HASH_ADD_STR(guesses->by_name, name, guess);
	if (!hf_hash_added(guess))
		free(guess);
}

void hfi_nl_guess_list(struct hf_nl_guesses *guesses, struct hf_nl_listed *listed, size_t count,
		       uint32_t lowest)
{
	hfi_nl_guesses_clear(guesses);
	guesses->listed = listed;
	guesses->num_listed = count;
	guesses->lowest = lowest;
	guesses->have_highest = count > 0;
	guesses->highest = 0;
	for (size_t i = 0; i < count; i++)
		if (listed[i].index > guesses->highest)
			guesses->highest = listed[i].index;
}

uint32_t hfi_nl_guess_lowest(const struct hf_nl_guesses *guesses)
{
	return guesses->lowest;
}

static int compare_listed(const void *key, const void *member)
{
	const uint64_t *number = key;
	const struct hf_nl_listed *listed = member;

	return (*number > listed->number) - (*number < listed->number);
}

static const struct hf_nl_listed *find_listed(const struct hf_nl_guesses *guesses,
					      const char *uverbs)
{
	uint64_t number = hfi_uverbs_number(uverbs);

	if (!guesses->num_listed)
		return NULL;
	return bsearch(&number, guesses->listed, guesses->num_listed, sizeof(guesses->listed[0]),
		       compare_listed);
}

static bool is_named(struct hf_nl *nl, uint32_t index, const char *name, struct hf_nl_device *ret,
		     int *err)
{
	*err = hfi_nl_device_get(nl, index, ret);
	if (*err)
		return false;
	/* Remember it even if it is another device: the next search may be for that one. */
	hfi_nl_guess_learn(hfi_nl_guesses(nl), ret->name, index);
	return !strcmp(ret->name, name);
}

static bool was_named(struct hf_nl *nl, const char *known, const char *name,
		      struct hf_nl_device *ret, int *err)
{
	struct guess *guess;

	if (*err && *err != -ENODEV)
		return false;
	HASH_FIND_STR(hfi_nl_guesses(nl)->by_name, known, guess);
	return guess && is_named(nl, guess->index, name, ret, err);
}

int hfi_nl_guess(struct hf_nl *nl, const char *uverbs, const char *name, struct hf_nl_device *ret)
{
	struct hf_nl_guesses *guesses = hfi_nl_guesses(nl);
	const struct hf_nl_listed *listed = find_listed(guesses, uverbs);
	struct hf_nl_device device;
	unsigned int misses = 0;
	uint32_t highest;
	int err = 0;

	if (listed && is_named(nl, listed->index, name, &device, &err))
		goto found;
	if (was_named(nl, uverbs, name, &device, &err) || was_named(nl, name, name, &device, &err))
		goto found;
	highest = guesses->highest;
	for (uint32_t i = 1; i <= NEXT_TRIES && misses < NEXT_MISSES && guesses->have_highest;
	     i++) {
		/* If netlink does not answer, do not ask again. */
		if (err && err != -ENODEV)
			break;
		if (is_named(nl, highest + i, name, &device, &err))
			goto found;
		misses = err ? misses + 1 : 0;
	}
	return hfi_error_is_shortage(err) ? err : -ENODEV;

found:
	hfi_nl_guess_learn(guesses, uverbs, device.index);
	*ret = device;
	return 0;
}
