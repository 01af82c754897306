/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Loads a foreign library into this process. */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/reason.h"
#include "shared/text.h"
#include "core/foreign/family.h"
#include "core/foreign/foreign.h"
#include "core/foreign/load.h"
#include "core/foreign/operations.h"
#include "core/foreign/registered.h"
#include "core/foreign/shim.h"
#include "core/provider/elf.h"
#include "core/provider/library.h"

static int check_device_ops(const struct verbs_device_ops *ops, uint32_t abi, uint32_t wanted,
			    const char *file, struct hf_reason *reason)
{
	const char *fault = NULL;

	if (!ops)
		fault = "registered no driver";
	else if (abi == HF_SEVERAL_ABIS)
		fault = "registered by the calls of several private ABIs";
	else if (abi != wanted)
		fault = "registered with another private ABI";
	else if (!ops->name || !ops->alloc_device || !ops->alloc_context)
		fault = "lacks a name, alloc_device or alloc_context";
	if (!fault)
		return 0;
	hfi_reason_set(reason, HF_REASON_ABI, "a driver that is registered", "none", "%s %s", file,
		       fault);
	return -EACCES;
}

/*
 * The file may have been cut off since it was checked, and the process would die of it. One that is still as it was
 * when a process loaded it, to see what it matches, is whole.
 */
static int check_whole(const struct hf_candidate *candidate, struct hf_reason *reason)
{
	const struct hf_file_identity then = hfi_file_identity(&candidate->library);
	const char *file = candidate->manifest.file;
	struct hf_elf elf = {0};
	struct stat st;
	int err;

	if (candidate->learned && stat(file, &st) == 0) {
		const struct hf_file_identity now = hfi_file_identity(&st);

		if (!memcmp(&then, &now, sizeof(now)))
			return 0;
	}
	err = hfi_elf_read(file, &elf, reason);
	hfi_elf_clear(&elf);
	return err;
}

int hfi_foreign_load(const struct hf_foreign *foreign, const struct hf_candidate *candidate,
		     struct hf_provider **ret, struct hf_reason *reason)
{
	const char *file = candidate->manifest.file;
	struct hf_provider *provider;
	uint32_t abi = 0;
	void *shim;
	int err;

	if (!candidate->profile) {
		hfi_reason_set(reason, HF_REASON_ABI, "a known layout", "none",
			       "%s: the layout that it expects is not known", file);
		return -EACCES;
	}
	err = check_whole(candidate, reason);
	if (err)
		return err;
	err = hfi_shim_open(foreign->files.shim, &shim, reason);
	if (err)
		return err;
	err = hfi_library_open(file, &candidate->library, &provider, reason);
	if (err)
		goto close_shim;
	provider->ops = hfi_registered_by(provider->library, &abi);
	err = check_device_ops(provider->ops, abi, candidate->family->abi, file, reason);
	if (err) {
		hfi_library_unload(provider);
		goto close_shim;
	}
	provider->name = provider->ops->name;
	provider->foreign = true;
	provider->qp_mask_offset = candidate->profile->qp_mask_offset;
	provider->dmabuf_buffer = candidate->profile->dmabuf_buffer;
	provider->context_front = candidate->profile->front;
	/* Tables of the same size have the same operations. */
	if (hfi_foreign_ops_count(candidate->profile) * sizeof(void *) !=
	    sizeof(struct verbs_context_ops))
		provider->take_operations = hfi_foreign_ops_take;
	provider->profile = candidate->profile;
	provider->forget = hfi_registered_forget;
	provider->by_program = candidate->by_program;
	*ret = provider;
close_shim:
	/* The library keeps its own reference to it. */
	dlclose(shim);
	return err;
}
