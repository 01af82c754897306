/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Finds out what the candidates match: from the cache, from a helper process, or by loading them here. */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shared/attr.h"
#include "core/base/process.h"
#include "core/base/reason.h"
#include "shared/text.h"
#include "core/foreign/cache.h"
#include "core/foreign/cache_file.h"
#include "core/foreign/candidate.h"
#include "core/foreign/family.h"
#include "core/foreign/foreign.h"
#include "core/foreign/learn.h"
#include "core/foreign/load.h"
#include "core/foreign/other_abi.h"
#include "core/foreign/registered.h"
#include "core/foreign/scan.h"
#include "core/provider/elf.h"
#include "core/provider/library.h"

/* A directory that cannot be read counts as an empty one. */
int hfi_foreign_read_caches(struct hf_foreign *foreign)
{
	int err = 0;

	if (foreign->cache_read)
		return 0;
	for (size_t i = 0; i < HF_ARRAY_SIZE(foreign->cache_dirs) && !err; i++) {
		struct hf_cache cache;

		if (!foreign->cache_dirs[i])
			continue;
		err = hfi_cache_load(foreign->cache_dirs[i], &cache);
		if (!err && !foreign->known.count) {
			foreign->known = cache;
			continue;
		}
		for (size_t j = 0; j < cache.count && err != -ENOMEM; j++)
			err = hfi_cache_add(&foreign->known, &cache.v[j].identity,
					    &cache.v[j].tables);
		hfi_cache_clear(&cache);
		if (err != -ENOMEM)
			err = 0;
	}
	foreign->cache_read = !err;
	return err;
}

static void write_cache(struct hf_foreign *foreign, const struct hf_log *log)
{
	int err = -ENOENT;

	for (size_t i = HF_ARRAY_SIZE(foreign->cache_dirs); i-- > 0 && err;)
		if (foreign->cache_dirs[i])
			err = hfi_cache_save(foreign->cache_dirs[i], &foreign->known);
	if (err)
		hf_debug(log, "what providers match is not kept: %s", strerrordesc_np(-err));
	foreign->news = false;
}

static const struct hf_family *other_node(const struct hf_elf *elf, const struct hf_family *family)
{
	for (size_t i = 0; i < hfi_num_families; i++)
		if (&hfi_families[i] != family && hfi_elf_names(elf, hfi_families[i].node))
			return &hfi_families[i];
	return NULL;
}

/* The name of the file states one private ABI: it must be bound to that one, and to no other. */
static int check_bound_node(struct hf_candidate *candidate, const struct hf_elf *elf)
{
	const struct hf_family *family = candidate->family, *other = other_node(elf, family);
	const char *file = candidate->manifest.file;

	if (!hfi_elf_names(elf, family->entry) || !hfi_elf_names(elf, family->node)) {
		hfi_reason_set(&candidate->reason, HF_REASON_ABI, family->node,
			       other ? other->node : "no such call",
			       "%s does not make itself known by %s%s%s", file, family->entry,
			       other ? ", but is bound to " : "", other ? other->node : "");
		return -EACCES;
	}
	if (!other)
		return 0;
	hfi_reason_set(&candidate->reason, HF_REASON_ABI, family->node, other->node,
		       "%s is bound to two private ABIs, %s and %s", file, family->node,
		       other->node);
	return -EACCES;
}

/* Reject a library that lacks the ABI's entry symbol before any of its code runs, even in the helper process. */
static int check_kind(struct hf_candidate *candidate)
{
	struct hf_elf elf = {0};
	int err;

	err = hfi_elf_read_to_load(candidate->manifest.file, &elf, &candidate->reason);
	if (!err)
		err = check_bound_node(candidate, &elf);
	hfi_elf_clear(&elf);
	return err;
}

/* Is it the distribution's library for another driver? */
static bool is_for_another(const struct hf_candidate *candidate, uint32_t driver_id)
{
	const struct hf_manifest *m = &candidate->manifest;
	uint32_t id = hfi_driver_id_of(m->name);
	char file[HF_PATH_MAX];

	return id && id != driver_id &&
	       !hfi_print(file, sizeof(file), "%s/lib%s%s", HF_DRIVER_DIR, m->name,
			  candidate->family->suffix) &&
	       !strcmp(m->file, file);
}

/* The candidates that are looked into by the helper process. */
struct to_learn {
	struct hf_candidate **candidates;
	struct hf_scan_item *items;
	size_t count;
	uint32_t driver_id; /* 0: of every driver */
	bool left_out;	    /* some, because they are for another one */
};

/* 1: the helper process must examine it; 0: known, refused, or left out. */
static int learn_here(struct hf_foreign *foreign, struct hf_candidate *candidate,
		      struct to_learn *to_learn)
{
	struct hf_file_identity identity = hfi_file_identity(&candidate->library);
	const struct hf_tables *known;
	struct hf_cache copy = {0};
	int err;

	if (candidate->learned || candidate->reason.code)
		return 0;
	if (candidate->by_loader)
		return 1;
	known = hfi_cache_find(&foreign->known, &identity);
	if (!known && to_learn->driver_id && is_for_another(candidate, to_learn->driver_id)) {
		to_learn->left_out = true;
		return 0;
	}
	if (!known) {
		foreign->news = true;
		err = check_kind(candidate);
		return err == -EACCES ? 0 : err ? err : 1;
	}
	err = hfi_cache_add(&copy, &identity, known);
	if (!err)
		hfi_candidate_take(candidate, &copy.v[0].tables);
	hfi_cache_clear(&copy);
	return err;
}

/* Load them here, as libibverbs does, because no helper process can be started. */
static void learn_by_mapping(struct hf_foreign *foreign, struct hf_candidate *candidate,
			     const struct hf_log *log)
{
	struct hf_provider *provider;
	int err;

	hf_debug(log, "%s is mapped to see what it matches", candidate->manifest.file);
	if (candidate->by_loader) {
		hfi_reason_set(&candidate->reason, HF_REASON_FILE_MISSING, candidate->manifest.file,
			       "none", "there is no %s", candidate->manifest.file);
		hfi_other_abi_name(candidate);
		return;
	}
	err = hfi_foreign_load(foreign, candidate, &provider, &candidate->reason);
	if (err)
		return;
	candidate->learned = true;
	if (hfi_candidate_take_ops(candidate, provider->ops))
		hfi_reason_set(&candidate->reason, HF_REASON_LOAD, "a match table that makes sense",
			       "another", "the match table of %s makes no sense",
			       candidate->manifest.file);
	hfi_library_unload(provider);
}

/* The loader found it by name: the rules for a library in the directory apply to it as well. */
static void place(struct hf_foreign *foreign, struct hf_candidate *candidate)
{
	struct hf_evidence evidence;
	char dir[HF_PATH_MAX];
	const char *file = candidate->manifest.file;

	if (candidate->reason.code || file[0] != '/')
		return;
	snprintf(dir, sizeof(dir), "%.*s", (int)(strrchr(file, '/') - file), file);
	if (hfi_library_check_file(file, &candidate->library, NULL, &candidate->reason))
		return;
	if (hfi_family_evidence(candidate->family, dir, foreign->stated, &foreign->known,
				&evidence))
		return;
	candidate->profile = evidence.profile;
	candidate->core_version = evidence.version;
	if (!evidence.profile)
		candidate->reason = evidence.reason;
	else
		snprintf(candidate->manifest.version, sizeof(candidate->manifest.version),
			 "rdma-core %u", evidence.version);
}

static int run_scan(struct hf_foreign *foreign, struct hf_scan_item *items,
		    struct hf_candidate **candidates, size_t count, const struct hf_log *log)
{
	int err;

	err = hfi_scan_run(&foreign->files, items, count);
	if (err < 0)
		hf_info(log, "no process to look into provider libraries: %s",
			strerrordesc_np(-err));
	for (size_t i = 0; i < count; i++) {
		struct hf_candidate *candidate = candidates[i];
		struct hf_file_identity identity = hfi_file_identity(&candidate->library);

		if (!items[i].done) {
			learn_by_mapping(foreign, candidate, log);
			continue;
		}
		if (items[i].permanent && !candidate->by_loader &&
		    hfi_cache_add(&foreign->known, &identity, &items[i].tables) == -ENOMEM)
			return -ENOMEM;
		hfi_candidate_take(candidate, &items[i].tables);
		if (candidate->by_loader && candidate->reason.code)
			hfi_other_abi_name(candidate);
		else if (candidate->by_loader)
			place(foreign, candidate);
	}
	return 0;
}

/* The length of the directory's name; a bare name is in the usual one. */
static size_t dir_length(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash ? (size_t)(slash - file) : 0;
}

/*
 * A directory with an unknown private ABI is reported once, not for each driver. Returns how many
 * other drivers the message covers.
 */
static size_t gather_other_abi(struct hf_foreign *foreign, const struct hf_candidate *first)
{
	const size_t length = dir_length(first->manifest.file);
	size_t others = 0;

	for (size_t i = 0; i < foreign->num_candidates; i++) {
		struct hf_candidate *candidate = &foreign->candidates[i];
		const char *file = candidate->manifest.file;

		if (candidate == first || candidate->said ||
		    candidate->other_abi != first->other_abi || dir_length(file) != length ||
		    strncmp(file, first->manifest.file, length) != 0)
			continue;
		candidate->said = true;
		others++;
	}
	return others;
}

static void say_refusals(struct hf_foreign *foreign, const struct hf_log *log)
{
	for (size_t i = 0; i < foreign->num_candidates; i++) {
		struct hf_candidate *candidate = &foreign->candidates[i];
		const char *file = candidate->manifest.file;
		char more[48] = "", other[HF_PATH_MAX];
		size_t others;

		/* An entry that names no library was reported when it was read. */
		if (candidate->said || !candidate->reason.code ||
		    (!*file && !candidate->manifest.name[0]))
			continue;
		candidate->said = true;
		if (candidate->other_abi) {
			hfi_other_abi_file(candidate, other, sizeof(other));
			file = other;
		}
		others = candidate->other_abi ? gather_other_abi(foreign, candidate) : 0;
		if (others)
			snprintf(more, sizeof(more), "; so are %zu more drivers", others);
		/* libibverbs names what it tried last: the bare name, unless it was given a path. */
		if (!strncmp(file, HF_DRIVER_DIR "/", sizeof(HF_DRIVER_DIR)))
			file += sizeof(HF_DRIVER_DIR);
		if (hfi_program_uses_shim() || candidate->manifest.path[0] == '/')
			hfi_foreign_say(log, "Warning: couldn't load driver '%s': %s%s", file,
					candidate->reason.text, more);
		else /* its user named it in the environment */
			hf_warn(log, "%s: couldn't load driver '%s': %s%s",
				candidate->manifest.path, file, candidate->reason.text, more);
	}
	foreign->said = true;
}

static int learn_all_of(struct hf_foreign *foreign, struct to_learn *to_learn,
			const struct hf_log *log)
{
	size_t all = foreign->num_candidates;
	int err;

	to_learn->candidates = calloc(all + 1, sizeof(struct hf_candidate *));
	to_learn->items = calloc(all + 1, sizeof(*to_learn->items));
	err = to_learn->candidates && to_learn->items ? hfi_foreign_read_caches(foreign) : -ENOMEM;
	for (size_t i = 0; i < all && err >= 0; i++) {
		struct hf_candidate *candidate = &foreign->candidates[i];

		if (foreign->no_shim.code && !candidate->reason.code)
			candidate->reason = foreign->no_shim;
		err = learn_here(foreign, candidate, to_learn);
		if (err == 1) {
			to_learn->candidates[to_learn->count] = candidate;
			to_learn->items[to_learn->count++].file = candidate->manifest.file;
		}
	}
	if (err >= 0)
		err = to_learn->count ? run_scan(foreign, to_learn->items, to_learn->candidates,
						 to_learn->count, log)
				      : 0;
	if (!err && foreign->news)
		write_cache(foreign, log);
	if (!err)
		say_refusals(foreign, log);
	free(to_learn->items);
	free(to_learn->candidates);
	return err;
}

int hfi_foreign_learn(struct hf_foreign *foreign, const struct hf_log *log)
{
	struct to_learn to_learn = {0};
	int err = foreign->learned ? 0 : learn_all_of(foreign, &to_learn, log);

	if (!err)
		foreign->learned = true;
	return err;
}

int hfi_foreign_learn_driver(struct hf_foreign *foreign, uint32_t driver_id,
			     const struct hf_log *log)
{
	struct to_learn to_learn = {.driver_id = driver_id};
	uint64_t bit;
	int err;

	/* Drivers that the user named are tried in that order, before all others. */
	if (driver_id >= 64 || foreign->names)
		return hfi_foreign_learn(foreign, log);
	bit = UINT64_C(1) << driver_id;
	if (foreign->learned || (foreign->learned_drivers & bit))
		return 0;
	err = learn_all_of(foreign, &to_learn, log);
	if (err)
		return err;
	foreign->learned_drivers |= bit;
	foreign->learned = !to_learn.left_out;
	return 0;
}
