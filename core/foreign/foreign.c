/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Makes the list of the distribution's provider libraries that are candidates. */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "shared/attr.h"
#include "shared/error.h"
#include "core/base/process.h"
#include "core/base/reason.h"
#include "shared/stamp.h"
#include "shared/text.h"
#include "core/foreign/cache.h"
#include "core/foreign/candidate.h"
#include "core/foreign/drivers.h"
#include "core/foreign/family.h"
#include "core/foreign/foreign.h"
#include "core/foreign/learn.h"
#include "core/foreign/other_abi.h"
#include "core/foreign/registered.h"
#include "core/foreign/shim.h"
#include "core/provider/library.h"

static int copy_optional(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return from && !*to ? -ENOMEM : 0;
}

int hfi_foreign_init(struct hf_foreign *foreign, const struct hf_foreign_options *options)
{
	int err;

	memset(foreign, 0, sizeof(*foreign));
	foreign->stated = options->stated;
	foreign->preferred = options->preferred;
	err = copy_optional(&foreign->config_dir, options->config_dir);
	if (!err)
		err = copy_optional(&foreign->names, options->names);
	if (!err)
		err = copy_optional(&foreign->names_from, options->names_from);
	for (size_t i = 0; i < HF_ARRAY_SIZE(foreign->cache_dirs) && !err; i++)
		err = copy_optional(&foreign->cache_dirs[i], options->cache_dirs[i]);
	if (err)
		hfi_foreign_destroy(foreign);
	return err;
}

void hfi_foreign_destroy(struct hf_foreign *foreign)
{
	hfi_candidates_free(foreign->candidates, foreign->num_candidates);
	hfi_cache_clear(&foreign->known);
	free(foreign->config_dir);
	free(foreign->names);
	free(foreign->names_from);
	for (size_t i = 0; i < HF_ARRAY_SIZE(foreign->cache_dirs); i++)
		free(foreign->cache_dirs[i]);
	memset(foreign, 0, sizeof(*foreign));
}

void hfi_foreign_say(const struct hf_log *log, const char *format, ...)
{
	char message[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	if (hfi_program_uses_shim())
		fprintf(stderr, "libibverbs: %s\n", message);
	else
		hf_info(log, "%s", message);
}

static void report_to_foreign(void *arg, const char *message)
{
	hfi_foreign_say(arg, "%s", message);
}

/* The state of one reading of the configuration. */
struct reading {
	struct hf_foreign *foreign;
	struct hf_candidate *v;
	size_t count, size;
	/* The last directory that was examined: usually all libraries are in the same one. */
	char dir[HF_PATH_MAX];
	const struct hf_family *family;
	struct hf_evidence evidence;
	char version[32]; /* for a manifest */
	struct hf_checked_dirs checked;
	/* Which of the later families have files in the usual directory; read when first needed. */
	bool looked, has[HF_FAMILIES_MAX];
};

static bool check_candidate_file(struct reading *reading, struct hf_candidate *candidate)
{
	return hfi_library_check_file(candidate->manifest.file, &candidate->library,
				      &reading->checked, &candidate->reason) == 0;
}

/* Reads it for the directory of a file, unless that is the one that was examined last. */
static int read_evidence(struct reading *reading, const struct hf_family *family, const char *file)
{
	const size_t length = (size_t)(strrchr(file, '/') - file);
	struct hf_foreign *foreign = reading->foreign;
	const struct hf_tables none = {.name = "libibverbs"};
	struct hf_evidence *evidence = &reading->evidence;
	int err;

	if (reading->family == family && !strncmp(reading->dir, file, length) &&
	    !reading->dir[length])
		return 0;
	reading->family = NULL;
	memcpy(reading->dir, file, length);
	reading->dir[length] = '\0';
	err = hfi_foreign_read_caches(foreign);
	if (!err)
		err = hfi_family_evidence(family, reading->dir, foreign->stated, &foreign->known,
					  evidence);
	if (err)
		return err;
	/* Its exports need not be read again as long as it is the same file. */
	if (evidence->looked_into) {
		foreign->news = true;
		if (hfi_cache_add(&foreign->known, &evidence->library, &none) == -ENOMEM)
			return -ENOMEM;
	}
	snprintf(reading->version, sizeof(reading->version), "rdma-core %u", evidence->version);
	reading->family = family;
	return 0;
}

/* What tells the layout that the library of a candidate expects. */
static int judge_layout(struct reading *reading, struct hf_candidate *candidate)
{
	struct hf_manifest *m = &candidate->manifest;
	int err = read_evidence(reading, candidate->family, m->file);

	if (err)
		return err;
	candidate->profile = reading->evidence.profile;
	candidate->core_version = reading->evidence.version;
	if (candidate->profile)
		strcpy(m->version, reading->version);
	if (!candidate->reason.code && !candidate->profile)
		candidate->reason = reading->evidence.reason;
	return 0;
}

static int judge_candidate(struct reading *reading, struct hf_candidate *candidate)
{
	(void)check_candidate_file(reading, candidate);
	return judge_layout(reading, candidate);
}

static int append_candidate(struct reading *reading, const struct hf_candidate *candidate)
{
	if (reading->count == reading->size) {
		size_t size = reading->size ? reading->size * 2 : 32;
		struct hf_candidate *grown = reallocarray(reading->v, size, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		reading->v = grown;
		reading->size = size;
	}
	reading->v[reading->count++] = *candidate;
	return 0;
}

/* An entry that names no driver is listed as well, with its reason. */
HF_NOINLINE
static int add_refused_config(struct reading *reading, const struct hf_driver *driver)
{
	struct hf_candidate candidate = {.family = &hfi_families[0], .reason = driver->refused};

	hfi_copy(candidate.manifest.path, sizeof(candidate.manifest.path), driver->from);
	candidate.manifest.abi = candidate.family->abi;
	return append_candidate(reading, &candidate);
}

static void note_suffix(struct reading *reading, const char *file)
{
	const size_t length = strlen(file);

	for (size_t i = 0; i < hfi_num_families; i++) {
		const size_t suffix = strlen(hfi_families[i].suffix);

		if (length > suffix && !strcmp(file + length - suffix, hfi_families[i].suffix))
			reading->has[i] = true;
	}
}

/*
 * Reads the directory once: otherwise each driver without a file of the first family would cost one
 * call for each other family. A shortage is an error: files that could not be seen must not be
 * remembered as absent.
 */
static int look_for_families(struct reading *reading)
{
	struct dirent *entry;
	DIR *stream;
	int err;

	if (reading->looked)
		return 0;
	stream = opendir(HF_DRIVER_DIR);
	if (!stream)
		return hfi_error_is_shortage(-errno) ? -errno : 0;
	while (errno = 0, (entry = readdir(stream)))
		note_suffix(reading, entry->d_name);
	err = hfi_error_is_shortage(-errno) ? -errno : 0;
	closedir(stream);
	reading->looked = !err;
	return err;
}

static bool name_file(struct hf_candidate *candidate, const struct hf_driver *driver, size_t family)
{
	struct hf_manifest *m = &candidate->manifest;
	const char *in_dir = driver->name[0] == '/' ? "" : HF_DRIVER_DIR "/lib";

	candidate->family = &hfi_families[family];
	m->abi = candidate->family->abi;
	candidate->reason = (struct hf_reason){0};
	return !hfi_print(m->file, sizeof(m->file), "%s%s%s", in_dir, driver->name,
			  candidate->family->suffix);
}

/*
 * Chooses among the files of that name, one for each family: the first whose release is known by
 * its libibverbs.so.1, otherwise the first. -ENOENT: there is none; -ENOMEM, -EMFILE, -ENFILE.
 */
static int choose_family(struct reading *reading, const struct hf_driver *driver,
			 struct hf_candidate *candidate)
{
	size_t first = hfi_num_families;
	int err;

	for (size_t i = 0; i < hfi_num_families; i++) {
		if (i > 0 && driver->name[0] != '/') {
			err = look_for_families(reading);
			if (err)
				return err;
			if (!reading->has[i])
				continue;
		}
		if (!name_file(candidate, driver, i) ||
		    (!check_candidate_file(reading, candidate) &&
		     candidate->reason.code == HF_REASON_FILE_MISSING))
			continue;
		err = judge_layout(reading, candidate);
		if (err || candidate->profile)
			return err;
		if (first == hfi_num_families)
			first = i;
	}
	if (first == hfi_num_families)
		return -ENOENT;
	(void)name_file(candidate, driver, first);
	return judge_candidate(reading, candidate);
}

/* NAME as libibverbs takes it: "rxe", or "/where/ever/librxe". */
static int add_driver(struct reading *reading, const struct hf_driver *driver)
{
	/* A library in none of the places is searched by the loader, under the name of the first family. */
	struct hf_candidate *candidate = calloc(1, sizeof(*candidate));
	struct hf_manifest *m;
	int err;

	/*
	 * Not on the stack: a thread's may be small, and the functions called below need much of
	 * it.
	 */
	if (!candidate)
		return -ENOMEM;
	m = &candidate->manifest;
	hfi_copy(m->path, sizeof(m->path), driver->from);
	candidate->config = driver->file;
	if (hfi_copy(m->name, sizeof(m->name), hfi_last_component(driver->name)))
		m->name[0] = '\0';
	m->kernel_abi_max = UINT32_MAX;
	err = choose_family(reading, driver, candidate);
	if (err == -ENOENT && driver->name[0] == '/') {
		err = name_file(candidate, driver, 0) ? judge_candidate(reading, candidate) : 0;
		if (!err && candidate->reason.code == HF_REASON_FILE_MISSING)
			hfi_other_abi_name(candidate);
	} else if (err == -ENOENT) {
		/* The second place is the loader's search path, which is searched when the library is loaded. */
		(void)name_file(candidate, driver, 0);
		candidate->by_loader = true;
		if (hfi_print(m->file, sizeof(m->file), "lib%s%s", driver->name,
			      candidate->family->suffix))
			m->file[0] = '\0';
		err = 0;
	}
	if (err)
		goto free_candidate;
	if (!m->file[0])
		hfi_reason_set(&candidate->reason, HF_REASON_FILE_MISSING, "a path of up to 255",
			       "a longer one", "the name of driver %s is too long", m->name);
	err = append_candidate(reading, candidate);
free_candidate:
	free(candidate);
	return err;
}

static bool is_same_inode(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* A library that the program loaded itself, or is linked to, can serve devices as well. */
HF_NOINLINE
static int add_program_s(struct reading *reading, const struct hf_registered *registered)
{
	struct hf_candidate candidate = {
		.family = hfi_family_of(registered->abi),
		.by_program = true,
	};
	struct hf_manifest *m = &candidate.manifest;
	struct stat st;
	int err;

	if (!candidate.family || registered->file[0] != '/' || stat(registered->file, &st) < 0)
		return 0;
	for (size_t i = 0; i < reading->count; i++)
		if (is_same_inode(&reading->v[i].library, &st)) {
			/* Skip a library that an earlier reading of the configuration loaded. */
			reading->v[i].by_program = !reading->foreign->read;
			return 0;
		}
	hfi_copy(m->file, sizeof(m->file), registered->file);
	hfi_copy(m->path, sizeof(m->path), "the program");
	m->abi = candidate.family->abi;
	err = judge_candidate(reading, &candidate);
	if (err)
		return err;
	err = hfi_candidate_take_ops(&candidate, registered->ops);
	if (err == -ENOMEM)
		return err;
	return err ? 0 : append_candidate(reading, &candidate);
}

static void hash_into(uint64_t *print, uint64_t what)
{
	*print = (*print ^ what) * 0x100000001b3u; /* FNV-1a, by words */
}

static void add_file(uint64_t *print, const char *path, const struct stat *known,
		     struct timespec *newest)
{
	struct hf_file_identity identity = {0};
	struct stat st;

	if (known && known->st_ino)
		st = *known;
	if ((known && known->st_ino) || stat(path, &st) == 0) {
		identity = hfi_file_identity(&st);
		if (st.st_mtim.tv_sec > newest->tv_sec ||
		    (st.st_mtim.tv_sec == newest->tv_sec && st.st_mtim.tv_nsec > newest->tv_nsec))
			*newest = st.st_mtim;
	}
	hash_into(print, identity.dev);
	hash_into(print, identity.ino);
	hash_into(print, identity.size);
	hash_into(print, (uint64_t)identity.mtime);
	hash_into(print, (uint64_t)identity.mtime_ns);
	hash_into(print, (uint64_t)identity.ctime);
	hash_into(print, (uint64_t)identity.ctime_ns);
}

/*
 * A hash of everything that the candidates were made from; 0 while that is not certain. `just_read`: the files
 * are those that the candidates were made from a moment ago.
 */
static uint64_t take_print(const struct hf_foreign *foreign, const struct hf_candidate *candidates,
			   size_t count, bool just_read)
{
	struct hf_registered *registered;
	uint64_t print = 0xcbf29ce484222325u;
	struct timespec newest = {0};
	size_t num;

	add_file(&print, foreign->config_dir, NULL, &newest);
	add_file(&print, HF_DRIVER_DIR, NULL, &newest);
	for (size_t i = 0; i < count; i++) {
		const struct hf_candidate *candidate = &candidates[i];

		if (candidate->manifest.path[0] == '/')
			add_file(&print, candidate->manifest.path,
				 just_read ? &candidate->config : NULL, &newest);
		add_file(&print, candidate->manifest.file, just_read ? &candidate->library : NULL,
			 &newest);
	}
	if (hfi_registered_list(&registered, &num))
		return 0;
	for (size_t i = 0; i < num; i++)
		if (!hfi_candidates_have(candidates, count, registered[i].file))
			hash_into(&print, (uintptr_t)registered[i].ops);
	free(registered);
	return hfi_stamp_is_settled(&newest) ? print : 0;
}

static int read_configured_drivers(struct hf_foreign *foreign, struct hf_drivers *drivers)
{
	int err;

	err = hfi_drivers_read(drivers, foreign->config_dir);
	if (!err && foreign->names)
		err = hfi_drivers_add_list(drivers, foreign->names_from, foreign->names);
	return err == -E2BIG ? 0 : err;
}

static int read_candidates(struct hf_foreign *foreign, const struct hf_log *log,
			   struct reading *reading)
{
	struct hf_drivers drivers = {.say = foreign->said ? NULL : report_to_foreign};
	struct hf_registered *registered = NULL;
	size_t num = 0;
	int err;

	drivers.arg = (void *)(uintptr_t)log;
	err = read_configured_drivers(foreign, &drivers);
	for (size_t i = 0; i < drivers.count && !err; i++)
		err = drivers.v[i].refused.code ? add_refused_config(reading, &drivers.v[i])
						: add_driver(reading, &drivers.v[i]);
	if (!err)
		err = hfi_registered_list(&registered, &num);
	for (size_t i = 0; i < num && !err; i++)
		err = add_program_s(reading, &registered[i]);
	free(registered);
	hfi_drivers_clear(&drivers);
	return err;
}

int hfi_foreign_read(struct hf_foreign *foreign, const struct hf_log *log,
		     struct hf_candidate **ret, size_t *ret_count)
{
	struct reading reading = {.foreign = foreign};
	uint64_t print;
	int err;

	if (!foreign->config_dir)
		return 0;
	print = foreign->read
			? take_print(foreign, foreign->candidates, foreign->num_candidates, false)
			: 0;
	if (print && print == foreign->print)
		return 0;
	err = read_candidates(foreign, log, &reading);
	if (err) {
		hfi_candidates_free(reading.v, reading.count);
		return err;
	}
	/* libibverbs tries libraries that are registered already before those that it loads. */
	hfi_candidates_sort(reading.v, reading.count);
	foreign->print = take_print(foreign, reading.v, reading.count, true);
	if (!foreign->read && hfi_shim_find(&foreign->files, &foreign->no_shim) == 0)
		foreign->no_shim.code = HF_REASON_NONE;
	foreign->read = true;
	foreign->learned = false;
	foreign->learned_drivers = 0;
	for (size_t i = 0; i < reading.count; i++)
		reading.v[i].said = foreign->said;
	*ret = reading.v;
	*ret_count = reading.count;
	return 1;
}
