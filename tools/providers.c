/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* holdfast providers: shows the provider libraries. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/common.h"
#include "shared/json.h"
#include "tools/names.h"
#include "tools/output.h"

static void json_providers(const struct hf_provider_info *list, size_t count)
{
	struct hf_json json;

	hfi_json_begin(&json, stdout, false);
	hfi_json_object(&json, NULL);
	hfi_json_array(&json, "providers");
	for (size_t i = 0; i < count; i++) {
		hfi_json_object(&json, NULL);
		hfi_json_optional(&json, "name", list[i].name);
		hfi_json_optional(&json, "version", list[i].version);
		hfi_json_string(&json, "manifest", list[i].manifest);
		hfi_json_optional(&json, "file", list[i].file);
		hfi_json_optional(&json, "family", list[i].family);
		hfi_json_optional(&json, "layout", list[i].layout);
		hfi_json_uint(&json, "abi", list[i].abi);
		hfi_json_uint(&json, "abi_min", list[i].abi_min);
		hfi_json_uint(&json, "abi_max", list[i].abi_max);
		hfi_json_bool(&json, "loaded", list[i].loaded);
		hfi_json_uint(&json, "devices", list[i].devices);
		hfi_json_reason(&json, "reason", &list[i].reason);
		hfi_json_close(&json);
	}
	hfi_json_close(&json);
	hfi_json_close(&json);
}

static void print_refusal(const struct hf_tool *tool, const struct hf_provider_info *info,
			  bool first)
{
	char text[HF_REASON_TEXT];

	if (first)
		printf("\n%sWhy a provider was refused:%s\n", hfi_color(tool, "bold"),
		       hfi_color(tool, "reset"));
	hfi_format_reason(&info->reason, text);
	fputs("  ", stdout);
	/* For a provider without a name the text begins with the manifest's path. */
	if (*info->name) {
		hfi_put_safe(stdout, info->name);
		fputs(": ", stdout);
	}
	hfi_put_safe(stdout, text);
	if (*info->reason.wanted || *info->reason.found) {
		fputs("\n    expected: ", stdout);
		hfi_put_safe(stdout, info->reason.wanted);
		fputs("; found: ", stdout);
		hfi_put_safe(stdout, info->reason.found);
	}
	putchar('\n');
}

static void show_providers(const struct hf_tool *tool, const struct hf_provider_info *list,
			   size_t count)
{
	enum { NAME, FAMILY, VERSION, ABI, STATE, DEVICES, FILE_NAME, NUM };
	static const struct hf_column columns[NUM] = {
		[NAME] = {"NAME", 0},	    [FAMILY] = {"KIND", 0},
		[VERSION] = {"VERSION", 0}, [ABI] = {"ABI", SCOLS_FL_RIGHT},
		[STATE] = {"STATE", 0},	    [DEVICES] = {"DEVICES", SCOLS_FL_RIGHT},
		[FILE_NAME] = {"FILE", 0},
	};
	struct libscols_table *table = hfi_table_new(tool, columns, NUM);
	bool first = true;

	for (size_t i = 0; i < count; i++) {
		struct libscols_line *line = hfi_table_line(table);
		bool refused = list[i].reason.code != HF_REASON_NONE;
		char text[24];

		hfi_table_cell(line, NAME, list[i].name, "bold");
		hfi_table_cell(line, VERSION, list[i].version, NULL);
		if (*list[i].family)
			hfi_table_cell(line, FAMILY, list[i].family, NULL);
		else
			hfi_table_cell(line, FAMILY, "holdfast", NULL);
		snprintf(text, sizeof(text), "%" PRIu32, list[i].abi);
		hfi_table_cell(line, ABI, text, NULL);
		hfi_table_cell(line, STATE,
			       refused		? "refused"
			       : list[i].loaded ? "loaded"
						: "available",
			       refused		? "red"
			       : list[i].loaded ? "green"
						: NULL);
		snprintf(text, sizeof(text), "%" PRIu32, list[i].devices);
		hfi_table_cell(line, DEVICES, text, NULL);
		hfi_table_cell(line, FILE_NAME, *list[i].file ? list[i].file : list[i].manifest,
			       NULL);
	}
	hfi_table_finish(table);
	for (size_t i = 0; i < count; i++) {
		if (list[i].reason.code == HF_REASON_NONE)
			continue;
		print_refusal(tool, &list[i], first);
		first = false;
	}
	if (!count)
		puts("There is no provider: none of the searched directories has a manifest.");
}

static int run_providers(struct hf_tool *tool, char **args)
{
	struct hf *hf = hfi_tool_context(tool, HF_NO_NOTIFY, 0);
	struct hf_provider_info *list;
	struct ibv_device **devices = NULL;
	int count, err;

	(void)args;
	if (!hf)
		return HF_EXIT_FAILED;
	/*
	 * A library is only loaded, or refused, when a device needs it, so list the devices first. If
	 * that fails, the providers can still be shown.
	 */
	err = hf_device_list(hf, HF_LIST_ALL, &devices);
	if (err < 0) {
		hfi_complain("cannot list the devices, so it is not known which of them a provider "
			     "serves: %s",
			     strerror(-err));
		devices = NULL;
	}
	count = hf_provider_list(hf, sizeof(*list), &list);
	if (count < 0) {
		hfi_complain("cannot list the providers: %s", strerror(-count));
	} else {
		if (tool->json)
			json_providers(list, (size_t)count);
		else
			show_providers(tool, list, (size_t)count);
		free(list);
	}
	hf_device_list_free(devices);
	hf_unref(hf);
	return count < 0 || err < 0 ? HF_EXIT_FAILED : HF_EXIT_OK;
}

const struct hf_command hf_command_providers = {
	.name = "providers",
	.args = "",
	.summary = "show the provider libraries, and why one was refused",
	.about = "Shows every provider with a manifest, and those that the distribution's "
		 "libibverbs would load, in the order in which they are tried. For the latter, "
		 "VERSION is the rdma-core release they were built from, derived from the files "
		 "beside them. A library is loaded only when a device needs it: until then STATE "
		 "is \"available\". STATE is \"refused\" if it cannot be used; the reason follows, "
		 "with the expected and the found value.",
	.run = run_providers,
};
