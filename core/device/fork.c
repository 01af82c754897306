/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What belongs to the process and not to a context: generations, and being forked. */
#include <string.h>
#include <utlist.h>

#include "core/base/attr.h"
#include "core/device/hf.h"
#include "core/device/fork.h"
#include "core/device/scan_lock.h"
#include "core/provider/library.h"

/*
 * Static because the facts are: a generation names an instance to the whole process, fork copies
 * every context at once, and ibv_get_device_list() is given nothing to find a context by.
 */
static struct {
	atomic_uint_least64_t generation;
	atomic_uint forks;
	pthread_once_t once;
	pthread_mutex_t lock; /* guards `contexts` */
	struct hf *contexts;
	pthread_mutex_t default_lock; /* held while it is made; taken before `lock` */
	_Atomic(struct hf *) default_context;
} process = {
	.once = PTHREAD_ONCE_INIT,
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.default_lock = PTHREAD_MUTEX_INITIALIZER,
};

uint64_t hfi_next_generation(void)
{
	return atomic_fetch_add(&process.generation, 1) + 1;
}

unsigned int hfi_fork_count(void)
{
	return atomic_load(&process.forks);
}

/* Takes every lock and lets every scan finish, so that the child gets whole tables. */
static void before_fork(void)
{
	struct hf *hf;

	pthread_mutex_lock(&process.default_lock);
	pthread_mutex_lock(&process.lock);
	DL_FOREACH (process.contexts, hf) {
		/*
		 * A scan may run a provider's code, which may open a device, which takes the locks
		 * below: so the turn comes before them all.
		 */
		hfi_turn_before_fork(hf);
		if (hf->at_fork)
			hf->at_fork->before(hf);
		pthread_mutex_lock(&hf->lock);
		pthread_mutex_lock(&hf->registry.lock);
		hfi_registry_settle(&hf->registry);
	}
}

static void after_fork_in_parent(void)
{
	struct hf *hf;

	DL_FOREACH (process.contexts, hf) {
		pthread_mutex_unlock(&hf->registry.lock);
		hfi_turn_in_parent(hf);
		pthread_mutex_unlock(&hf->lock);
		if (hf->at_fork)
			hf->at_fork->in_parent(hf);
	}
	pthread_mutex_unlock(&process.lock);
	pthread_mutex_unlock(&process.default_lock);
}

static void after_fork_in_child(void)
{
	struct hf *hf;

	atomic_fetch_add(&process.forks, 1);
	hfi_library_forked();
	DL_FOREACH (process.contexts, hf) {
		pthread_mutex_unlock(&hf->registry.lock);
		hfi_turn_in_child(hf);
		pthread_mutex_unlock(&hf->lock);
	}
	pthread_mutex_unlock(&process.lock);
	pthread_mutex_unlock(&process.default_lock);
	/* Nobody else is there to change the list, and these may have something to say to the program. */
	DL_FOREACH (process.contexts, hf)
		if (hf->at_fork)
			hf->at_fork->in_child(hf);
}

static void register_fork_handlers(void)
{
	pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

void hfi_process_add(struct hf *hf)
{
	pthread_once(&process.once, register_fork_handlers);
	pthread_mutex_lock(&process.lock);
	DL_APPEND(process.contexts, hf);
	pthread_mutex_unlock(&process.lock);
}

void hfi_process_remove(struct hf *hf)
{
	pthread_mutex_lock(&process.lock);
	DL_DELETE(process.contexts, hf);
	pthread_mutex_unlock(&process.lock);
}

HF_EXPORT int hf_default(struct hf **ret)
{
	struct hf *hf = atomic_load(&process.default_context);
	int err = 0;

	/*
	 * Without the lock once it is there: who forks holds it while a scan ends, and from within
	 * that a provider may call.
	 */
	if (!hf) {
		pthread_mutex_lock(&process.default_lock);
		hf = atomic_load(&process.default_context);
		if (!hf)
			err = hf_new(NULL, &hf);
		if (!err)
			atomic_store(&process.default_context, hf);
		pthread_mutex_unlock(&process.default_lock);
	}
	if (!err)
		*ret = hf_ref(hf);
	return err;
}
