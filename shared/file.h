/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Small files and descriptors. */
#ifndef HF_SHARED_FILE_H
#define HF_SHARED_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Closes *fd if it is open, keeps errno and sets it to -1. */
void hfi_close(int *fd);

/*
 * read() and write() that no cancelled thread ends in: for where a lock is held. Answers and errno are
 * the same.
 */
ssize_t hfi_read_uncancelled(int fd, void *buffer, size_t size);
ssize_t hfi_write_uncancelled(int fd, const void *buffer, size_t size);

/*
 * Reads at most `size` bytes of a plain file below dirfd and returns how many, and its stat in *st unless that
 * is NULL. `flags` are more flags of open(), such as O_NOFOLLOW. -EBADMSG: not a plain file.
 */
ssize_t hfi_read_bytes(int dirfd, const char *path, int flags, void *value, size_t size,
		       struct stat *st);
/*
 * Makes a string of `length` bytes that were read into `size` bytes, without trailing newlines, and returns
 * its length. A negative length is returned as it is. -ERANGE: no room for the NUL; -EINVAL: a NUL inside.
 */
ssize_t hfi_end_text(char *value, size_t size, ssize_t length);
/* Reads a whole small file as text, as above; what is no plain file is -EINVAL. */
ssize_t hfi_read_file(int dirfd, const char *path, char *value, size_t size, struct stat *st);

/*
 * Writes `length` bytes to a plain file below dirfd in one piece, in place of what it held. It must
 * exist, and be no symbolic link (-ELOOP); what is no plain file is -EINVAL.
 */
int hfi_write_file(int dirfd, const char *path, const char *value, size_t length);

/* True if root or this process's user owns it and no other user can write it. */
bool hfi_is_trusted(const struct stat *st);

/* A directory for openat() and fstatat() below it: without reading, opening takes half the time. */
int hfi_open_dir(int dirfd, const char *path);
/* The same for readdir() as well. */
int hfi_open_dir_to_read(int dirfd, const char *path);

#endif
