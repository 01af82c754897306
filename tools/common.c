/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by all subcommands: error messages, memory, the context, finding devices, small files. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/userns.h"
#include "tools/common.h"
#include "tools/names.h"
#include "tools/output.h"
#include "tools/roots.h"

void hfi_complain(const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	fflush(stdout);
	fputs("holdfast: ", stderr);
	hfi_put_safe(stderr, text ? text : "out of memory");
	fputc('\n', stderr);
	free(text);
}

void *hfi_tool_alloc(void *old, size_t count, size_t size)
{
	void *memory = reallocarray(old, count ? count : 1, size);

	if (!memory) {
		hfi_complain("out of memory");
		exit(HF_EXIT_FAILED);
	}
	return memory;
}

char *hfi_tool_print(const char *format, ...)
{
	char *text;
	va_list args;
	int length;

	va_start(args, format);
	length = vasprintf(&text, format, args);
	va_end(args);
	if (length < 0) {
		hfi_complain("out of memory");
		exit(HF_EXIT_FAILED);
	}
	return text;
}

static void log_message(void *arg, enum hf_log_level level, const char *message)
{
	static const char *const names[] = {"", "error", "warning", "info", "debug"};

	(void)arg;
	hfi_complain("%s: %s", (unsigned int)level < 5 ? names[level] : "log", message);
}

/* The option or variable that sets the roots, for the message when the library rejects them. */
static const char *roots_from(const struct hf_tool *tool)
{
	const char *list = getenv("HOLDFAST_ROOTS"), *sysfs = getenv("SYSFS_PATH");

	if (tool->num_roots)
		return "--root";
	if (list && *list)
		return "HOLDFAST_ROOTS";
	return sysfs && *sysfs ? "SYSFS_PATH" : NULL;
}

struct hf *hfi_tool_context(const struct hf_tool *tool, uint32_t flags, uint32_t node_wait_ms)
{
	struct hf_options options = {
		.size = sizeof(options),
		.roots = tool->num_roots ? tool->roots : NULL,
		.num_roots = tool->num_roots,
		.provider_dirs = tool->num_provider_dirs ? tool->provider_dirs : NULL,
		.flags = flags,
		.node_wait_ms = node_wait_ms,
	};
	struct hf *hf;
	int err;

	if (tool->verbose) {
		options.log = log_message;
		options.log_level = tool->verbose > 1 ? HF_LOG_DEBUG : HF_LOG_INFO;
	}
	err = hf_new(&options, &hf);
	if (!err)
		return hf;
	if (err == -EINVAL && roots_from(tool))
		hfi_complain("cannot start: %s: expected absolute paths of up to 255 characters, "
			     "see holdfast(7)",
			     roots_from(tool));
	else
		hfi_complain("cannot start: %s", strerror(-err));
	return NULL;
}

static int compare_names(const void *a, const void *b)
{
	struct ibv_device *const *left = a, *const *right = b;
	char left_name[64] = "", right_name[64] = "";
	uint64_t left_generation = hf_device_generation(*left);
	uint64_t right_generation = hf_device_generation(*right);
	int order;

	hf_device_name(*left, left_name, sizeof(left_name));
	hf_device_name(*right, right_name, sizeof(right_name));
	order = strverscmp(left_name, right_name);
	if (order)
		return order;
	return left_generation < right_generation ? -1 : left_generation > right_generation;
}

int hfi_tool_devices(struct hf *hf, struct ibv_device ***ret)
{
	int count = hf_device_list(hf, HF_LIST_ALL, ret);

	if (count < 0) {
		hfi_complain("cannot list the devices: %s; \"holdfast doctor\" may know why",
			     strerror(-count));
		return count;
	}
	qsort(*ret, (size_t)count, sizeof(**ret), compare_names);
	return count;
}

/* Finds a device without a name by its uverbs name: "uverbs0" or "(uverbs0)". */
static int find_nameless(struct hf *hf, const char *label, struct ibv_device **ret)
{
	struct hf_device_info info = {.size = sizeof(info)};
	struct ibv_device **list;
	size_t length = strlen(label);
	int count, err = -ENODEV;

	if (length > 2 && label[0] == '(' && label[length - 1] == ')') {
		label++;
		length -= 2;
	}
	count = hf_device_list(hf, HF_LIST_ALL, &list);
	if (count < 0)
		return count;
	for (int i = 0; i < count && err; i++) {
		if (hf_device_get_info(list[i], &info) < 0 || *info.name ||
		    strlen(info.uverbs) != length || strncmp(info.uverbs, label, length) != 0)
			continue;
		*ret = hf_device_ref(list[i]);
		err = 0;
	}
	hf_device_list_free(list);
	return err;
}

int hfi_tool_by_name(struct hf *hf, const char *name, struct ibv_device **ret)
{
	int err = hf_device_by_name(hf, name, ret);

	return err == -ENODEV ? find_nameless(hf, name, ret) : err;
}

int hfi_tool_find(const struct hf_tool *tool, struct hf *hf, const char *name,
		  struct ibv_device **ret)
{
	int err = hfi_tool_by_name(hf, name, ret);
	char text[HF_REASON_TEXT];
	char *hidden;

	if (!err)
		return HF_EXIT_OK;
	if (err == -ENODEV && *name && hfi_tool_has_unreadable_name(hf, text)) {
		hfi_complain("%s: no device is known to have that name, but %s", name, text);
		return HF_EXIT_FAILED;
	}
	if (err != -ENODEV) {
		hfi_complain("%s: cannot look for the device: %s; \"holdfast doctor\" may know why",
			     name, strerror(-err));
		return HF_EXIT_FAILED;
	}
	hidden = hfi_roots_find_hidden(tool, name);
	if (hidden)
		hfi_complain(
			"%s: the device has no uverbs entry, so no program can use it; \"holdfast "
			"doctor %s\" says more",
			name, name);
	else
		hfi_complain("%s: no such device; \"holdfast list\" shows those that exist", name);
	free(hidden);
	return HF_EXIT_NO_DEVICE;
}

int hfi_tool_info(struct ibv_device *device, struct hf_device_info *ret)
{
	struct hf_device_info info = {.size = sizeof(info)};
	struct hf_port_info port = {.size = sizeof(port)};
	int err = hf_device_get_info(device, &info);

	if (err < 0)
		return err;
	/*
	 * If the directory of the ports cannot be listed, try the ports. A port number has eight
	 * bits (IBA, volume 1, PortInfo), and 255 means all ports. A port that cannot be read is
	 * counted, so that its error is shown, and ends the search.
	 */
	err = info.num_ports || info.state == HF_DEVICE_GONE ||
			      info.reason.code == HF_REASON_HALF_MADE
		      ? -ENOENT
		      : 0;
	while (!err && info.num_ports < 254) {
		err = hf_device_get_port(device, info.num_ports + 1, &port);
		info.num_ports += err != -ENOENT && err != -ENODEV && err != -EOPNOTSUPP;
	}
	*ret = info;
	return 0;
}

bool hfi_exists(const char *dir, const char *path)
{
	char *full = hfi_tool_print("%s/%s", dir, path);
	bool exists = !access(full, F_OK);

	free(full);
	return exists;
}

bool hfi_absent(const char *dir, const char *path)
{
	char *full = hfi_tool_print("%s/%s", dir, path);
	bool absent = access(full, F_OK) && (errno == ENOENT || errno == ENOTDIR);

	free(full);
	return absent;
}

int hfi_tool_try_read(const char *dir, const char *path, char *value, size_t size)
{
	char *full = hfi_tool_print("%s/%s", dir, path);
	int fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err = fd < 0 ? -errno : 0;
	ssize_t length;

	free(full);
	if (err)
		return err;
	length = read(fd, value, size - 1);
	if (length < 0)
		err = -errno;
	close(fd);
	if (err)
		return err;
	value[length] = '\0';
	value[strcspn(value, "\n")] = '\0';
	return 0;
}

bool hfi_tool_read(const char *dir, const char *path, char *value, size_t size)
{
	return !hfi_tool_try_read(dir, path, value, size);
}

bool hfi_tool_in_userns(void)
{
	return !hfi_uevents_are_heard();
}

bool hfi_tool_capable(unsigned int capability)
{
	char line[128];
	unsigned long long effective = 0;
	FILE *file = fopen("/proc/self/status", "re");

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "CapEff: %llx", &effective) == 1)
			break;
	if (file)
		fclose(file);
	return (effective >> capability & 1) && !hfi_tool_in_userns();
}
