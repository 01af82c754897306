/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The stat functions of libc: the node of a soft device is a character device for programs. */

/* The functions are defined here under all their names: none may be renamed. */
#undef _FORTIFY_SOURCE
#undef _FILE_OFFSET_BITS
#undef _TIME_BITS

#include <errno.h>
#include <sys/stat.h>

#include "shared/attr.h"
#include "soft/preload/translate.h"

#define AS_NODE(mode) ((mode) = S_ISREG(mode) ? ((mode) & ~(unsigned int)S_IFMT) | S_IFCHR : (mode))

/* `buffer` is the name of the argument that the function fills, and `mode` that of its member. */
#define DEFINE_STAT(name, member, parameters, ...)                        \
	HF_FIND_NEXT(name)                                                \
	HF_EXPORT int name parameters;                                    \
	HF_EXPORT int name parameters                                     \
	{                                                                 \
		int(*next) parameters = HF_NEXT(int(*) parameters, name); \
		struct hf_shown shown;                                    \
		int ret;                                                  \
                                                                          \
		hfi_shown(&shown, path);                                  \
		ret = next ? next(__VA_ARGS__) : -1;                      \
		if (!ret && shown.is_node)                                \
			AS_NODE(buffer->member);                          \
		return ret;                                               \
	}

DEFINE_STAT(stat, st_mode, (const char *path, struct stat *buffer), shown.path, buffer)
DEFINE_STAT(stat64, st_mode, (const char *path, struct stat64 *buffer), shown.path, buffer)
DEFINE_STAT(lstat, st_mode, (const char *path, struct stat *buffer), shown.path, buffer)
DEFINE_STAT(lstat64, st_mode, (const char *path, struct stat64 *buffer), shown.path, buffer)
DEFINE_STAT(fstatat, st_mode, (int dirfd, const char *path, struct stat *buffer, int flags), dirfd,
	    shown.path, buffer, flags)
DEFINE_STAT(fstatat64, st_mode, (int dirfd, const char *path, struct stat64 *buffer, int flags),
	    dirfd, shown.path, buffer, flags)
DEFINE_STAT(statx, stx_mode,
	    (int dirfd, const char *path, int flags, unsigned int mask, struct statx *buffer),
	    dirfd, shown.path, flags, mask, buffer)

/* What programs call that were built with a libc before 2.33. */
DEFINE_STAT(__xstat, st_mode, (int version, const char *path, struct stat *buffer), version,
	    shown.path, buffer)
DEFINE_STAT(__xstat64, st_mode, (int version, const char *path, struct stat64 *buffer), version,
	    shown.path, buffer)
DEFINE_STAT(__lxstat, st_mode, (int version, const char *path, struct stat *buffer), version,
	    shown.path, buffer)
DEFINE_STAT(__lxstat64, st_mode, (int version, const char *path, struct stat64 *buffer), version,
	    shown.path, buffer)
DEFINE_STAT(__fxstatat, st_mode,
	    (int version, int dirfd, const char *path, struct stat *buffer, int flags), version,
	    dirfd, shown.path, buffer, flags)
DEFINE_STAT(__fxstatat64, st_mode,
	    (int version, int dirfd, const char *path, struct stat64 *buffer, int flags), version,
	    dirfd, shown.path, buffer, flags)
