/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by all subcommands: options, exit statuses, the context and the devices. */
#ifndef HF_TOOLS_COMMON_H
#define HF_TOOLS_COMMON_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/holdfast.h>

/* main.c has the texts for --help. */
enum hf_exit {
	HF_EXIT_OK = 0,
	HF_EXIT_FAILED = 1,
	HF_EXIT_USAGE = 2,
	HF_EXIT_NO_DEVICE = 3,
	HF_EXIT_INCOMPLETE = 4,
	HF_EXIT_TIMEOUT = 5,
	HF_EXIT_CANNOT_RUN = 126,
	HF_EXIT_NOT_FOUND = 127,
};

enum { HF_TOOL_ROOTS = 16, HF_TOOL_PROVIDER_DIRS = 16 };

struct hf_command;

struct hf_tool {
	const struct hf_command *command;
	struct hf_root roots[HF_TOOL_ROOTS];
	size_t num_roots;
	const char *provider_dirs[HF_TOOL_PROVIDER_DIRS + 1]; /* NULL-terminated */
	size_t num_provider_dirs;
	unsigned int verbose;
	bool json;
	bool color; /* set after all options were parsed */

	bool names_only;		     /* list */
	bool until_synced;		     /* monitor */
	uint64_t count;			     /* monitor: 0: no limit */
	const char *exec;		     /* monitor */
	bool check;			     /* run */
	bool revoke;			     /* run */
	bool explain;			     /* name */
	const char *prefer;		     /* run: HOLDFAST_PREFER; NULL: not set */
	int64_t timeout_ms;		     /* wait: -1: no limit */
	const char *netdev, *address, *path; /* soft add; NULL: not given */
};

/* Values of options without a short form. A subcommand's own values start at HF_OPT_OWN. */
enum { HF_OPT_ROOT = 256, HF_OPT_PROVIDER_DIR, HF_OPT_COLOR, HF_OPT_NO_COLOR, HF_OPT_OWN };

struct hf_command {
	const char *name;
	const char *args; /* for the usage line */
	const char *summary;
	const char *about;	      /* --help: paragraphs, which are broken into lines there */
	const char *options_help;     /* own options, formatted like the common ones */
	const struct option *options; /* own options, ended by a zero entry; NULL: none */
	/* Sets one own option. Returns 0, or -EINVAL after printing an error. */
	int (*set)(struct hf_tool *tool, int option, const char *value);
	int min_args;
	int max_args;
	bool rest; /* arguments after the first one belong to another program */
	/* `args` is NULL-terminated. Returns an exit status. */
	int (*run)(struct hf_tool *tool, char **args);
};

extern const struct hf_command hf_command_list;
extern const struct hf_command hf_command_info;
extern const struct hf_command hf_command_monitor;
extern const struct hf_command hf_command_providers;
extern const struct hf_command hf_command_doctor;
extern const struct hf_command hf_command_holders;
extern const struct hf_command hf_command_run;
extern const struct hf_command hf_command_name;
extern const struct hf_command hf_command_wait;
extern const struct hf_command hf_command_soft;

/* Prints "holdfast: ..." on standard error, with control characters escaped. */
void hfi_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Creates a context from the options. Prints an error and returns NULL on failure. */
struct hf *hfi_tool_context(const struct hf_tool *tool, uint32_t flags, uint32_t node_wait_ms);

/* Lists every device, sorted by name. Returns their number, or -errno after printing an error. */
int hfi_tool_devices(struct hf *hf, struct ibv_device ***ret);

/* Like hf_device_by_name(). A device whose name cannot be read is found as "uverbsN" or "(uverbsN)". */
int hfi_tool_by_name(struct hf *hf, const char *name, struct ibv_device **ret);

/* Like hfi_tool_by_name(), but prints an error and returns an exit status on failure. */
int hfi_tool_find(const struct hf_tool *tool, struct hf *hf, const char *name,
		  struct ibv_device **ret);

/* Like hf_device_get_info(). Counts the ports itself if the kernel does not report their number. */
int hfi_tool_info(struct ibv_device *device, struct hf_device_info *ret);

/* Whether DIR/PATH exists. */
bool hfi_exists(const char *dir, const char *path);

/*
 * Whether DIR/PATH certainly does not exist. A path that cannot be examined is not absent: check
 * this before reporting that something is missing.
 */
bool hfi_absent(const char *dir, const char *path);

/* Reads the first line of DIR/PATH without its newline. False when it cannot be read. */
bool hfi_tool_read(const char *dir, const char *path, char *value, size_t size);
/* The same, with 0 or -errno. */
int hfi_tool_try_read(const char *dir, const char *path, char *value, size_t size);

/* Whether this process has a capability that counts outside of user namespaces. */
bool hfi_tool_capable(unsigned int capability);

/*
 * Whether this process is in another user namespace than the first, so that root is not the
 * machine's.
 */
bool hfi_tool_in_userns(void);

/* Allocates, or exits with an error message when there is no memory. */
void *hfi_tool_alloc(void *old, size_t count, size_t size);
char *hfi_tool_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
