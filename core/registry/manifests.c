/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads the registry's candidates from the directories of manifests, and again when one has changed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/error.h"
#include "shared/file.h"
#include "core/base/reason.h"
#include "shared/text.h"
#include "core/foreign/foreign.h"
#include "core/foreign/learn.h"
#include "core/provider/library.h"
#include "core/provider/safety.h"
#include "core/registry/manifests.h"
#include "core/registry/registry.h"

enum { CANDIDATES_MAX = 4096 };

/* The manifests that were just read, before they replace those of the registry. */
struct reading {
	struct hf_candidate *v;
	size_t count;
	struct hf_checked_dirs checked;
	uint64_t print; /* a hash of every file's identity: differs when any file has changed */
};

static void hash_number_into(uint64_t *print, uint64_t value)
{
	/* FNV-1a, 64 bit, over the value's bytes. */
	for (int i = 0; i < 8; i++) {
		*print ^= (value >> (8 * i)) & 0xff;
		*print *= 0x100000001b3u;
	}
}

static void add_file_to_print(uint64_t *print, const struct stat *st)
{
	hash_number_into(print, st->st_dev);
	hash_number_into(print, st->st_ino);
	hash_number_into(print, (uint64_t)st->st_mtim.tv_sec);
	hash_number_into(print, (uint64_t)st->st_mtim.tv_nsec);
	hash_number_into(print, ((uint64_t)st->st_mode << 32) | st->st_uid);
}

static bool known_name(const struct reading *reading, const char *name)
{
	for (size_t i = 0; i < reading->count; i++)
		if (name[0] && !strcmp(reading->v[i].manifest.name, name) &&
		    reading->v[i].reason.code != HF_REASON_UNSAFE)
			return true;
	return false;
}

static int append_manifest(struct reading *reading, const struct hf_candidate *candidate)
{
	struct hf_candidate *grown;

	grown = reallocarray(reading->v, reading->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	reading->v = grown;
	reading->v[reading->count++] = *candidate;
	return 0;
}

/* Translates errors of hfi_read_file() into sentences. */
static const char *unreadable(int error)
{
	if (error == ERANGE)
		return "more than 65536 bytes";
	if (error == EINVAL)
		return "no text file";
	return strerrordesc_np(error);
}

static int read_manifest(struct reading *reading, const char *path, bool is_link)
{
	struct hf_candidate candidate = {0};
	struct stat st;
	char *text;
	ssize_t length;
	int err = 0, unsafe = 0;

	text = malloc(HF_MANIFEST_MAX + 1);
	if (!text)
		return -ENOMEM;
	length = hfi_read_file(AT_FDCWD, path, text, HF_MANIFEST_MAX + 1, &st);
	if (length >= 0) {
		add_file_to_print(&reading->print, &st);
		err = hfi_manifest_parse(path, text, (size_t)length, &candidate.manifest,
					 &candidate.reason);
		if (!err)
			unsafe = hfi_safety_check(path, &st, &candidate.reason);
		/* Its own directory is checked together with the library. */
		if (!err && !unsafe && is_link)
			unsafe = hfi_safety_check_way(path, &reading->checked, &candidate.reason);
	} else {
		const char *why = unreadable((int)-length);

		hfi_reason_set(&candidate.reason, HF_REASON_BAD_MANIFEST, "a readable text file",
			       why, "%s: %s", path, why);
	}
	free(text);
	if (err == -ENOMEM)
		return -ENOMEM;
	/* A manifest that could not be read must not count as missing. */
	if (hfi_error_is_shortage((int)length))
		return (int)length;
	if (length == -ENOENT || known_name(reading, candidate.manifest.name))
		goto clear; /* gone meanwhile, or an earlier directory's provider of that name wins */
	if (candidate.reason.code && !unsafe)
		snprintf(candidate.manifest.path, sizeof(candidate.manifest.path), "%s", path);
	else if (!unsafe && hfi_library_check(&candidate.manifest, &candidate.library,
					      &reading->checked, &candidate.reason) == 0)
		candidate.reason.code = HF_REASON_NONE;
	add_file_to_print(&reading->print, &candidate.library);
	hash_number_into(&reading->print, candidate.reason.code);
	err = append_manifest(reading, &candidate);
	if (!err)
		return 0;
clear:
	hfi_manifest_clear(&candidate.manifest);
	return err;
}

/* It is listed with its reason. */
static int add_unreadable_dir(struct reading *reading, const char *dir, int error)
{
	struct hf_candidate candidate = {0};

	(void)hfi_safety_refuse_missing(dir, error, &candidate.reason);
	snprintf(candidate.manifest.path, sizeof(candidate.manifest.path), "%s", dir);
	hash_number_into(&reading->print, candidate.reason.code);
	return append_manifest(reading, &candidate);
}

static int is_manifest(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && dot != entry->d_name && !strcmp(dot, ".provider");
}

static int read_dir(struct reading *reading, const char *dir, const struct hf_log *log)
{
	struct dirent **names;
	char path[HF_PATH_MAX];
	int count, err = 0;

	errno = 0;
	count = scandir(dir, &names, is_manifest, alphasort);
	if (count < 0) {
		const int error = errno;

		if (hfi_error_is_shortage(-error))
			return -error;
		hf_debug(log, "provider directory %s: %s", dir, strerrordesc_np(error));
		/* A missing directory has no providers; of one that cannot be read they are unknown. */
		return error == ENOENT ? 0 : add_unreadable_dir(reading, dir, error);
	}
	for (int i = 0; i < count; i++) {
		if (!err && reading->count < CANDIDATES_MAX &&
		    hfi_print(path, sizeof(path), "%s/%s", dir, names[i]->d_name) == 0)
			err = read_manifest(reading, path, names[i]->d_type != DT_REG);
		free(names[i]);
	}
	free(names);
	return err;
}

/*
 * A library that looked correct and could not be loaded may have lacked descriptors, memory or
 * another library that is installed by now, which its own file does not show. Try it again once in
 * each scan.
 */
static int try_again(struct hf_registry *registry, const struct reading *same)
{
	int any = 0;

	for (size_t i = 0; i < registry->num_candidates; i++) {
		struct hf_candidate *candidate = &registry->candidates[i];
		enum hf_reason_code code = candidate->reason.code;

		candidate->again = !same->v[i].reason.code &&
				   (code == HF_REASON_LOAD || code == HF_REASON_FILE_MISSING);
		any |= candidate->again;
	}
	return any;
}

static int refresh_foreign(struct hf_registry *registry, const struct hf_log *log)
{
	struct hf_foreign *foreign = &registry->foreign;
	struct hf_candidate *fresh, *old;
	size_t count, old_count;
	int changed;

	if (!registry->foreign_wanted)
		return 0;
	changed = hfi_foreign_read(foreign, log, &fresh, &count);
	if (changed <= 0)
		return changed;
	hfi_registry_lock(registry);
	old = foreign->candidates;
	old_count = foreign->num_candidates;
	foreign->candidates = fresh;
	foreign->num_candidates = count;
	hfi_registry_unlock(registry);
	hfi_candidates_free(old, old_count);
	return 1;
}

int hfi_registry_want_foreign(struct hf_registry *registry, const struct hf_log *log)
{
	if (registry->foreign_wanted)
		return 0;
	registry->foreign_wanted = true;
	return refresh_foreign(registry, log);
}

static int refresh_own(struct hf_registry *registry, const struct hf_log *log)
{
	struct reading reading = {.print = 0xcbf29ce484222325u};
	struct hf_candidate *old;
	size_t old_count;
	int err = 0;

	for (size_t i = 0; registry->dirs[i] && !err; i++)
		err = read_dir(&reading, registry->dirs[i], log);
	if (err || (registry->read && reading.print == registry->print)) {
		if (!err)
			err = try_again(registry, &reading);
		hfi_candidates_free(reading.v, reading.count);
		return err;
	}
	hfi_registry_lock(registry);
	old = registry->candidates;
	old_count = registry->num_candidates;
	registry->candidates = reading.v;
	registry->num_candidates = reading.count;
	registry->print = reading.print;
	registry->read = true;
	hfi_registry_unlock(registry);
	hfi_candidates_free(old, old_count);
	return 1;
}

int hfi_registry_refresh(struct hf_registry *registry, const struct hf_log *log)
{
	int own, foreign;

	own = refresh_own(registry, log);
	if (own < 0)
		return own;
	foreign = refresh_foreign(registry, log);
	return foreign < 0 ? foreign : own | foreign;
}

int hfi_registry_refresh_all(struct hf_registry *registry, const struct hf_log *log)
{
	bool learned = registry->foreign.learned;
	int err;

	err = hfi_registry_want_foreign(registry, log);
	if (err >= 0)
		err = hfi_registry_refresh(registry, log);
	/* A file whose stamp may still repeat is read each time: compare its contents. */
	if (err >= 0 && learned)
		err = hfi_foreign_learn(&registry->foreign, log);
	return err;
}
