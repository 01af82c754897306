/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Translates paths. It makes the system calls itself: libc's functions would lead back here. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "soft/preload/translate.h"

enum { NAME_MAX_LENGTH = 63 };

static const char nodes[] = "/dev/infiniband/uverbs";
static const char devices[] = "/sys/class/infiniband/";

/* The directories of both. A soft root has them without /sys. */
static const char *const listed[] = {"/sys/class/infiniband", "/dev/infiniband"};

static char *shown_roots[HF_SHOWN_ROOTS + 1];
static pthread_once_t shown_once = PTHREAD_ONCE_INIT;

/* The variable is read once: a program may change its environment while others read it. */
static void read_shown_roots(void)
{
	const char *given = secure_getenv("HOLDFAST_SHOWN_ROOTS");
	char *copy = given ? strdup(given) : NULL;

	for (size_t i = 0; copy && i < HF_SHOWN_ROOTS;) {
		char *root = strsep(&copy, ":");

		if (*root == '/')
			shown_roots[i++] = root;
	}
}

/* strdup() is not for handlers of signals. */
__attribute__((constructor)) static void read_shown_roots_first(void)
{
	pthread_once(&shown_once, read_shown_roots);
}

static bool shown_exists(const char *path)
{
	return syscall(SYS_faccessat, AT_FDCWD, path, F_OK) == 0;
}

/* "N" and nothing more. */
static bool is_shown_number(const char *rest)
{
	size_t length = strspn(rest, "0123456789");

	return length && length < 10 && !rest[length];
}

/* What follows leads to the class directory or below it, and not out of it by "..". */
static bool stays_below(const char *rest)
{
	size_t depth = 0;

	for (size_t length; *rest; rest += length) {
		rest += strspn(rest, "/");
		length = strcspn(rest, "/");
		if (length == 2 && !strncmp(rest, "..", 2)) {
			if (!depth--)
				return false;
		} else if (length && !(length == 1 && *rest == '.')) {
			depth++;
		}
	}
	return true;
}

/* The length of NAME in "NAME" and "NAME/...", or 0. */
static size_t device_name_length(const char *rest)
{
	size_t length = strcspn(rest, "/");

	if (!length || length > NAME_MAX_LENGTH || *rest == '.')
		return 0;
	return stays_below(rest) ? length : 0;
}

static const char *listed_directory(const char *path)
{
	for (size_t i = 0; path && i < sizeof(listed) / sizeof(listed[0]); i++) {
		const char *rest = path + strlen(listed[i]);

		if (strncmp(path, listed[i], strlen(listed[i])) != 0)
			continue;
		while (*rest == '/' && (rest[1] == '/' || !rest[1] ||
					(rest[1] == '.' && (rest[2] == '/' || !rest[2]))))
			rest += rest[1] == '.' ? 2 : 1;
		if (!*rest)
			return listed[i];
	}
	return NULL;
}

bool hfi_shown_is_listed(const char *path)
{
	return listed_directory(path) != NULL;
}

bool hfi_shown_is_below(const char *path)
{
	for (size_t i = 0; path && i < sizeof(listed) / sizeof(listed[0]); i++) {
		const size_t length = strlen(listed[i]);

		if (!strncmp(path, listed[i], length) && (!path[length] || path[length] == '/'))
			return true;
	}
	return false;
}

bool hfi_shown_directory(const char *path, size_t index, char ret[HF_SHOWN_PATH])
{
	const int error = errno;
	const char *directory = listed_directory(path);
	bool found = false;
	int length;

	pthread_once(&shown_once, read_shown_roots);
	if (directory && index < HF_SHOWN_ROOTS && shown_roots[index]) {
		length = snprintf(ret, HF_SHOWN_PATH, "%s%s", shown_roots[index],
				  directory == listed[0] ? directory + sizeof("/sys") - 1
							 : directory);
		found = length > 0 && length < HF_SHOWN_PATH && shown_exists(ret);
	}
	errno = error;
	return found;
}

/* Where the kernel has no such directory. */
static void show_directory(struct hf_shown *shown, const char *path)
{
	for (size_t i = 0; i < HF_SHOWN_ROOTS && shown->path == path; i++)
		if (hfi_shown_directory(path, i, shown->changed))
			shown->path = shown->changed;
}

static void show_in_roots(struct hf_shown *shown, const char *path, size_t device_length)
{
	pthread_once(&shown_once, read_shown_roots);
	for (size_t i = 0; shown_roots[i] && shown->path == path; i++) {
		/* A soft root has the nodes in its directory dev, and the class directory without /sys. */
		int length = snprintf(shown->changed, sizeof(shown->changed), "%s%s",
				      shown_roots[i],
				      shown->is_node ? path : path + sizeof("/sys") - 1);
		size_t end;
		char after;

		if (length < 0 || (size_t)length >= sizeof(shown->changed))
			continue;
		end = shown->is_node ? (size_t)length
				     : (size_t)length - strlen(path) + device_length;
		after = shown->changed[end];
		shown->changed[end] = '\0';
		if (shown_exists(shown->changed))
			shown->path = shown->changed;
		shown->changed[end] = after;
	}
}

void hfi_shown(struct hf_shown *shown, const char *path)
{
	const int error = errno;
	size_t length = 0;

	shown->path = path;
	shown->is_node = false;
	if (!path || path[0] != '/')
		return;
	if (listed_directory(path)) {
		if (!shown_exists(path))
			show_directory(shown, path);
		errno = error;
		return;
	}
	if (!strncmp(path, nodes, sizeof(nodes) - 1))
		shown->is_node = is_shown_number(path + sizeof(nodes) - 1);
	else if (!strncmp(path, devices, sizeof(devices) - 1))
		length = device_name_length(path + sizeof(devices) - 1);
	if (!shown->is_node && !length)
		return;
	show_in_roots(shown, path, sizeof(devices) - 1 + length);
	if (shown->path == path)
		shown->is_node = false;
	errno = error;
}

void *hfi_next_function(void **cache, const char *name)
{
	/* The version of functions that libc keeps for old programs alone, by architecture. */
	static const char *const versions[] = {"GLIBC_2.2.5", "GLIBC_2.17", "GLIBC_2.27"};
	void *next = __atomic_load_n(cache, __ATOMIC_RELAXED);

	if (next)
		return next;
	next = dlsym(RTLD_NEXT, name);
	for (size_t i = 0; !next && i < sizeof(versions) / sizeof(versions[0]); i++)
		next = dlvsym(RTLD_NEXT, name, versions[i]);
	if (next)
		__atomic_store_n(cache, next, __ATOMIC_RELAXED);
	else
		errno = ENOSYS;
	return next;
}

void hfi_find_next(void **cache, const char *name)
{
	const int error = errno;

	(void)hfi_next_function(cache, name);
	/* The first call takes the error, the second one frees its text. */
	while (dlerror())
		;
	errno = error;
}
