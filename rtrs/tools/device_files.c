/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The files that every device of a class has in sysfs. A write to uevent sends no event; one to power/ switches nothing off. */
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "rtrs/tools/device_files.h"
#include "rtrs/tools/tool.h"
#include "shared/text.h"

enum { READ_ONLY = S_IFREG | 0444, WRITABLE = S_IFREG | 0644, UUID_LENGTH = 36 };

/* Without an entry: a device that nothing was written to. */
typedef int (*show_fn)(const struct device_power *power, const char **text);
typedef int (*store_fn)(struct device_power *power, const char *value);

/* --- power --------------------------------------------------------------------------------------- */

static int show_async(const struct device_power *power, const char **text)
{
	*text = power->is_async ? "enabled" : "disabled";
	return 0;
}

static int store_async(struct device_power *power, const char *value)
{
	power->is_async = !strcmp(value, "enabled");
	return power->is_async || !strcmp(value, "disabled") ? 0 : -EINVAL;
}

static int show_control(const struct device_power *power, const char **text)
{
	*text = power->is_on ? "on" : "auto";
	return 0;
}

static int store_control(struct device_power *power, const char *value)
{
	power->is_on = !strcmp(value, "on");
	return power->is_on || !strcmp(value, "auto") ? 0 : -EINVAL;
}

/* The kernel's sessions are never suspended. */
static int show_no_delay(const struct device_power *power, const char **text)
{
	(void)power;
	(void)text;
	return -EIO;
}

static int store_no_delay(struct device_power *power, const char *value)
{
	(void)power;
	(void)value;
	return -EIO;
}

static int show_enabled(const struct device_power *power, const char **text)
{
	*text = power->is_on ? "disabled & forbidden" : "disabled";
	return 0;
}

static int show_usage(const struct device_power *power, const char **text)
{
	*text = power->is_on ? "1" : "0";
	return 0;
}

static int show_status(const struct device_power *power, const char **text)
{
	(void)power;
	*text = "unsupported";
	return 0;
}

static int show_zero(const struct device_power *power, const char **text)
{
	(void)power;
	*text = "0";
	return 0;
}

static const struct power_file {
	const char *name;
	show_fn show;
	store_fn store; /* NULL: it can only be read */
} power_files[] = {
	{"power/async", show_async, store_async},
	{"power/autosuspend_delay_ms", show_no_delay, store_no_delay},
	{"power/control", show_control, store_control},
	{"power/runtime_active_kids", show_zero, NULL},
	{"power/runtime_active_time", show_zero, NULL},
	{"power/runtime_enabled", show_enabled, NULL},
	{"power/runtime_status", show_status, NULL},
	{"power/runtime_suspended_time", show_zero, NULL},
	{"power/runtime_usage", show_usage, NULL},
};

static const char uevent_name[] = "uevent";

void rtrsi_device_files_each(void (*each)(void *arg, const char *name, mode_t mode), void *arg)
{
	each(arg, "power", S_IFDIR | 0755);
	for (size_t i = 0; i < HF_ARRAY_SIZE(power_files); i++)
		each(arg, power_files[i].name, power_files[i].store ? WRITABLE : READ_ONLY);
	each(arg, uevent_name, WRITABLE);
}

/* --- which file ---------------------------------------------------------------------------------- */

/* Where `name` begins at the end of the path, behind a slash; NULL: it is another. */
static const char *name_at_end(const char *path, const char *name)
{
	const size_t length = strlen(path), of_name = strlen(name);

	if (length <= of_name + 1 || path[length - of_name - 1] != '/' ||
	    strcmp(path + length - of_name, name) != 0)
		return NULL;
	return path + length - of_name;
}

/* NULL: uevent. */
static const struct power_file *power_file_at(const char *path, size_t *directory_length)
{
	const char *name;

	for (size_t i = 0; i < HF_ARRAY_SIZE(power_files); i++) {
		name = name_at_end(path, power_files[i].name);
		if (!name)
			continue;
		*directory_length = (size_t)(name - path) - 1;
		return &power_files[i];
	}
	return NULL;
}

static struct device_power **find_power(struct device_power **list, const char *directory,
					size_t length)
{
	while (*list &&
	       (strncmp((*list)->directory, directory, length) != 0 || (*list)->directory[length]))
		list = &(*list)->next;
	return list;
}

int rtrsi_device_file_read(const struct device_power *list, const char *path, char *to, size_t size)
{
	static const struct device_power as_it_was;
	const struct device_power *power;
	const struct power_file *file;
	size_t directory_length;
	const char *text;
	int err;

	file = power_file_at(path, &directory_length);
	if (!file)
		return 0;
	power = *find_power((struct device_power **)&list, path, directory_length);
	err = file->show(power ? power : &as_it_was, &text);
	if (!err)
		err = hfi_join(to, size, text, "\n", "");
	return err ? err : (int)strlen(to);
}

/* --- events -------------------------------------------------------------------------------------- */

static bool is_event_action(const char *value, size_t length)
{
	static const char *const actions[] = {"add",	"remove",  "change", "move",
					      "online", "offline", "bind",   "unbind"};

	for (size_t i = 0; i < HF_ARRAY_SIZE(actions); i++) {
		if (strlen(actions[i]) == length && !strncmp(actions[i], value, length))
			return true;
	}
	return false;
}

static bool is_uuid(const char *text)
{
	for (int i = 0; i < UUID_LENGTH; i++) {
		bool is_hyphen = i == 8 || i == 13 || i == 18 || i == 23;

		if (is_hyphen ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
			return false;
	}
	return true;
}

/* NAME=VALUE, of letters and digits. */
static bool is_event_variable(const char *text, size_t length)
{
	const char *equals = memchr(text, '=', length);

	if (!equals || equals == text || equals + 1 == text + length)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (text + i != equals && !isalnum((unsigned char)text[i]))
			return false;
	}
	return true;
}

/* ACTION [UUID [NAME=VALUE]...]: what the kernel would refuse is refused. */
static int store_uevent(const char *value)
{
	const size_t action = strcspn(value, " ");

	if (!is_event_action(value, action))
		return -EINVAL;
	value += action;
	if (!*value)
		return 0;
	value++;
	if (!is_uuid(value))
		return -EINVAL;
	for (value += UUID_LENGTH; *value;) {
		size_t length;

		if (*value != ' ')
			return -EINVAL;
		value += strspn(value, " ");
		length = strcspn(value, " ");
		if (length && !is_event_variable(value, length))
			return -EINVAL;
		value += length;
	}
	return 0;
}

/* --- writing ------------------------------------------------------------------------------------- */

static int store_power(struct device_power **list, const struct power_file *file, const char *path,
		       size_t directory_length, const char *value)
{
	struct device_power **at = find_power(list, path, directory_length), changed = {0};
	int err;

	if (*at)
		changed = **at;
	err = file->store(&changed, value);
	if (err)
		return err;
	if (!*at) {
		*at = rtrsi_grow(NULL, 1, sizeof(**at));
		changed.directory = rtrsi_copy_text(path, directory_length);
	}
	**at = changed;
	return 0;
}

int rtrsi_device_file_write(struct device_power **list, const char *path, const char *value,
			    size_t length)
{
	const struct power_file *file;
	size_t directory_length;
	char *copy;
	int err;

	if (length && value[length - 1] == '\n')
		length--;
	if (memchr(value, '\0', length))
		return -EINVAL;
	copy = rtrsi_copy_text(value, length);
	file = power_file_at(path, &directory_length);
	if (!file)
		err = store_uevent(copy);
	else if (!file->store)
		err = -EACCES;
	else
		err = store_power(list, file, path, directory_length, copy);
	free(copy);
	return err;
}

static void drop_power(struct device_power **at)
{
	struct device_power *power = *at;

	*at = power->next;
	free(power->directory);
	free(power);
}

void rtrsi_device_power_keep(struct device_power **list,
			     bool (*is_there)(const void *arg, const char *directory),
			     const void *arg)
{
	while (*list) {
		if (is_there(arg, (*list)->directory))
			list = &(*list)->next;
		else
			drop_power(list);
	}
}

void rtrsi_device_power_free(struct device_power *list)
{
	while (list)
		drop_power(&list);
}
