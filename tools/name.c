/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* holdfast name: shows which name each policy of rdma_rename(8) would give. Renames nothing. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/nldev.h"
#include "naming/hardware.h"
#include "naming/naming.h"
#include "tools/common.h"
#include "shared/json.h"
#include "tools/names.h"
#include "tools/output.h"
#include "tools/roots.h"

enum { OPT_EXPLAIN = HF_OPT_OWN, TEXT_SIZE = 128, INDENT = 2, GUID_LENGTH = 19 };

static const char *const lists[] = {
	"NAME_FALLBACK",
	"NAME_KERNEL",
	"NAME_ONBOARD",
	"NAME_PCI",
	"NAME_GUID",
	"NAME_SLOT",
	"NAME_SLOT,NAME_FALLBACK",
};

enum { NUM_LISTS = sizeof(lists) / sizeof(lists[0]) };

/* A device, and what a decision needs to know about it. */
struct subject {
	const char *name;
	char *root;
	struct hf_nldev facts;
	/* `facts` is from the tree, since RDMA netlink does not report the device or cannot be asked. */
	bool guessed;
	int error; /* why RDMA netlink cannot be asked; 0: it does not report the device */
	struct hf_name_hardware hardware;
};

static int set_name_option(struct hf_tool *tool, int option, const char *value)
{
	(void)value;
	tool->explain = option == OPT_EXPLAIN;
	return 0;
}

/* Finds the root that has the device. Soft roots are known to the library only. */
static int find_root(const struct hf_tool *tool, struct subject *subject)
{
	struct hf_device_info info;
	struct ibv_device *device;
	struct hf *hf;
	int status;

	subject->root = hfi_roots_find_hidden(tool, subject->name);
	if (subject->root)
		return HF_EXIT_OK;
	hf = hfi_tool_context(tool, HF_NO_NOTIFY, 0);
	if (!hf)
		return HF_EXIT_FAILED;
	status = hfi_tool_find(tool, hf, subject->name, &device);
	if (status == HF_EXIT_OK) {
		if (hfi_tool_info(device, &info) < 0 || !*info.root) {
			hfi_complain("%s: the device has no directory in sysfs", subject->name);
			status = HF_EXIT_FAILED;
		} else {
			subject->root = hfi_tool_print("%s", info.root);
		}
		hf_device_unref(device);
	}
	hf_unref(hf);
	return status;
}

static bool read_subject_attr(const struct subject *subject, const char *attr,
			      char value[TEXT_SIZE])
{
	char *dir = hfi_tool_print("%s/class/infiniband/%s", subject->root, subject->name);
	bool done = hfi_tool_read(dir, attr, value, TEXT_SIZE);

	free(dir);
	return done;
}

/* Guesses the netlink facts from the tree. OPA cannot be told from InfiniBand there. */
static void guess_facts(struct subject *subject)
{
	static const struct {
		const char *node_type, *link_layer, *protocol;
	} known[] = {
		{"1: CA", "InfiniBand", "ib"}, {"1: CA", "Ethernet", "roce"}, {"4: RNIC", "", "iw"},
		{"5: usNIC", "", "usnic"},     {"6: usNIC", "", "usnic"},
	};
	char type[TEXT_SIZE] = "", layer[TEXT_SIZE] = "", guid[TEXT_SIZE];
	unsigned int g[4];
	char rest;

	subject->guessed = true;
	read_subject_attr(subject, "node_type", type);
	read_subject_attr(subject, "ports/1/link_layer", layer);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strncmp(type, known[i].node_type, strlen(known[i].node_type)) &&
		    !strncmp(layer, known[i].link_layer, strlen(known[i].link_layer)))
			strcpy(subject->facts.protocol, known[i].protocol);
	/* Check the form first: %x alone accepts signs and fewer digits. */
	if (read_subject_attr(subject, "node_guid", guid) && strlen(guid) == GUID_LENGTH &&
	    strspn(guid, "0123456789abcdefABCDEF:") == GUID_LENGTH &&
	    sscanf(guid, "%4x:%4x:%4x:%4x%c", &g[0], &g[1], &g[2], &g[3], &rest) == 4)
		for (int i = 0; i < 4; i++)
			subject->facts.node_guid = subject->facts.node_guid << 16 | g[i];
}

static void get_facts(struct subject *subject)
{
	struct hf_nldev_socket *nl = NULL;
	int err = -ENODEV;

	if (!strcmp(subject->root, "/sys"))
		err = hfi_nldev_open(&nl);
	if (!err) {
		err = hfi_nldev_find(nl, subject->name, &subject->facts);
		hfi_nldev_close(nl);
	}
	if (!err)
		return;
	subject->error = err == -ENODEV ? 0 : err;
	memset(&subject->facts, 0, sizeof(subject->facts));
	snprintf(subject->facts.name, sizeof(subject->facts.name), "%s", subject->name);
	guess_facts(subject);
}

static int get_subject(const struct hf_tool *tool, struct subject *subject)
{
	int status = find_root(tool, subject), sysfs, err;

	if (status != HF_EXIT_OK)
		return status;
	sysfs = open(subject->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	err = sysfs < 0 ? -errno : hfi_name_look(sysfs, subject->name, &subject->hardware);
	if (sysfs >= 0)
		close(sysfs);
	if (err) {
		hfi_complain("%s: cannot read the device: %s", subject->name, strerror(-err));
		return err == -ENODEV ? HF_EXIT_NO_DEVICE : HF_EXIT_FAILED;
	}
	get_facts(subject);
	return HF_EXIT_OK;
}

static bool decide_name(const struct subject *subject, const char *list,
			const struct hf_name_trace *trace, struct hf_name_answer *answer)
{
	struct hf_name_policies policies;

	memset(answer, 0, sizeof(*answer));
	return !hfi_name_parse_policies(list, &policies) &&
	       !hfi_name_decide(&policies, NULL, &subject->facts, &subject->hardware, trace,
				answer);
}

/* Whether another device has the name. */
static bool is_taken(const struct subject *subject, const char *name)
{
	char *path;
	bool taken;

	if (!strcmp(name, subject->name))
		return false;
	path = hfi_tool_print("class/infiniband/%s", name);
	taken = hfi_exists(subject->root, path);
	free(path);
	return taken;
}

static void print_policies_table(const struct hf_tool *tool, const struct subject *subject)
{
	enum { POLICY, NAME, WHY, NUM };
	static const struct hf_column columns[NUM] = {
		[POLICY] = {"POLICY", 0}, [NAME] = {"NAME", 0}, [WHY] = {"WHY", SCOLS_FL_WRAP}};
	struct libscols_table *table = hfi_table_new(tool, columns, NUM);

	for (size_t i = 0; i < NUM_LISTS; i++) {
		struct libscols_line *line = hfi_table_line(table);
		struct hf_name_answer answer;
		bool given = decide_name(subject, lists[i], NULL, &answer);
		bool taken = given && is_taken(subject, answer.name);
		char *why = hfi_tool_print("%s%s", taken ? "taken by another device: " : "",
					   answer.why);

		hfi_table_cell(line, POLICY, lists[i], NULL);
		hfi_table_cell(line, NAME, given ? answer.name : "-",
			       !given  ? NULL
			       : taken ? "red"
				       : "green");
		hfi_table_cell(line, WHY, why, NULL);
		free(why);
	}
	hfi_table_finish(table);
}

static void print_policy_sentence(void *arg, enum hf_name_policy policy, const char *sentence)
{
	(void)policy;
	(void)arg;
	printf("%*s", INDENT, "");
	hfi_put_wrapped(INDENT, INDENT, sentence);
}

static void print_explanation(const struct hf_tool *tool, const struct subject *subject)
{
	const struct hf_name_trace trace = {.say = print_policy_sentence};
	const struct hf_nldev *facts = &subject->facts;
	struct hf_name_answer answer;
	char guid[HF_GUID_TEXT], *text;

	hfi_format_guid(facts->node_guid, guid);
	text = hfi_tool_print(
		"protocol %s, node GUID %s%s%s",
		*facts->protocol ? facts->protocol : "unknown, so names begin with rdma", guid,
		!subject->guessed ? "; from RDMA netlink"
		: subject->error  ? "; guessed from the tree, since RDMA netlink cannot be asked: "
				 : "; guessed from the tree, since RDMA netlink does not report it",
		subject->error ? strerror(-subject->error) : "");
	printf("\n");
	hfi_put_wrapped(0, 0, text);
	free(text);
	for (size_t i = 0; i < NUM_LISTS; i++) {
		/* Combined policies are explained by their parts. */
		if (!strcmp(lists[i], "NAME_FALLBACK")) {
			printf("%s%s%s\n", hfi_color(tool, "bold"), lists[i],
			       hfi_color(tool, "reset"));
			print_policy_sentence(
				NULL, 0, "is NAME_ONBOARD, or NAME_PCI where that gives no name");
			continue;
		}
		if (strchr(lists[i], ','))
			continue;
		printf("%s%s%s\n", hfi_color(tool, "bold"), lists[i], hfi_color(tool, "reset"));
		decide_name(subject, lists[i], &trace, &answer);
	}
}

static void json_say(void *arg, enum hf_name_policy policy, const char *sentence)
{
	(void)policy;
	hfi_json_string(arg, NULL, sentence);
}

static void print_name_json(const struct hf_tool *tool, const struct subject *subject)
{
	const struct hf_nldev *facts = &subject->facts;
	struct hf_name_answer answer;
	char guid[HF_GUID_TEXT];
	struct hf_json json;

	hfi_format_guid(facts->node_guid, guid);
	hfi_json_begin(&json, stdout, false);
	hfi_json_object(&json, NULL);
	hfi_json_string(&json, "name", subject->name);
	hfi_json_string(&json, "root", subject->root);
	hfi_json_optional(&json, "protocol", facts->protocol);
	hfi_json_string(&json, "node_guid", guid);
	hfi_json_string(&json, "source", subject->guessed ? "tree" : "netlink");
	hfi_json_bool(&json, "named_by_user", facts->name_assign == HF_NAME_ASSIGNED_BY_USER);
	hfi_json_array(&json, "policies");
	for (size_t i = 0; i < NUM_LISTS; i++) {
		const struct hf_name_trace trace = {.say = json_say, .arg = &json};
		bool given = decide_name(subject, lists[i], NULL, &answer);

		hfi_json_object(&json, NULL);
		hfi_json_string(&json, "policy", lists[i]);
		hfi_json_optional(&json, "gives", given ? answer.name : "");
		hfi_json_bool(&json, "taken", given && is_taken(subject, answer.name));
		hfi_json_string(&json, "why", answer.why);
		if (tool->explain) {
			hfi_json_array(&json, "steps");
			decide_name(subject, lists[i], &trace, &answer);
			hfi_json_close(&json);
		}
		hfi_json_close(&json);
	}
	hfi_json_close(&json);
	hfi_json_close(&json);
}

static int run_name(struct hf_tool *tool, char **args)
{
	struct subject subject = {.name = args[0]};
	int status = get_subject(tool, &subject);

	if (status == HF_EXIT_OK && tool->json) {
		print_name_json(tool, &subject);
	} else if (status == HF_EXIT_OK) {
		print_policies_table(tool, &subject);
		if (tool->explain)
			print_explanation(tool, &subject);
	}
	free(subject.root);
	return status;
}

const struct hf_command hf_command_name = {
	.name = "name",
	.args = "DEV",
	.summary = "show which name each policy would give",
	.about =
		"Shows which name each policy of rdma_rename(8) would give the device, and why. "
		"Nothing is renamed. The installed rule uses NAME_FALLBACK: see holdfast-names(7).",
	.options_help = "      --explain           show step by step how each name is formed\n",
	.options =
		(const struct option[]){
			{"explain", no_argument, NULL, OPT_EXPLAIN},
			{0},
		},
	.set = set_name_option,
	.min_args = 1,
	.max_args = 1,
	.run = run_name,
};
