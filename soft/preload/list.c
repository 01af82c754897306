/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Lists /sys/class/infiniband and /dev/infiniband with the soft devices behind the kernel's own. */

/* The functions are defined here under all their names: none may be renamed, or have a body in a header. */
#undef _FORTIFY_SOURCE
#undef _FILE_OFFSET_BITS
#undef _TIME_BITS

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shared/attr.h"
#include "soft/preload/translate.h"

/* With more open at once, those that come later show what one directory has, as it is. */
enum { LISTS_MAX = 16 };

/* A directory that is open, and the ones that are read behind it. Only its user's thread changes it. */
struct shown_list {
	_Atomic(bool) taken;
	_Atomic(DIR *) dir;
	DIR *more[HF_SHOWN_ROOTS];
	size_t count, at; /* 0: `dir` itself */
};

static struct shown_list lists[LISTS_MAX];
static atomic_int lists_open; /* so that other directories cost one read */

HF_FIND_NEXT(opendir)
HF_FIND_NEXT(closedir)
HF_FIND_NEXT(rewinddir)

static DIR *open_next(const char *path)
{
	DIR *(*next)(const char *) = HF_NEXT(DIR * (*)(const char *), opendir);

	return next ? next(path) : NULL;
}

static void close_next(DIR *dir)
{
	int (*next)(DIR *) = HF_NEXT(int (*)(DIR *), closedir);

	if (next)
		next(dir);
}

static struct shown_list *find_list(const DIR *dir)
{
	if (!atomic_load(&lists_open))
		return NULL;
	for (size_t i = 0; i < LISTS_MAX; i++)
		if (atomic_load(&lists[i].dir) == dir)
			return &lists[i];
	return NULL;
}

static struct shown_list *take_list(void)
{
	for (size_t i = 0; i < LISTS_MAX; i++) {
		bool taken = false;

		if (atomic_compare_exchange_strong(&lists[i].taken, &taken, true))
			return &lists[i];
	}
	return NULL;
}

/* `shown` is the directory that is open: the roots' others follow it. */
static void open_more(DIR *dir, const char *path, const char *shown)
{
	const int error = errno;
	struct shown_list *list = take_list();
	char other[HF_SHOWN_PATH];

	if (!list)
		return;
	list->count = list->at = 0;
	for (size_t i = 0; i < HF_SHOWN_ROOTS; i++) {
		if (!hfi_shown_directory(path, i, other) || !strcmp(other, shown))
			continue;
		list->more[list->count] = open_next(other);
		list->count += list->more[list->count] != NULL;
	}
	atomic_fetch_add(&lists_open, 1);
	atomic_store(&list->dir, dir);
	errno = error;
}

HF_EXPORT DIR *opendir(const char *path)
{
	struct hf_shown shown;
	DIR *dir;

	hfi_shown(&shown, path);
	dir = open_next(shown.path);
	if (dir && hfi_shown_is_listed(path))
		open_more(dir, path, shown.path);
	return dir;
}

HF_EXPORT int closedir(DIR *dir)
{
	int (*next)(DIR *) = HF_NEXT(int (*)(DIR *), closedir);
	struct shown_list *list = find_list(dir);

	if (list) {
		/* Before the memory of `dir` can be that of another directory. */
		atomic_store(&list->dir, NULL);
		for (size_t i = 0; i < list->count; i++)
			close_next(list->more[i]);
		atomic_fetch_sub(&lists_open, 1);
		atomic_store(&list->taken, false);
	}
	return next ? next(dir) : -1;
}

HF_EXPORT void rewinddir(DIR *dir)
{
	void (*next)(DIR *) = HF_NEXT(void (*)(DIR *), rewinddir);
	struct shown_list *list = find_list(dir);

	if (!next)
		return;
	next(dir);
	for (size_t i = 0; list && i < list->count; i++)
		next(list->more[i]);
	if (list)
		list->at = 0;
}

static bool is_in(DIR *dir, const char *name)
{
	return syscall(SYS_faccessat, dirfd(dir), name, F_OK) == 0;
}

/* A name of an earlier directory, and the links to itself and its parent, are told once. */
static bool was_told(const struct shown_list *list, DIR *dir, const char *name)
{
	if (!list->at)
		return false;
	if (name[0] == '.' || is_in(dir, name))
		return true;
	for (size_t i = 0; i + 1 < list->at; i++)
		if (is_in(list->more[i], name))
			return true;
	return false;
}

#define DEFINE_READDIR(name, type)                                                            \
	HF_FIND_NEXT(name)                                                                    \
	HF_EXPORT struct type *name(DIR *dir)                                                 \
	{                                                                                     \
		struct type *(*next)(DIR *) = HF_NEXT(struct type * (*)(DIR *), name);        \
		struct shown_list *list = find_list(dir);                                     \
		const int error = errno;                                                      \
		struct type *entry;                                                           \
                                                                                              \
		if (!next || !list)                                                           \
			return next ? next(dir) : NULL;                                       \
		for (errno = 0;; errno = 0) {                                                 \
			entry = next(list->at ? list->more[list->at - 1] : dir);              \
			if (!entry && (errno || list->at == list->count))                     \
				break;                                                        \
			if (!entry)                                                           \
				list->at++;                                                   \
			else if (!was_told(list, dir, entry->d_name))                         \
				break;                                                        \
		}                                                                             \
		/* The soft root has plain files where the kernel has character devices. */   \
		if (entry && !strncmp(entry->d_name, "uverbs", 6) && entry->d_type == DT_REG) \
			entry->d_type = DT_CHR;                                               \
		if (!errno || entry)                                                          \
			errno = error;                                                        \
		return entry;                                                                 \
	}

DEFINE_READDIR(readdir, dirent)
DEFINE_READDIR(readdir64, dirent64)

static bool has_room_for_name(void **entries, size_t count)
{
	void *larger;

	/* At each power of two. */
	if (count & (count - 1))
		return true;
	larger = reallocarray(*entries, count ? 2 * count : 1, sizeof(void *));
	if (larger)
		*entries = larger;
	return larger != NULL;
}

#define DEFINE_SCANDIR(name, type, read)                                                        \
	static int scan_with_##read(const char *path, struct type ***ret,                       \
				    int (*filter)(const struct type *),                         \
				    int (*compare)(const struct type **, const struct type **)) \
	{                                                                                       \
		DIR *dir = opendir(path);                                                       \
		struct type **entries = NULL, *entry;                                           \
		size_t count = 0;                                                               \
                                                                                                \
		if (!dir)                                                                       \
			return -1;                                                              \
		while ((entry = read(dir))) {                                                   \
			if (filter && !filter(entry))                                           \
				continue;                                                       \
			if (!has_room_for_name((void **)&entries, count))                       \
				goto no_memory;                                                 \
			entries[count] = malloc(entry->d_reclen);                               \
			if (!entries[count])                                                    \
				goto no_memory;                                                 \
			memcpy(entries[count++], entry, entry->d_reclen);                       \
		}                                                                               \
		closedir(dir);                                                                  \
		if (compare && count)                                                           \
			qsort(entries, count, sizeof(struct type *),                            \
			      (int (*)(const void *, const void *))(void (*)(void))compare);    \
		*ret = entries;                                                                 \
		return (int)count;                                                              \
no_memory:                                                                                      \
		while (count)                                                                   \
			free(entries[--count]);                                                 \
		free(entries);                                                                  \
		closedir(dir);                                                                  \
		errno = ENOMEM;                                                                 \
		return -1;                                                                      \
	}                                                                                       \
	HF_FIND_NEXT(name)                                                                      \
	HF_EXPORT int name(const char *path, struct type ***ret,                                \
			   int (*filter)(const struct type *),                                  \
			   int (*compare)(const struct type **, const struct type **))          \
	{                                                                                       \
		int (*next)(const char *, struct type ***, int (*)(const struct type *),        \
			    int (*)(const struct type **, const struct type **)) =              \
			HF_NEXT(int (*)(const char *, struct type ***,                          \
					int (*)(const struct type *),                           \
					int (*)(const struct type **, const struct type **)),   \
				name);                                                          \
		struct hf_shown shown;                                                          \
                                                                                                \
		if (hfi_shown_is_listed(path))                                                  \
			return scan_with_##read(path, ret, filter, compare);                    \
		hfi_shown(&shown, path);                                                        \
		return next ? next(shown.path, ret, filter, compare) : -1;                      \
	}

DEFINE_SCANDIR(scandir, dirent, readdir)
DEFINE_SCANDIR(scandir64, dirent64, readdir64)

static void *open_for_glob(const char *path)
{
	return opendir(path);
}

static void close_for_glob(void *dir)
{
	closedir(dir);
}

/* Its own calls of opendir() do not come here, but it takes functions to call. */
#define DEFINE_GLOB(name, result, type, read, file_stat, link_stat)                            \
	static struct type *read_for_##name(void *dir)                                         \
	{                                                                                      \
		return read(dir);                                                              \
	}                                                                                      \
	HF_FIND_NEXT(name)                                                                     \
	HF_EXPORT int name(const char *restrict pattern, int flags,                            \
			   int (*failed)(const char *, int), result ret)                       \
	{                                                                                      \
		int (*next)(const char *, int, int (*)(const char *, int), result) = HF_NEXT(  \
			int (*)(const char *, int, int (*)(const char *, int), result), name); \
                                                                                               \
		if (!(flags & GLOB_ALTDIRFUNC) && hfi_shown_is_below(pattern)) {               \
			flags |= GLOB_ALTDIRFUNC;                                              \
			ret->gl_opendir = open_for_glob;                                       \
			ret->gl_readdir = read_for_##name;                                     \
			ret->gl_closedir = close_for_glob;                                     \
			ret->gl_stat = file_stat;                                              \
			ret->gl_lstat = link_stat;                                             \
		}                                                                              \
		return next ? next(pattern, flags, failed, ret) : GLOB_ABORTED;                \
	}

DEFINE_GLOB(glob, glob_t *, dirent, readdir, stat, lstat)
DEFINE_GLOB(glob64, glob64_t *, dirent64, readdir64, stat64, lstat64)
