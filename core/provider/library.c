/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Checks, loads and unloads a provider library. */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/reason.h"
#include "shared/cancel.h"
#include "shared/stamp.h"
#include "shared/text.h"
#include "core/provider/elf.h"
#include "core/provider/library.h"
#include "core/provider/safety.h"

/*
 * Static because the dynamic loader is: whether a file is mapped, and what it registered, must not
 * change between two questions. Recursive, for a library's constructor or destructor may call back.
 */
static pthread_mutex_t loader = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

/* The loader opens files, and a library's constructor may do anything. */
static void lock_loader(void)
{
	hfi_cancel_block();
	pthread_mutex_lock(&loader);
}

static void unlock_loader(void)
{
	pthread_mutex_unlock(&loader);
	hfi_cancel_unblock();
}

/* Not taken by the fork handlers: its holder may be waiting for a lock that fork() holds. */
void hfi_library_forked(void)
{
	static const pthread_mutex_t fresh = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

	memcpy(&loader, &fresh, sizeof(loader));
}

/* The N of "NAME-hfN.so". */
static int abi_of_file_name(const char *path, uint32_t *ret)
{
	const char *base = strrchr(path, '/');
	const char *mark = NULL;
	char digits[16];
	uint64_t number;

	base = base ? base + 1 : path;
	for (const char *at = base; (at = strstr(at, "-hf")); at++)
		mark = at + 3;
	if (!mark || strcmp(mark + strspn(mark, "0123456789"), ".so") != 0)
		return -EINVAL;
	if (hfi_print(digits, sizeof(digits), "%.*s", (int)strspn(mark, "0123456789"), mark) ||
	    hfi_parse_number(digits, 10, UINT32_MAX, &number))
		return -EINVAL;
	*ret = (uint32_t)number;
	return 0;
}

static int check_abi(const struct hf_manifest *m, struct hf_reason *reason)
{
	char wanted[64], found[64];
	uint32_t in_name;

	snprintf(wanted, sizeof(wanted), "ABI %u..%u", HF_PROVIDER_ABI_MIN, HF_PROVIDER_ABI_MAX);
	snprintf(found, sizeof(found), "ABI %u", m->abi);
	if (m->abi < HF_PROVIDER_ABI_MIN || m->abi > HF_PROVIDER_ABI_MAX) {
		hfi_reason_set(reason, HF_REASON_ABI, wanted, found,
			       "provider %s speaks private ABI %u, this library %u to %u", m->name,
			       m->abi, HF_PROVIDER_ABI_MIN, HF_PROVIDER_ABI_MAX);
		return -EACCES;
	}
	if (abi_of_file_name(m->file, &in_name) || in_name != m->abi) {
		snprintf(wanted, sizeof(wanted), "*-hf%u.so", m->abi);
		hfi_reason_set(
			reason, HF_REASON_ABI, wanted, strrchr(m->file, '/'),
			"the file name of provider %s does not end in -hf%u.so as its manifest's "
			"ABI demands",
			m->name, m->abi);
		return -EACCES;
	}
	return 0;
}

int hfi_library_check_file(const char *file, struct stat *st, struct hf_checked_dirs *checked,
			   struct hf_reason *reason)
{
	bool is_link;
	int err;

	memset(st, 0, sizeof(*st));
	if (lstat(file, st) < 0)
		return hfi_safety_refuse_missing(file, errno, reason);
	is_link = S_ISLNK(st->st_mode);
	if (is_link && stat(file, st) < 0) {
		memset(st, 0, sizeof(*st));
		return hfi_safety_refuse_missing(file, errno, reason);
	}
	if (!S_ISREG(st->st_mode)) {
		hfi_reason_set(reason, HF_REASON_UNSAFE, "a regular file", "something else",
			       "%s is not a regular file", file);
		return -EACCES;
	}
	err = hfi_safety_check(file, st, reason);
	if (err)
		return err;
	return is_link ? hfi_safety_check_way(file, checked, reason)
		       : hfi_safety_check_dir_of(file, checked, reason);
}

int hfi_library_check(const struct hf_manifest *m, struct stat *st, struct hf_checked_dirs *checked,
		      struct hf_reason *reason)
{
	int err;

	memset(st, 0, sizeof(*st));
	err = check_abi(m, reason);
	return err ? err : hfi_library_check_file(m->file, st, checked, reason);
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       hfi_stamp_same(&a->st_mtim, &b->st_mtim);
}

/*
 * glibc answers dlopen() of a name that is loaded with the library loaded under it, even if another
 * file has taken its place. So where the name is taken, spell the path in a way not used before:
 * each bit of the counter as "/." or "/". The loader then compares inodes.
 */
static void *open_library(const char *path)
{
	static atomic_uint
		spellings; /* static: loaded names belong to the process, not to a context */
	char spelled[HF_PATH_MAX + 80];
	void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL | RTLD_NOLOAD);
	const char *base = strrchr(path, '/') + 1;
	unsigned int bits;
	size_t length;

	if (!library)
		return dlopen(path, RTLD_NOW | RTLD_LOCAL);
	dlclose(library);
	length = (size_t)(base - path) - 1;
	memcpy(spelled, path, length);
	for (bits = atomic_fetch_add(&spellings, 1) + 1; bits; bits >>= 1)
		length += (size_t)snprintf(spelled + length, sizeof(spelled) - length,
					   bits & 1 ? "/." : "/");
	snprintf(spelled + length, sizeof(spelled) - length, "/%s", base);
	return dlopen(spelled, RTLD_NOW | RTLD_LOCAL);
}

/* As the descriptor states it; that of the first release had no such member. */
static size_t qp_ex_size(const struct hf_provider_descriptor *d)
{
	enum { AS_IN_44 = 352 };
	const size_t end =
		offsetof(struct hf_provider_descriptor, qp_ex_size) + sizeof(d->qp_ex_size);

	return d->size >= end && d->qp_ex_size ? d->qp_ex_size : AS_IN_44;
}

static const char *descriptor_fault(const struct hf_provider_descriptor *d, uint32_t abi)
{
	if (!d)
		return "no descriptor";
	if (d->abi != abi)
		return "another ABI number in the descriptor";
	if (d->size < offsetof(struct hf_provider_descriptor, qp_ex_size))
		return "a descriptor that is too short";
	if (!d->name || !d->ops)
		return "a descriptor without name or operations";
	if (!d->ops->alloc_device || !d->ops->uninit_device || !d->ops->alloc_context)
		return "a descriptor without alloc_device, uninit_device or alloc_context";
	/* At least the size of rdma-core 34, and at most a size that a real provider could have. */
	if (qp_ex_size(d) < 344 || qp_ex_size(d) > 4096 || qp_ex_size(d) % 8)
		return "a descriptor with a size of struct ibv_qp_ex that cannot be";
	return NULL;
}

static int take_descriptor(const struct hf_manifest *m, void *library,
			   const struct hf_provider_descriptor **ret, struct hf_reason *reason)
{
	const struct hf_provider_descriptor *(*describe)(void);
	char node[32], wanted[64], found[64];
	const char *fault;

	snprintf(node, sizeof(node), "HOLDFAST_PROVIDER_%u", m->abi);
	snprintf(wanted, sizeof(wanted), "ABI %u", m->abi);
	*(void **)&describe = dlvsym(library, "hf_provider_describe", node);
	if (!describe) {
		hfi_reason_set(reason, HF_REASON_ABI, node, "no such symbol",
			       "%s does not export hf_provider_describe in node %s", m->file, node);
		return -EACCES;
	}
	*ret = describe();
	fault = descriptor_fault(*ret, m->abi);
	if (fault) {
		snprintf(found, sizeof(found), "ABI %u", *ret ? (*ret)->abi : 0);
		/* The ABI number is right, so the error is another one. */
		if (!*ret || (*ret)->abi == m->abi) {
			snprintf(wanted, sizeof(wanted), "a complete descriptor");
			snprintf(found, sizeof(found), *ret ? "an incomplete one" : "none");
		}
		hfi_reason_set(reason, HF_REASON_ABI, wanted, found, "%s has %s", m->file, fault);
		return -EACCES;
	}
	return 0;
}

int hfi_library_open(const char *file, const struct stat *st, struct hf_provider **ret,
		     struct hf_reason *reason)
{
	struct hf_provider *provider;
	struct stat now;

	provider = calloc(1, sizeof(*provider));
	if (!provider)
		return -ENOMEM;
	lock_loader();
	provider->library = open_library(file);
	unlock_loader();
	if (!provider->library) {
		const char *why = dlerror();

		hfi_reason_set(reason, HF_REASON_LOAD, "a library that loads",
			       "the loader's refusal", "%s",
			       why ? why : "the dynamic loader gave no reason");
		goto free_provider;
	}
	/* The loader opens by path: verify that it opened the file that was checked. */
	if (stat(file, &now) < 0 || !is_same_file(st, &now)) {
		hfi_reason_set(reason, HF_REASON_LOAD, "the file that was checked", "another one",
			       "%s was replaced while it was loaded", file);
		goto close_library;
	}
	hfi_copy(provider->file, sizeof(provider->file), file);
	provider->dev = st->st_dev;
	provider->ino = st->st_ino;
	provider->mtime = st->st_mtim;
	*ret = provider;
	return 0;

close_library:
	dlclose(provider->library);
free_provider:
	free(provider);
	return -EACCES;
}

int hfi_library_load(const struct hf_manifest *m, const struct stat *st, struct hf_provider **ret,
		     struct hf_reason *reason)
{
	const struct hf_provider_descriptor *descriptor;
	struct hf_provider *provider;
	int err;

	err = hfi_elf_read(m->file, NULL, reason);
	if (err)
		return err;
	err = hfi_library_open(m->file, st, &provider, reason);
	if (err)
		return err;
	err = take_descriptor(m, provider->library, &descriptor, reason);
	if (err) {
		hfi_library_unload(provider);
		return err;
	}
	provider->name = descriptor->name;
	provider->ops = descriptor->ops;
	provider->qp_mask_offset = qp_ex_size(descriptor);
	*ret = provider;
	return 0;
}

void hfi_library_unload(struct hf_provider *provider)
{
	lock_loader();
	dlclose(provider->library);
	if (provider->forget)
		provider->forget(provider->ops);
	unlock_loader();
	free(atomic_load(&provider->fault));
	free(provider);
}
