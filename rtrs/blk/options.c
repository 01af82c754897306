/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The options of rtrs-blk. */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "rtrs/blk/blk.h"
#include "shared/printed.h"
#include "shared/text.h"

/* Which subcommands have an option. */
enum {
	OF_SERVE = 1 << 0,
	OF_INFO = 1 << 1,
	OF_READ = 1 << 2,
	OF_WRITE = 1 << 3,
	OF_BENCH = 1 << 4,
	OF_COPY = OF_READ | OF_WRITE,
	OF_CLIENT = OF_INFO | OF_COPY | OF_BENCH,
};

enum option_type { FLAG, NUMBER, SIZE, TEXT, ACCESS, MEMORY, NBD };

/* `field` is where the value goes, `has` a flag that it was given; 0: nowhere. */
struct blk_option {
	const char *name;
	char letter;
	unsigned int commands;
	enum option_type type;
	size_t field, has;
	uint64_t least, most;
	const char *value, *help;
};

#define FIELD(name) offsetof(struct blk_options, name)

static const struct blk_option options_known[] = {
	{"access", 'a', OF_INFO | OF_WRITE | OF_BENCH, ACCESS, 0, FIELD(has_access), 0, 0, "MODE",
	 "ro, rw or migration"},
	{"block-size", 'b', OF_COPY | OF_BENCH, SIZE, FIELD(block_size), 0, 512, 1 << 28, "SIZE",
	 "of one request"},
	{"connections", 'C', OF_CLIENT, NUMBER, FIELD(connections), 0, 1, 64, "N",
	 "of each path, for requests"},
	{"count", 'n', OF_BENCH, NUMBER, FIELD(count), 0, 1, UINT64_MAX, "N", "requests"},
	{"depth", 'd', OF_COPY | OF_BENCH, NUMBER, FIELD(depth), 0, 1, 65535, "N",
	 "requests at a time"},
	{"input", 'i', OF_WRITE, TEXT, FIELD(file), 0, 0, 0, "FILE", "instead of standard input"},
	{"invalidate", 'I', OF_SERVE, FLAG, FIELD(invalidate), 0, 0, 0, NULL,
	 "a client's key is valid for one request"},
	{"json", 'J', OF_INFO | OF_BENCH, FLAG, FIELD(json), 0, 0, 0, NULL, "output as JSON"},
	{"length", 'l', OF_COPY | OF_BENCH, SIZE, FIELD(length), FIELD(has_length), 0, INT64_MAX,
	 "SIZE", "bytes; default: to the end"},
	{"max-io", 'm', OF_SERVE, SIZE, FIELD(max_io), 0, 4096, 1 << 28, "SIZE",
	 "of one request; with 4096 more a power of two"},
	{"memory", 'M', OF_SERVE, MEMORY, 0, 0, 0, 0, "NAME=SIZE", "a device in memory"},
	{"nbd", 'N', OF_SERVE, NBD, 0, 0, 0, 0, "NAME=URI", "an export of an NBD server"},
	{"offset", 'o', OF_COPY | OF_BENCH, SIZE, FIELD(offset), 0, 0, INT64_MAX, "SIZE",
	 "where on the device it begins"},
	{"output", 'O', OF_READ, TEXT, FIELD(file), 0, 0, 0, "FILE", "instead of standard output"},
	{"quiet", 'q', OF_CLIENT | OF_SERVE, FLAG, FIELD(is_quiet), 0, 0, 0, NULL,
	 "no progress and no notes"},
	{"queue-depth", 'Q', OF_SERVE, NUMBER, FIELD(queue_depth), 0, 1, 65535, "N",
	 "requests at a time of each session"},
	{"read-only", 'r', OF_SERVE, FLAG, FIELD(read_only), 0, 0, 0, NULL, "nothing is written"},
	{"seconds", 's', OF_BENCH, NUMBER, FIELD(seconds), 0, 1, 1 << 30, "N",
	 "how long it runs at most"},
	{"seed", 'S', OF_BENCH, NUMBER, FIELD(seed), FIELD(has_seed), 0, UINT64_MAX, "N",
	 "of order and content"},
	{"session", 'e', OF_CLIENT, TEXT, FIELD(session), 0, 0, 0, "NAME", "name of the session"},
	{"threads", 't', OF_SERVE, NUMBER, FIELD(threads), 0, 1, 1024, "N",
	 "requests that wait for disks at a time"},
	{"timeout", 'T', OF_CLIENT, NUMBER, FIELD(timeout_s), 0, 0, 1 << 20, "SECONDS",
	 "without a server requests fail then; 0: never"},
	{"verify", 'v', OF_BENCH, FLAG, FIELD(verify), 0, 0, 0, NULL,
	 "what is read has to be what was written"},
	{"workload", 'w', OF_BENCH, TEXT, FIELD(workload), 0, 0, 0, "NAME",
	 "read, write, randread, randwrite or mixed"},
};

static const struct {
	const char *name;
	unsigned int bit;
	const char *arguments, *about;
} commands_known[] = {
	{"serve", OF_SERVE, "[DIRECTORY] ADDRESS...",
	 "serves the files and block devices below DIRECTORY"},
	{"info", OF_INFO, "DEVICE ADDRESS...", "shows a device, and the paths to it"},
	{"read", OF_READ, "DEVICE ADDRESS...", "copies a device to standard output"},
	{"write", OF_WRITE, "DEVICE ADDRESS...", "copies standard input to a device"},
	{"bench", OF_BENCH, "DEVICE ADDRESS...", "measures a device, and can verify its content"},
};

void rtrsi_blk_complain(const char *format, ...)
{
	char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	flockfile(stderr);
	fputs("rtrs-blk: ", stderr);
	hfi_put_safe(stderr, text ? text : "out of memory");
	fputc('\n', stderr);
	funlockfile(stderr);
	free(text);
}

static void print_options(unsigned int bit)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(options_known); i++) {
		const struct blk_option *option = &options_known[i];
		char name[40];

		if (!(option->commands & bit) ||
		    hfi_print(name, sizeof(name), "-%c, --%s %s", option->letter, option->name,
			      option->value ? option->value : ""))
			continue;
		printf("  %-27s %s\n", name, option->help);
	}
}

static void print_blk_help(unsigned int bit)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(commands_known); i++) {
		if (bit && !(commands_known[i].bit & bit))
			continue;
		printf("%s rtrs-blk %s [OPTION]... %s\n\t%s\n",
		       i && !bit ? "      " : "usage:", commands_known[i].name,
		       commands_known[i].arguments, commands_known[i].about);
	}
	if (bit) {
		putchar('\n');
		print_options(bit);
	}
	puts("\nADDRESS is ip:HOST[:PORT], tcp:HOST:PORT or unix:PATH; several are paths to one "
	     "server.\n"
	     "See rtrs-blk(1).");
}

static unsigned int command_bit(const char *name)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(commands_known); i++) {
		if (!strcmp(commands_known[i].name, name))
			return commands_known[i].bit;
	}
	return 0;
}

static const struct blk_option *option_by_letter(int letter)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(options_known); i++) {
		if (options_known[i].letter == letter)
			return &options_known[i];
	}
	return NULL;
}

/* --- values -------------------------------------------------------------------------------------- */

static int set_access(struct blk_options *options, const char *value)
{
	return rtrsi_rnbd_access_parse(value, &options->access);
}

/* The text stays, and is cut in two. */
static int add_named(struct blk_options *options, char *value, bool is_memory)
{
	struct rtrs_export_named *named = &options->named[options->named_count];
	char *after = strchr(value, '=');

	if (!after || after == value || options->named_count == BLK_NAMED_MAX)
		return -EINVAL;
	*after++ = '\0';
	if (strlen(value) >= RNBD_PATH_SIZE || !*after)
		return -EINVAL;
	*named = (struct rtrs_export_named){.name = value, .uri = is_memory ? NULL : after};
	if (is_memory && (rtrsi_blk_parse_size(after, &named->size) ||
			  named->size < RNBD_SECTOR_SIZE || named->size > INT64_MAX))
		return -EINVAL;
	options->named_count++;
	return 0;
}

static int set_number(const struct blk_option *option, const char *value, uint64_t *ret)
{
	uint64_t number;
	int err;

	if (option->type == SIZE)
		err = rtrsi_blk_parse_size(value, &number);
	else
		err = hfi_parse_number(value, 10, UINT64_MAX, &number);
	if (err || number < option->least || number > option->most)
		return -EINVAL;
	*ret = number;
	return 0;
}

static int set_blk_option(struct blk_options *options, const struct blk_option *option, char *value)
{
	char *field = (char *)options + option->field;

	if (option->has)
		*((bool *)(void *)((char *)options + option->has)) = true;
	switch (option->type) {
	case FLAG:
		*(bool *)(void *)field = true;
		return 0;
	case TEXT:
		*(const char **)(void *)field = value;
		return 0;
	case ACCESS:
		return set_access(options, value);
	case MEMORY:
	case NBD:
		return add_named(options, value, option->type == MEMORY);
	default:
		return set_number(option, value, (uint64_t *)(void *)field);
	}
}

/* --- the command line ---------------------------------------------------------------------------- */

static bool is_blk_address(const char *text)
{
	return !strncmp(text, "unix:", 5) || !strncmp(text, "tcp:", 4) ||
	       !strncmp(text, "ip:", 3) || !strncmp(text, "soft:", 5);
}

static int take_arguments(struct blk_options *options, unsigned int bit, int count,
			  char **arguments)
{
	if (count && !(bit == OF_SERVE && is_blk_address(*arguments))) {
		options->target = *arguments++;
		count--;
	}
	if (!options->target && !options->named_count) {
		rtrsi_blk_complain(bit == OF_SERVE ? "no directory and no device is given"
						   : "no device is given");
		return BLK_USAGE;
	}
	if (!count) {
		rtrsi_blk_complain("no address is given");
		return BLK_USAGE;
	}
	if (count > (bit == OF_SERVE ? BLK_ADDRESSES_MAX : (int)RTRS_VOLUME_PATHS_MAX)) {
		rtrsi_blk_complain("too many addresses");
		return BLK_USAGE;
	}
	options->address_count = (unsigned int)count;
	memcpy(options->addresses, arguments, (size_t)count * sizeof(*arguments));
	return -1;
}

static void make_getopt(unsigned int bit, struct option *longs, char *letters)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(options_known); i++) {
		const struct blk_option *option = &options_known[i];

		if (!(option->commands & bit))
			continue;
		*longs++ = (struct option){option->name,
					   option->value ? required_argument : no_argument, NULL,
					   option->letter};
		*letters++ = option->letter;
		if (option->value)
			*letters++ = ':';
	}
	*longs++ = (struct option){"help", no_argument, NULL, 'h'};
	*longs = (struct option){0};
	*letters++ = 'h';
	*letters = '\0';
}

static int parse_of_command(int argc, char **argv, unsigned int bit, struct blk_options *options)
{
	struct option longs[HF_ARRAY_SIZE(options_known) + 2];
	char letters[2 * HF_ARRAY_SIZE(options_known) + 2];
	int letter;

	make_getopt(bit, longs, letters);
	while ((letter = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		const struct blk_option *option = option_by_letter(letter);

		if (letter == 'h') {
			print_blk_help(bit);
			return fflush(stdout) ? BLK_FAILED : BLK_OK;
		}
		if (!option)
			return BLK_USAGE;
		if (set_blk_option(options, option, optarg)) {
			rtrsi_blk_complain("--%s: \"%s\" is no valid value", option->name, optarg);
			return BLK_USAGE;
		}
	}
	return take_arguments(options, bit, argc - optind, argv + optind);
}

int rtrsi_blk_parse(int argc, char **argv, struct blk_options *ret)
{
	unsigned int bit;

	*ret = (struct blk_options){.timeout_s = 30, .threads = 16, .max_io = 126976};
	if (argc < 2) {
		print_blk_help(0);
		return BLK_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		print_blk_help(0);
		return fflush(stdout) ? BLK_FAILED : BLK_OK;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("rtrs-blk %s\n", PACKAGE_VERSION);
		return fflush(stdout) ? BLK_FAILED : BLK_OK;
	}
	ret->command = argv[1];
	bit = command_bit(argv[1]);
	if (!bit) {
		rtrsi_blk_complain("\"%s\" is no command; try rtrs-blk --help", argv[1]);
		return BLK_USAGE;
	}
	return parse_of_command(argc - 1, argv + 1, bit, ret);
}
