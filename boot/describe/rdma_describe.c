/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Run by udev for each event of an RDMA device: prints properties with the kinds of the device. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot/describe/describe.h"

/* Documented in holdfast-boot(7). */
enum { EXIT_DESCRIBED = 0, EXIT_UNKNOWN = 1, EXIT_USAGE = 2 };

enum { TRIES = 3, LINE_MAX_SIZE = 512 };

struct options {
	const char *sysfs;
	const char *devpath;
	bool netlink;
	bool verbose;
};

static void print_problem(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void print_problem(const char *format, ...)
{
	char line[LINE_MAX_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	/* One write per line: udev logs each read as a line. */
	fprintf(stderr, "rdma_describe: %s\n", line);
}

/* Returns NAME of .../infiniband/NAME, or NULL if the path has another form or contains "..". */
static const char *name_in_devpath(const char *devpath)
{
	static const char class[] = "/infiniband/";
	const char *name = strrchr(devpath, '/');

	if (devpath[0] != '/' || !name || !name[1] || strstr(devpath, "/../") ||
	    !strcmp(name, "/..") || !strcmp(name, "/.") || strlen(name + 1) >= HF_NLDEV_NAME)
		return NULL;
	if ((size_t)(name - devpath) < sizeof(class) - 2 ||
	    strncmp(name - (sizeof(class) - 2), class, sizeof(class) - 1) != 0)
		return NULL;
	return name + 1;
}

static bool is_same_directory(int dir, const char *path)
{
	struct stat held, now;

	return !fstat(dir, &held) && !stat(path, &now) && held.st_dev == now.st_dev &&
	       held.st_ino == now.st_ino;
}

/*
 * Returns 0, 1 if the device is gone or was renamed, or -ENODATA. The facts from the open directory and
 * from netlink are of the same device if the path still leads to that directory afterwards.
 */
static int read_description(const char *path, const char *name, struct hf_nldev_socket *nl,
			    struct hf_description *ret)
{
	for (int i = 0; i < TRIES; i++) {
		int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		struct hf_tree_facts tree;
		struct hf_nldev device;
		int err = 0;
		bool there;

		if (dir < 0)
			return errno == ENOENT || errno == ENOTDIR ? 1 : -ENODATA;
		hfi_tree_read(dir, &tree);
		if (nl)
			err = hfi_nldev_find(nl, name, &device);
		there = is_same_directory(dir, path);
		close(dir);
		if (!there)
			continue;
		if (err)
			print_problem("%s: RDMA netlink: %s", name, strerror(-err));
		return hfi_describe(&tree, nl && !err ? &device : NULL, ret);
	}
	return 1;
}

/* Rejects a protocol name with other characters, which could be read as another property. */
static bool is_word(const char *text)
{
	return text[0] && !text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-")];
}

static int print_properties(const struct hf_description *description)
{
	static const struct {
		enum hf_kind kind;
		const char *name;
	} kinds[] = {
		{HF_KIND_INFINIBAND, "INFINIBAND"},
		{HF_KIND_IWARP, "IWARP"},
		{HF_KIND_OPA, "OPA"},
		{HF_KIND_ROCE, "ROCE"},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (description->kinds & kinds[i].kind)
			printf("ID_RDMA_%s=1\n", kinds[i].name);
	if (is_word(description->protocol))
		printf("ID_RDMA_PROTOCOL=%s\n", description->protocol);
	if (fflush(stdout)) {
		print_problem("cannot write: %s", strerror(errno));
		return EXIT_UNKNOWN;
	}
	return EXIT_DESCRIBED;
}

static int run_describe(const struct options *options)
{
	const char *name = name_in_devpath(options->devpath);
	struct hf_description description;
	struct hf_nldev_socket *nl = NULL;
	char path[PATH_MAX];
	int length, err;

	if (!name) {
		print_problem("\"%s\" is not the path of an RDMA device", options->devpath);
		return EXIT_UNKNOWN;
	}
	length = snprintf(path, sizeof(path), "%s%s", options->sysfs, options->devpath);
	if (length < 0 || (size_t)length >= sizeof(path)) {
		print_problem("the path of %s is too long", name);
		return EXIT_UNKNOWN;
	}
	err = options->netlink ? hfi_nldev_open(&nl) : 0;
	if (err)
		print_problem("%s: RDMA netlink: %s", name, strerror(-err));
	err = read_description(path, name, nl, &description);
	hfi_nldev_close(nl);
	if (err < 0) {
		print_problem("%s: unknown kind of device", name);
		return EXIT_UNKNOWN;
	}
	if (err) {
		if (options->verbose)
			print_problem("%s: gone or renamed", name);
		return EXIT_DESCRIBED;
	}
	if (options->verbose)
		print_problem("%s: according to %s", name, description.source);
	return print_properties(&description);
}

static void print_table(void)
{
	unsigned int kinds;
	const char *name;

	for (size_t i = 0; (name = hfi_driver_table(i, &kinds)); i++)
		printf("%s%s%s%s%s\n", name, kinds & HF_KIND_INFINIBAND ? " INFINIBAND" : "",
		       kinds & HF_KIND_IWARP ? " IWARP" : "", kinds & HF_KIND_OPA ? " OPA" : "",
		       kinds & HF_KIND_ROCE ? " ROCE" : "");
}

static int print_describe_usage(void)
{
	fputs("Usage: rdma_describe [-nv] [-s SYSFS] [DEVPATH]\n"
	      "       rdma_describe -t\n"
	      "Prints udev properties of the RDMA device DEVPATH (default: $DEVPATH), a path\n"
	      "below SYSFS (default: /sys). -n: do not use RDMA netlink; -v: print their\n"
	      "source; -t: print the table of drivers. See holdfast-boot(7).\n",
	      stderr);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct options options = {.sysfs = "/sys", .netlink = true};
	int option;

	setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
	while ((option = getopt(argc, argv, "nvs:t")) != -1) {
		switch (option) {
		case 'n':
			options.netlink = false;
			break;
		case 'v':
			options.verbose = true;
			break;
		case 's':
			options.sysfs = optarg;
			break;
		case 't':
			print_table();
			return EXIT_DESCRIBED;
		default:
			return print_describe_usage();
		}
	}
	options.devpath = optind < argc ? argv[optind] : getenv("DEVPATH");
	if (!options.devpath || argc - optind > 1)
		return print_describe_usage();
	return run_describe(&options);
}
