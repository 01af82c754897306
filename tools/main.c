/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The holdfast command: parses the options, finds the subcommand and runs it. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/common.h"
#include "tools/output.h"
#include "tools/roots.h"

static const struct hf_command *const commands[] = {
	&hf_command_list,   &hf_command_info,	 &hf_command_monitor, &hf_command_providers,
	&hf_command_doctor, &hf_command_holders, &hf_command_run,     &hf_command_name,
	&hf_command_wait,   &hf_command_soft,
};

enum { NUM_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static const struct {
	enum hf_exit status;
	const char *words;
} exits[] = {
	{HF_EXIT_OK, "success; doctor: no problem and no warning"},
	{HF_EXIT_FAILED, "the operation failed; doctor: a problem or a warning"},
	{HF_EXIT_USAGE, "wrong options or arguments"},
	{HF_EXIT_NO_DEVICE, "there is no device of that name"},
	{HF_EXIT_INCOMPLETE, "holders: some processes could not be examined"},
	{HF_EXIT_TIMEOUT, "wait: no device could be opened in time"},
	{HF_EXIT_CANNOT_RUN, "run: the program cannot be run on Holdfast"},
	{HF_EXIT_NOT_FOUND, "run: there is no such program"},
};

static const struct option common_options[] = {
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{"verbose", no_argument, NULL, 'v'},
	{"json", no_argument, NULL, 'j'},
	{"root", required_argument, NULL, HF_OPT_ROOT},
	{"provider-dir", required_argument, NULL, HF_OPT_PROVIDER_DIR},
	{"color", optional_argument, NULL, HF_OPT_COLOR},
	{"no-color", no_argument, NULL, HF_OPT_NO_COLOR},
};

enum { NUM_COMMON = sizeof(common_options) / sizeof(common_options[0]), NUM_OPTIONS = 32 };

static const char common_help[] =
	"  -j, --json              write JSON for programs\n"
	"      --root SYSFS[:DEV]  search this tree instead of /sys and the soft roots,\n"
	"                          with the nodes below DEV (default: /dev for /sys,\n"
	"                          else SYSFS/dev); may be given several times\n"
	"      --provider-dir DIR  use the providers in DIR instead of the installed\n"
	"                          ones; may be given several times\n"
	"      --color[=WHEN]      colour: auto (default: on a terminal, unless NO_COLOR\n"
	"                          is set), always, never\n"
	"      --no-color          the same as --color=never\n"
	"  -v, --verbose           log what the library does to standard error; twice:\n"
	"                          more\n"
	"  -h, --help              show this\n"
	"  -V, --version           show the version\n";

enum { HELP_WIDTH = 79 };

/* Prints a line of a text, broken where it would be wider than a terminal. */
static void print_help_line(const char *line, size_t length)
{
	while (length > HELP_WIDTH) {
		size_t part = HELP_WIDTH;

		while (part && line[part] != ' ')
			part--;
		if (!part)
			break;
		printf("%.*s\n", (int)part, line);
		line += part + 1;
		length -= part + 1;
	}
	printf("%.*s\n", (int)length, line);
}

static void print_help_text(const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n");

		print_help_line(text, length);
		text += length;
		text += *text == '\n';
	}
}

static void print_exits(void)
{
	printf("\nExit status:\n");
	for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++)
		printf("  %d  %s\n", exits[i].status, exits[i].words);
}

static void print_help(const struct hf_command *command)
{
	if (command) {
		printf("Usage: holdfast %s [OPTION]...%s%s\n\n", command->name,
		       *command->args ? " " : "", command->args);
		print_help_text(command->about);
		printf("\nOptions:\n%s%s", command->options_help ? command->options_help : "",
		       common_help);
	} else {
		printf("Usage: holdfast [OPTION]... COMMAND [OPTION]... [ARGUMENT]...\n\n"
		       "Lists, checks and follows RDMA devices.\n\nCommands:\n");
		for (size_t i = 0; i < NUM_COMMANDS; i++)
			printf("  %-9s %-10s  %s\n", commands[i]->name, commands[i]->args,
			       commands[i]->summary);
		printf("\nOptions of every command:\n%s"
		       "\n\"holdfast COMMAND --help\" says more about a command.\n",
		       common_help);
	}
	print_exits();
}

static int usage_hint(const struct hf_tool *tool)
{
	if (tool->command)
		fprintf(stderr, "Try \"holdfast %s --help\".\n", tool->command->name);
	else
		fprintf(stderr, "Try \"holdfast --help\".\n");
	return HF_EXIT_USAGE;
}

static int add_root(struct hf_tool *tool, const char *value)
{
	if (tool->num_roots == HF_TOOL_ROOTS) {
		hfi_complain("--root: at most %d", HF_TOOL_ROOTS);
		return -EINVAL;
	}
	if (hfi_root_parse(value, &tool->roots[tool->num_roots])) {
		hfi_complain("--root: expected SYSFS or SYSFS:DEV, not \"%s\"", value);
		return -EINVAL;
	}
	tool->num_roots++;
	return 0;
}

static int add_provider_dir(struct hf_tool *tool, const char *value)
{
	if (tool->num_provider_dirs == HF_TOOL_PROVIDER_DIRS) {
		hfi_complain("--provider-dir: at most %d", HF_TOOL_PROVIDER_DIRS);
		return -EINVAL;
	}
	tool->provider_dirs[tool->num_provider_dirs++] = value;
	return 0;
}

static int parse_color(const char *value, int *ret)
{
	static const char *const whens[] = {"auto", "never", "always"};

	if (!value)
		value = "always";
	for (int i = 0; i < 3; i++) {
		if (!strcmp(value, whens[i])) {
			*ret = i - 1;
			return 0;
		}
	}
	hfi_complain("--color: expected auto, always or never, not \"%s\"", value);
	return -EINVAL;
}

/* Returns 0, -EINVAL after printing an error, or 1 after printing the help or the version. */
static int parse_options(struct hf_tool *tool, int argc, char **argv, int *color)
{
	const struct option *own = tool->command ? tool->command->options : NULL;
	/* "+": stop at the command's name, or at the name of the program to run. */
	const char *letters = tool->command && !tool->command->rest ? "hVvj" : "+hVvj";
	struct option options[NUM_OPTIONS] = {0};
	size_t count = NUM_COMMON;
	int option, err;

	memcpy(options, common_options, sizeof(common_options));
	for (; own && own->name && count < NUM_OPTIONS - 1; own++)
		options[count++] = *own;
	/* 0 resets glibc's parser for the second pass. */
	optind = 0;
	while ((option = getopt_long(argc, argv, letters, options, NULL)) != -1) {
		err = 0;
		if (option == 'h') {
			print_help(tool->command);
			return 1;
		}
		if (option == 'V') {
			printf("holdfast %s\n", hf_version());
			return 1;
		}
		if (option == 'v')
			tool->verbose++;
		else if (option == 'j')
			tool->json = true;
		else if (option == HF_OPT_ROOT)
			err = add_root(tool, optarg);
		else if (option == HF_OPT_PROVIDER_DIR)
			err = add_provider_dir(tool, optarg);
		else if (option == HF_OPT_COLOR)
			err = parse_color(optarg, color);
		else if (option == HF_OPT_NO_COLOR)
			*color = 0;
		else if (option == '?' || !tool->command)
			err = -EINVAL;
		else
			err = tool->command->set(tool, option, optarg);
		if (err)
			return err;
	}
	return 0;
}

static const struct hf_command *find_command(const char *name)
{
	for (size_t i = 0; i < NUM_COMMANDS; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static int run_command(struct hf_tool *tool, int argc, char **argv)
{
	int color = -1, err, num_args;

	err = parse_options(tool, argc, argv, &color);
	if (err)
		return err < 0 ? usage_hint(tool) : HF_EXIT_OK;
	argc -= optind;
	argv += optind;
	if (!argc) {
		hfi_complain("no command given");
		return usage_hint(tool);
	}
	tool->command = find_command(argv[0]);
	if (!tool->command && !strcmp(argv[0], "help")) {
		tool->command = argc > 1 ? find_command(argv[1]) : NULL;
		if (argc == 1 || tool->command) {
			print_help(tool->command);
			return HF_EXIT_OK;
		}
		argv++;
	}
	if (!tool->command) {
		hfi_complain("there is no command \"%s\"", argv[0]);
		return usage_hint(tool);
	}
	argv[0] = program_invocation_short_name;
	err = parse_options(tool, argc, argv, &color);
	if (err)
		return err < 0 ? usage_hint(tool) : HF_EXIT_OK;
	num_args = argc - optind;
	if (num_args < tool->command->min_args || num_args > tool->command->max_args) {
		if (tool->command->max_args)
			hfi_complain("%s: expected %s", tool->command->name, tool->command->args);
		else
			hfi_complain("%s takes no argument", tool->command->name);
		return usage_hint(tool);
	}
	tool->color = !tool->json && hfi_color_wanted(color);
	return tool->command->run(tool, argv + optind);
}

/*
 * Opens closed standard descriptors. Otherwise a socket or a device node would get the number, and
 * output would be written to it. /dev/null is opened read-only and close-on-exec: writing fails, and
 * a program that is run still finds the descriptor closed.
 */
static void reserve_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", O_RDONLY | O_CLOEXEC);
}

int main(int argc, char **argv)
{
	struct hf_tool tool = {.timeout_ms = -1};
	int status, unwritten;

	/* getopt's messages begin with argv[0], which libtool's wrapper sets to another name. */
	static char name[] = "holdfast";

	reserve_standard_descriptors();
	setlocale(LC_ALL, "");
	program_invocation_short_name = name;
	if (argc > 0)
		argv[0] = name;
	status = run_command(&tool, argc, argv);
	unwritten = hfi_close_output();
	for (size_t i = 0; i < tool.num_roots; i++) {
		free((char *)tool.roots[i].sysfs);
		free((char *)tool.roots[i].dev);
	}
	return status ? status : unwritten;
}
