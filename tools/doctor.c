/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* holdfast doctor: runs the checks and prints the findings. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "tools/doctor.h"
#include "shared/json.h"
#include "tools/names.h"
#include "tools/output.h"
#include "tools/roots.h"

static const char *const severity_names[] = {
	[HF_NOTE] = "note",
	[HF_WARNING] = "warning",
	[HF_PROBLEM] = "problem",
};

/* Short: a missing node is itself a finding. */
enum { NODE_WAIT_MS = 200 };

enum { SEVERITY_WIDTH = 7 };

void hfi_found(struct hf_findings *findings, enum hf_severity severity, const char *code,
	       const char *device, char *problem, char *remedy)
{
	struct hf_finding *finding;

	findings->v = hfi_tool_alloc(findings->v, findings->count + 1, sizeof(*findings->v));
	finding = &findings->v[findings->count++];
	finding->severity = severity;
	finding->code = code;
	finding->device = device ? hfi_tool_print("%s", device) : NULL;
	finding->problem = problem;
	finding->remedy = remedy;
}

void hfi_found_in(struct hf_findings *findings, enum hf_severity severity, const char *code,
		  const struct hf_device_info *info, char *problem, char *remedy)
{
	char label[HF_LABEL_TEXT];

	hfi_device_label(info, label);
	hfi_found(findings, severity, code, label, problem, remedy);
}

/* For bytes that hfi_put_safe() would replace: $'...' with octal numbers. */
static char *quote_bytes(const char *word)
{
	char *quoted, *to;

	quoted = to = hfi_tool_alloc(NULL, strlen(word) * 4 + 4, 1);
	to = stpcpy(to, "$'");
	for (; *word; word++) {
		unsigned char byte = (unsigned char)*word;

		if (byte < ' ' || byte > '~' || byte == '\'' || byte == '\\')
			to += sprintf(to, "\\%03o", byte);
		else
			*to++ = *word;
	}
	strcpy(to, "'");
	return quoted;
}

char *hfi_quote(const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "_-./:@%+,";
	char *quoted, *to;

	if (*word && *word != '-' && strspn(word, plain) == strlen(word))
		return hfi_tool_print("%s", word);
	if (!hfi_is_printed_whole(word))
		return quote_bytes(word);
	/* Each quote inside the quotes becomes '\'' */
	quoted = to = hfi_tool_alloc(NULL, strlen(word) * 4 + 3, 1);
	*to++ = '\'';
	for (; *word; word++) {
		if (*word == '\'')
			to = stpcpy(to, "'\\''");
		else
			*to++ = *word;
	}
	*to++ = '\'';
	*to = '\0';
	return quoted;
}

bool hfi_in_container(void)
{
	const char *container = getenv("container");

	return (container && *container) || hfi_exists("/run", ".containerenv") ||
	       hfi_exists("", ".dockerenv") || hfi_exists("/run", "systemd/container");
}

bool hfi_is_kernel_root(const char *sysfs)
{
	struct statfs fs;

	return !strcmp(sysfs, "/sys") || (!statfs(sysfs, &fs) && fs.f_type == SYSFS_MAGIC);
}

static void free_findings(struct hf_findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		free(findings->v[i].device);
		free(findings->v[i].problem);
		free(findings->v[i].remedy);
	}
	free(findings->v);
}

static void print_findings_json(const struct hf_findings *findings, const size_t counts[3])
{
	struct hf_json json;

	hfi_json_begin(&json, stdout, false);
	hfi_json_object(&json, NULL);
	hfi_json_array(&json, "findings");
	for (size_t i = 0; i < findings->count; i++) {
		const struct hf_finding *finding = &findings->v[i];

		hfi_json_object(&json, NULL);
		hfi_json_string(&json, "severity", severity_names[finding->severity]);
		hfi_json_string(&json, "code", finding->code);
		hfi_json_optional(&json, "device", finding->device ? finding->device : "");
		hfi_json_string(&json, "problem", finding->problem);
		hfi_json_string(&json, "remedy", finding->remedy);
		hfi_json_close(&json);
	}
	hfi_json_close(&json);
	hfi_json_uint(&json, "problems", counts[HF_PROBLEM]);
	hfi_json_uint(&json, "warnings", counts[HF_WARNING]);
	hfi_json_uint(&json, "notes", counts[HF_NOTE]);
	hfi_json_close(&json);
}

static void show_finding(const struct hf_tool *tool, const struct hf_finding *finding)
{
	static const char *const colors[] = {
		[HF_NOTE] = "bold", [HF_WARNING] = "yellow", [HF_PROBLEM] = "red"};
	char *text;

	printf("%s%-*s%s  ", hfi_color(tool, colors[finding->severity]), SEVERITY_WIDTH,
	       severity_names[finding->severity], hfi_color(tool, "reset"));
	text = hfi_tool_print("%s%s%s", finding->device ? finding->device : "",
			      finding->device ? ": " : "", finding->problem);
	hfi_put_wrapped(SEVERITY_WIDTH + 2, SEVERITY_WIDTH + 2, text);
	free(text);
	printf("%*s  ", SEVERITY_WIDTH, "do:");
	hfi_put_wrapped(SEVERITY_WIDTH + 2, SEVERITY_WIDTH + 2, finding->remedy);
}

static void print_findings(const struct hf_tool *tool, const struct hf_findings *findings,
			   const size_t counts[3], size_t devices)
{
	for (int severity = HF_PROBLEM; severity >= HF_NOTE; severity--)
		for (size_t i = 0; i < findings->count; i++)
			if ((int)findings->v[i].severity == severity)
				show_finding(tool, &findings->v[i]);
	if (findings->count)
		putchar('\n');
	printf("%zu device%s checked: %zu problem%s, %zu warning%s, %zu note%s.\n", devices,
	       devices == 1 ? "" : "s", counts[HF_PROBLEM], counts[HF_PROBLEM] == 1 ? "" : "s",
	       counts[HF_WARNING], counts[HF_WARNING] == 1 ? "" : "s", counts[HF_NOTE],
	       counts[HF_NOTE] == 1 ? "" : "s");
}

static int report_findings(const struct hf_tool *tool, const struct hf_findings *findings,
			   size_t devices)
{
	size_t counts[3] = {0};

	for (size_t i = 0; i < findings->count; i++)
		counts[findings->v[i].severity]++;
	if (tool->json)
		print_findings_json(findings, counts);
	else
		print_findings(tool, findings, counts, devices);
	return counts[HF_PROBLEM] || counts[HF_WARNING] ? HF_EXIT_FAILED : HF_EXIT_OK;
}

/* Reports a device that the kernel has but that has no uverbs entry. */
static void found_hidden(struct hf_findings *findings, const char *sysfs, const char *name)
{
	char *quoted = hfi_quote(name);

	if (hfi_exists(sysfs, "class/infiniband_verbs"))
		hfi_found(findings, HF_PROBLEM, "no-uverbs", name,
			  hfi_tool_print("The device has no uverbs entry: its unplug waits for a "
					 "program to close it, or its driver does not serve "
					 "programs."),
			  hfi_tool_print("See which process holds it: holdfast holders %s; if none "
					 "does, see dmesg.",
					 quoted));
	else
		hfi_found(findings, HF_PROBLEM, "no-uverbs", name,
			  hfi_tool_print("The kernel has the device, but no program can use it."),
			  hfi_tool_print("Load the module: modprobe ib_uverbs"));
	free(quoted);
}

static int compare_words(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Reports the devices in class/infiniband of each root that the library does not list. */
static void examine_hidden(struct hf_findings *findings, const struct hf_roots *roots,
			   struct ibv_device **list, size_t count)
{
	char **names = hfi_tool_alloc(NULL, count, sizeof(*names));
	size_t unnamed = 0;

	for (size_t i = 0; i < count; i++) {
		char name[64] = "";

		hf_device_name(list[i], name, sizeof(name));
		unnamed += !*name;
		names[i] = hfi_tool_print("%s", name);
	}
	qsort(names, count, sizeof(*names), compare_words);
	/* A listed device without a readable name may be any entry of class/infiniband: report none. */
	for (size_t i = 0; i < roots->count && !unnamed; i++) {
		char *class = hfi_tool_print("%s/class/infiniband", roots->v[i].sysfs);
		DIR *dir = opendir(class);
		struct dirent *entry;

		if (!dir && errno != ENOENT)
			hfi_found(findings, HF_WARNING, "class-unreadable", NULL,
				  hfi_tool_print("%s cannot be read, so devices without a uverbs "
						 "entry were not looked for: %s.",
						 class, strerror(errno)),
				  hfi_tool_print("Run this as a user who may read it."));
		while (dir && (entry = readdir(dir))) {
			const char *name = entry->d_name;

			if (*name != '.' &&
			    !bsearch(&name, names, count, sizeof(*names), compare_words))
				found_hidden(findings, roots->v[i].sysfs, name);
		}
		if (dir)
			closedir(dir);
		free(class);
	}
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
}

static char *no_list_remedy(int err, const char *sysfs)
{
	switch (err) {
	case -EMFILE:
		return hfi_tool_print(
			"Let the process open more files: ulimit -n; in a systemd unit: "
			"LimitNOFILE=.");
	case -ENFILE:
		return hfi_tool_print("Let the system open more files: sysctl fs.file-max.");
	case -EACCES:
	case -EPERM:
		return hfi_tool_print("Run this as a user who may read %s and what is below it.",
				      sysfs);
	default:
		return hfi_tool_print("Check that %s is mounted and readable; "
				      "\"holdfast -vv list\" says more.",
				      sysfs);
	}
}

/* Checks everything. A check that fails is a finding, and the others still run. */
static int examine_all(const struct hf_tool *tool, struct hf *hf)
{
	struct hf_findings findings = {0};
	struct hf_roots roots;
	struct ibv_device **list = NULL;
	int count = hf_device_list(hf, HF_LIST_ALL, &list);
	size_t devices = count < 0 ? 0 : (size_t)count;
	int status;

	hfi_roots_get(tool, &roots);
	if (count < 0)
		hfi_found(&findings, HF_PROBLEM, "no-list", NULL,
			  hfi_tool_print("The devices cannot be listed: %s.", strerror(-count)),
			  no_list_remedy(count, roots.v[0].sysfs));
	for (size_t i = 0; i < roots.count; i++) {
		hfi_doctor_root(&findings, &roots.v[i], devices);
		hfi_doctor_cm(&findings, &roots.v[i], list, devices);
	}
	hfi_doctor_hardware(&findings, roots.v[0].sysfs, devices);
	if (count >= 0 && hfi_exists(roots.v[0].sysfs, "class/infiniband_verbs"))
		examine_hidden(&findings, &roots, list, devices);
	for (size_t i = 0; i < devices; i++)
		hfi_doctor_device(&findings, tool, hf, list[i]);
	hfi_doctor_providers(&findings, tool, hf, devices);
	hfi_doctor_limits(&findings);
	hf_device_list_free(list);
	hfi_roots_free(&roots);
	status = report_findings(tool, &findings, devices);
	free_findings(&findings);
	return status;
}

static int examine_one(const struct hf_tool *tool, struct hf *hf, const char *name)
{
	struct hf_findings findings = {0};
	struct ibv_device *device;
	int err = hfi_tool_by_name(hf, name, &device), status;
	char text[HF_REASON_TEXT];
	/* That of a device whose name cannot be read may be among the uverbs entries. */
	bool unknown = err == -ENODEV && hfi_tool_has_unreadable_name(hf, text);
	char *hidden = err == -ENODEV && !unknown ? hfi_roots_find_hidden(tool, name) : NULL;

	if (!err) {
		hfi_doctor_device(&findings, tool, hf, device);
		hf_device_unref(device);
		hfi_doctor_limits(&findings);
	} else if (hidden) {
		found_hidden(&findings, hidden, name);
		free(hidden);
	} else {
		return hfi_tool_find(tool, hf, name, &device);
	}
	status = report_findings(tool, &findings, 1);
	free_findings(&findings);
	return status;
}

static int run_doctor(struct hf_tool *tool, char **args)
{
	struct hf *hf = hfi_tool_context(tool, HF_NO_NOTIFY, NODE_WAIT_MS);
	int status;

	if (!hf)
		return HF_EXIT_FAILED;
	status = args[0] ? examine_one(tool, hf, args[0]) : examine_all(tool, hf);
	hf_unref(hf);
	return status;
}

const struct hf_command hf_command_doctor = {
	.name = "doctor",
	.args = "[DEV]",
	.summary = "find what is wrong, and say what to do about it",
	.about = "Checks what keeps programs from using the devices, or one device: modules that "
		 "are not loaded, nodes that are missing, stale or not permitted, providers that "
		 "are missing or refused, other network namespaces, ports that are down, empty GID "
		 "tables, limits of locked memory. Each device that seems ready is opened once and "
		 "closed again. Each finding comes with a remedy. After a \"problem\" something "
		 "cannot be used; after a \"warning\" some uses fail; either makes the exit status "
		 "1. A \"note\" is only information.",
	.max_args = 1,
	.run = run_doctor,
};
