/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads the names of the drivers that libibverbs would load. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/reason.h"
#include "shared/error.h"
#include "shared/file.h"
#include "shared/text.h"
#include "core/foreign/drivers.h"
#include "core/provider/safety.h"

static void report_driver_problem(const struct hf_drivers *drivers, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void report_driver_problem(const struct hf_drivers *drivers, const char *format, ...)
{
	char message[640];
	va_list args;

	if (!drivers->say)
		return;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	drivers->say(drivers->arg, message);
}

static int make_driver_room(struct hf_drivers *drivers)
{
	size_t size = drivers->size ? drivers->size * 2 : 32;
	struct hf_driver *grown;

	if (drivers->count < drivers->size)
		return 0;
	grown = reallocarray(drivers->v, size, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	drivers->v = grown;
	drivers->size = size;
	return 0;
}

static int insert_driver(struct hf_drivers *drivers, size_t at, const char *from, const char *name,
			 size_t length)
{
	struct hf_driver *v;

	if (length >= sizeof(v->name) || strlen(from) >= sizeof(v->from)) {
		report_driver_problem(drivers, "Warning: couldn't allocate driver name '%.*s'.",
				      255, name);
		return 0;
	}
	if (drivers->count == HF_DRIVERS_MAX)
		return -E2BIG;
	if (make_driver_room(drivers))
		return -ENOMEM;
	v = drivers->v;
	memmove(&v[at + 1], &v[at], (drivers->count - at) * sizeof(*v));
	memset(&v[at], 0, sizeof(*v));
	memcpy(v[at].name, name, length);
	strcpy(v[at].from, from);
	v[at].file = drivers->file;
	drivers->count++;
	return 0;
}

/* Add it to the list as well, so that a list of providers shows it with its reason. */
static int add_refused(struct hf_drivers *drivers, const char *path, const struct hf_reason *reason)
{
	size_t at = drivers->count;
	int err;

	if (drivers->num_refused == HF_DRIVERS_REFUSED_MAX)
		return 0;
	err = insert_driver(drivers, at, path, "", 0);
	if (err || drivers->count == at)
		return err;
	drivers->v[at].refused = *reason;
	drivers->num_refused++;
	return 0;
}

/* A file or directory that is ignored. */
static int refuse_config(struct hf_drivers *drivers, const char *kind, const char *path,
			 const struct hf_reason *reason)
{
	report_driver_problem(drivers, "Warning: couldn't read config %s %s: %s.", kind, path,
			      reason->text);
	return add_refused(drivers, path, reason);
}

HF_NOINLINE
static int refuse_directive(struct hf_drivers *drivers, const char *path, const char *word)
{
	struct hf_reason reason;

	report_driver_problem(drivers,
			      "Warning: ignoring bad config directive '%.255s' in file '%s'.", word,
			      path);
	/* One for each file. */
	for (size_t i = 0; i < drivers->count; i++)
		if (drivers->v[i].refused.code && !strcmp(drivers->v[i].from, path))
			return 0;
	hfi_reason_set(&reason, HF_REASON_BAD_MANIFEST, "driver NAME", word,
		       "%s: the bad config directive '%.40s' is ignored", path, word);
	return add_refused(drivers, path, &reason);
}

static int parse_driver_line(struct hf_drivers *drivers, const char *path, char *line, bool ended)
{
	const char *name;
	char *word;

	line += strspn(line, "\t ");
	if (*line == '#' || (!*line && ended))
		return 0;
	word = strsep(&line, "\t ");
	/* A newline ends a word like a blank: "driver" alone is a driver with an empty name. */
	if (strcmp(word, "driver") != 0 || (!line && !ended))
		return *word ? refuse_directive(drivers, path, word) : 0;
	name = line ? line + strspn(line, "\t ") : "";
	return insert_driver(drivers, 0, path, name, strcspn(name, "\t "));
}

int hfi_drivers_parse(struct hf_drivers *drivers, const char *path, const char *text, size_t size)
{
	char *copy, *next;
	int err = 0;

	copy = strndup(text, size);
	if (!copy)
		return -ENOMEM;
	next = copy;
	while (next && !err) {
		char *line = strsep(&next, "\n");

		err = parse_driver_line(drivers, path, line, next != NULL);
	}
	free(copy);
	return err;
}

int hfi_drivers_add_list(struct hf_drivers *drivers, const char *variable, const char *list)
{
	size_t at = 0;
	int err;

	for (;;) {
		size_t length = strcspn(list, ":;"), before = drivers->count;

		err = insert_driver(drivers, at, variable, list, length);
		if (err || !list[length])
			return err;
		at += drivers->count - before;
		list += length + 1;
	}
}

static int check_config_text(const char *path, ssize_t length, struct hf_reason *reason)
{
	const char *found = "no text";

	if (length >= 0)
		return 0;
	if (length == -ERANGE)
		found = "too long";
	else if (length != -EINVAL)
		found = strerrordesc_np((int)-length);
	hfi_reason_set(reason, HF_REASON_BAD_MANIFEST, "a text file of up to 65535 bytes", found,
		       "%s: %s", path, found);
	return -EACCES;
}

static int read_driver_file(struct hf_drivers *drivers, int fd, const char *dir,
			    const struct dirent *entry, char *text)
{
	const char *name = entry->d_name;
	struct hf_reason reason;
	char path[HF_PATH_MAX];
	struct stat st;
	ssize_t length;
	int err;

	if (hfi_print(path, sizeof(path), "%s/%s", dir, name)) {
		report_driver_problem(drivers, "Warning: couldn't read config file %.200s/%.255s.",
				      dir, name);
		return 0;
	}
	if (entry->d_type == DT_DIR)
		return 0;
	if (entry->d_type != DT_REG) {
		if (fstatat(fd, name, &st, 0) < 0) {
			(void)hfi_safety_refuse_missing(path, errno, &reason);
			report_driver_problem(drivers, "Warning: couldn't stat config file '%s'.",
					      path);
			return add_refused(drivers, path, &reason);
		}
		if (!S_ISREG(st.st_mode))
			return 0;
	}
	length = hfi_read_file(fd, name, text, HF_DRIVER_FILE_MAX, &st);
	if (hfi_error_is_shortage((int)length))
		return (int)length;
	err = check_config_text(path, length, &reason);
	if (!err)
		err = hfi_safety_check(path, &st, &reason);
	/* The directory itself was checked before. */
	if (!err && entry->d_type != DT_REG)
		err = hfi_safety_check_way(path, NULL, &reason);
	if (err)
		return refuse_config(drivers, "file", path, &reason);
	/* hfi_read_file() removes the last newline, so the end of the text also ends a line. */
	text[length] = '\n';
	drivers->file = st;
	err = hfi_drivers_parse(drivers, path, text, (size_t)length + 1);
	memset(&drivers->file, 0, sizeof(drivers->file));
	return err;
}

HF_NOINLINE
static int refuse_missing_dir(struct hf_drivers *drivers, const char *dir, int error)
{
	struct hf_reason reason;

	report_driver_problem(drivers, "Warning: couldn't open config directory '%s'.", dir);
	/* A directory that does not exist names no driver. */
	if (error == ENOENT)
		return 0;
	(void)hfi_safety_refuse_missing(dir, error, &reason);
	return add_refused(drivers, dir, &reason);
}

int hfi_drivers_read(struct hf_drivers *drivers, const char *dir)
{
	struct hf_reason reason;
	struct dirent *entry;
	char *text = NULL;
	DIR *stream;
	int err = 0;
	int fd = hfi_open_dir_to_read(AT_FDCWD, dir);

	if (hfi_error_is_shortage(fd))
		return fd;
	stream = fd < 0 ? NULL : fdopendir(fd);
	if (!stream) {
		err = refuse_missing_dir(drivers, dir, fd < 0 ? -fd : errno);
		hfi_close(&fd);
		return err;
	}
	if (hfi_safety_check_dir(dir, &reason)) {
		err = refuse_config(drivers, "directory", dir, &reason);
		goto close_stream;
	}
	text = malloc(HF_DRIVER_FILE_MAX + 1);
	if (!text)
		err = -ENOMEM;
	while (!err && (entry = readdir(stream)))
		err = read_driver_file(drivers, fd, dir, entry, text);
	free(text);
close_stream:
	closedir(stream);
	if (err == -E2BIG) {
		report_driver_problem(drivers, "Warning: more than %d drivers in '%s'.",
				      HF_DRIVERS_MAX, dir);
		err = 0;
	}
	return err;
}

void hfi_drivers_clear(struct hf_drivers *drivers)
{
	free(drivers->v);
	drivers->v = NULL;
	drivers->count = drivers->size = 0;
}
