/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Records which foreign libraries registered themselves while they were loaded. */
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "shared/text.h"
#include "core/compat.h"
#include "core/foreign/registered.h"

struct note {
	struct note *prev, *next; /* utlist, newest first */
	const struct verbs_device_ops *ops;
	uint32_t abi;
	const struct link_map *map;
	char file[HF_PATH_MAX];
};

/*
 * Static because this ABI forces it: a constructor calls with its table and nothing else, also in
 * a library that the program itself opened, before there is any context.
 */
static struct {
	pthread_mutex_t lock;
	struct note *notes;
} registered = {.lock = PTHREAD_MUTEX_INITIALIZER};

static const struct link_map *map_of(const void *address, char *file, size_t size)
{
	struct link_map *map = NULL;
	Dl_info info;

	if (!dladdr1(address, &info, (void **)&map, RTLD_DL_LINKMAP) || !map)
		return NULL;
	if (file && hfi_copy(file, size, info.dli_fname))
		file[0] = '\0';
	return map;
}

void hfi_compat_register(uint32_t abi, const struct verbs_device_ops *ops)
{
	struct note *note = ops ? calloc(1, sizeof(*note)) : NULL;

	if (!note)
		return;
	note->ops = ops;
	note->abi = abi;
	note->map = map_of(ops, note->file, sizeof(note->file));
	pthread_mutex_lock(&registered.lock);
	DL_PREPEND(registered.notes, note);
	pthread_mutex_unlock(&registered.lock);
}

const struct verbs_device_ops *hfi_registered_by(void *library, uint32_t *ret_abi)
{
	const struct verbs_device_ops *ops = NULL;
	struct link_map *map;
	struct note *note;

	if (dlinfo(library, RTLD_DI_LINKMAP, &map) < 0)
		return NULL;
	pthread_mutex_lock(&registered.lock);
	/* The newest one: an older library may have been mapped at the same address. */
	DL_FOREACH (registered.notes, note) {
		char file[HF_PATH_MAX];

		if (note->map != map || map_of(note->ops, file, sizeof(file)) != map)
			continue;
		if (!ops)
			*ret_abi = note->abi;
		else if (note->abi != *ret_abi && strcmp(file, note->file) == 0)
			*ret_abi = HF_SEVERAL_ABIS;
		ops = ops ? ops : note->ops;
	}
	pthread_mutex_unlock(&registered.lock);
	return ops;
}

void hfi_registered_forget(const struct verbs_device_ops *ops)
{
	struct note *note, *next;

	/* A library that stays mapped does not register again, so keep its entry. */
	if (map_of(ops, NULL, 0))
		return;
	pthread_mutex_lock(&registered.lock);
	DL_FOREACH_SAFE (registered.notes, note, next) {
		if (note->ops != ops)
			continue;
		DL_DELETE(registered.notes, note);
		free(note);
	}
	pthread_mutex_unlock(&registered.lock);
}

/* Returns how many notes remain. */
static size_t drop_stale_notes(void)
{
	struct note *note, *next, *newer;
	size_t count = 0;

	DL_FOREACH_SAFE (registered.notes, note, next) {
		char file[HF_PATH_MAX];
		bool stale = map_of(note->ops, file, sizeof(file)) != note->map ||
			     strcmp(file, note->file) != 0;

		/* The program unmapped it; another library may be at that address now. */
		for (newer = registered.notes; newer != note && !stale; newer = newer->next)
			stale = newer->map == note->map && newer->ops == note->ops;
		if (stale) {
			DL_DELETE(registered.notes, note);
			free(note);
		} else {
			count++;
		}
	}
	return count;
}

int hfi_registered_list(struct hf_registered **ret, size_t *ret_count)
{
	struct hf_registered *list = NULL;
	struct note *note;
	size_t count, at;

	pthread_mutex_lock(&registered.lock);
	count = at = drop_stale_notes();
	if (count)
		list = calloc(count, sizeof(*list));
	/* Oldest first: libibverbs tries them in the order of their registration. */
	if (list)
		DL_FOREACH (registered.notes, note) {
			at--;
			list[at].ops = note->ops;
			list[at].abi = note->abi;
			hfi_copy(list[at].file, sizeof(list[at].file), note->file);
		}
	pthread_mutex_unlock(&registered.lock);
	if (count && !list)
		return -ENOMEM;
	*ret = list;
	*ret_count = count;
	return 0;
}
