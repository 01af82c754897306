/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The functions of libc that open, test and resolve paths, for programs that look at fixed paths of devices. */

/* The functions are defined here under all their names: none may be renamed, or have a body in a header. */
#undef _FORTIFY_SOURCE
#undef _FILE_OFFSET_BITS
#undef _TIME_BITS

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "shared/attr.h"
#include "soft/preload/translate.h"

/* The mode is there only when a file may be made. */
#define HAS_MODE(flags) (((flags)&O_CREAT) || ((flags)&O_TMPFILE) == O_TMPFILE)

static mode_t mode_of(int flags, va_list args)
{
	return HAS_MODE(flags) ? va_arg(args, mode_t) : 0;
}

#define DEFINE_OPEN(name)                                               \
	HF_FIND_NEXT(name)                                              \
	HF_EXPORT int name(const char *path, int flags, ...)            \
	{                                                               \
		int (*next)(const char *, int, ...) =                   \
			HF_NEXT(int (*)(const char *, int, ...), name); \
		struct hf_shown shown;                                  \
		va_list args;                                           \
		mode_t mode;                                            \
                                                                        \
		va_start(args, flags);                                  \
		mode = mode_of(flags, args);                            \
		va_end(args);                                           \
		hfi_shown(&shown, path);                                \
		return next ? next(shown.path, flags, mode) : -1;       \
	}

DEFINE_OPEN(open)
DEFINE_OPEN(open64)

#define DEFINE_OPENAT(name)                                                  \
	HF_FIND_NEXT(name)                                                   \
	HF_EXPORT int name(int dirfd, const char *path, int flags, ...)      \
	{                                                                    \
		int (*next)(int, const char *, int, ...) =                   \
			HF_NEXT(int (*)(int, const char *, int, ...), name); \
		struct hf_shown shown;                                       \
		va_list args;                                                \
		mode_t mode;                                                 \
                                                                             \
		va_start(args, flags);                                       \
		mode = mode_of(flags, args);                                 \
		va_end(args);                                                \
		hfi_shown(&shown, path);                                     \
		return next ? next(dirfd, shown.path, flags, mode) : -1;     \
	}

DEFINE_OPENAT(openat)
DEFINE_OPENAT(openat64)

/* A function whose arguments are known: `fail` is what it returns where libc does not have it. */
#define DEFINE(type, name, fail, parameters, ...)                           \
	HF_FIND_NEXT(name)                                                  \
	HF_EXPORT type name parameters;                                     \
	HF_EXPORT type name parameters                                      \
	{                                                                   \
		type(*next) parameters = HF_NEXT(type(*) parameters, name); \
		struct hf_shown shown;                                      \
                                                                            \
		hfi_shown(&shown, path);                                    \
		return next ? next(__VA_ARGS__) : (fail);                   \
	}

/* What programs call that were built with checks of the compiler's. */
DEFINE(int, __open_2, -1, (const char *path, int flags), shown.path, flags)
DEFINE(int, __open64_2, -1, (const char *path, int flags), shown.path, flags)
DEFINE(int, __openat_2, -1, (int dirfd, const char *path, int flags), dirfd, shown.path, flags)
DEFINE(int, __openat64_2, -1, (int dirfd, const char *path, int flags), dirfd, shown.path, flags)

DEFINE(FILE *, fopen, NULL, (const char *path, const char *mode), shown.path, mode)
DEFINE(FILE *, fopen64, NULL, (const char *path, const char *mode), shown.path, mode)
DEFINE(int, chdir, -1, (const char *path), shown.path)

DEFINE(int, access, -1, (const char *path, int mode), shown.path, mode)
DEFINE(int, eaccess, -1, (const char *path, int mode), shown.path, mode)
DEFINE(int, euidaccess, -1, (const char *path, int mode), shown.path, mode)
DEFINE(int, faccessat, -1, (int dirfd, const char *path, int mode, int flags), dirfd, shown.path,
       mode, flags)

DEFINE(char *, realpath, NULL, (const char *path, char *resolved), shown.path, resolved)
DEFINE(char *, __realpath_chk, NULL, (const char *path, char *resolved, size_t size), shown.path,
       resolved, size)
DEFINE(char *, canonicalize_file_name, NULL, (const char *path), shown.path)

DEFINE(ssize_t, readlink, -1, (const char *path, char *target, size_t size), shown.path, target,
       size)
DEFINE(ssize_t, __readlink_chk, -1, (const char *path, char *target, size_t size, size_t room),
       shown.path, target, size, room)
DEFINE(ssize_t, readlinkat, -1, (int dirfd, const char *path, char *target, size_t size), dirfd,
       shown.path, target, size)
DEFINE(ssize_t, __readlinkat_chk, -1,
       (int dirfd, const char *path, char *target, size_t size, size_t room), dirfd, shown.path,
       target, size, room)

/* What ls asks of each name. */
DEFINE(ssize_t, getxattr, -1, (const char *path, const char *name, void *value, size_t size),
       shown.path, name, value, size)
DEFINE(ssize_t, lgetxattr, -1, (const char *path, const char *name, void *value, size_t size),
       shown.path, name, value, size)
DEFINE(ssize_t, listxattr, -1, (const char *path, char *list, size_t size), shown.path, list, size)
DEFINE(ssize_t, llistxattr, -1, (const char *path, char *list, size_t size), shown.path, list, size)
