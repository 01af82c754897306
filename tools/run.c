/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* holdfast run: runs a program on Holdfast's libibverbs.so.1. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tools/run.h"

enum { OPT_CHECK = HF_OPT_OWN, OPT_REVOKE, OPT_PROVIDERS };

/* The directory of libibverbs.so.1: of the build tree if this command is run from there. */
static char *shim_directory(void)
{
	static const char built[] = "/tools/.libs";
	char self[PATH_MAX], *slash, *dir;
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (length > 0) {
		self[length] = '\0';
		slash = strrchr(self, '/');
		*slash = '\0';
		length = slash - self - (ssize_t)strlen(built);
		if (length >= 0 && !strcmp(self + length, built)) {
			self[length] = '\0';
			dir = hfi_tool_print("%s/compat/.libs", self);
			if (hfi_exists(dir, HF_SHIM_FILE))
				return dir;
			free(dir);
		}
	}
	return hfi_tool_print("%s", HF_COMPAT_DIR);
}

/* Searches PATH like execvp(). Returns 0 and the path, or an exit status after printing an error. */
static int find_program(const char *name, int mode, char **ret)
{
	const char *path = getenv("PATH");
	bool denied = false;

	if (strchr(name, '/')) {
		*ret = hfi_tool_print("%s", name);
		if (!access(name, mode))
			return 0;
		denied = errno != ENOENT && errno != ENOTDIR;
		hfi_complain("%s: %s", name, strerror(errno));
		free(*ret);
		return denied ? HF_EXIT_CANNOT_RUN : HF_EXIT_NOT_FOUND;
	}
	for (path = path ? path : "/bin:/usr/bin"; *name; path++) {
		size_t length = strcspn(path, ":");
		struct stat status;
		char *try;

		try = length ? hfi_tool_print("%.*s/%s", (int)length, path, name)
			     : hfi_tool_print("./%s", name);
		if (!stat(try, &status) && S_ISREG(status.st_mode)) {
			if (!access(try, mode)) {
				*ret = try;
				return 0;
			}
			denied = true;
		}
		free(try);
		path += length;
		if (!*path)
			break;
	}
	hfi_complain("%s: %s", name,
		     denied ? "no permission to run it" : "no such program in PATH");
	return denied ? HF_EXIT_CANNOT_RUN : HF_EXIT_NOT_FOUND;
}

/* Whether the program gains privileges when run. The loader then ignores LD_LIBRARY_PATH. */
static bool gains_rights(const char *path)
{
	struct stat status;

	if (stat(path, &status))
		return false;
	if ((status.st_mode & S_ISUID) && status.st_uid != getuid())
		return true;
	if ((status.st_mode & S_ISGID) && (status.st_mode & S_IXGRP) && status.st_gid != getgid())
		return true;
	return getuid() && getxattr(path, "security.capability", NULL, 0) > 0;
}

char *hfi_run_rpath_winner(const struct hf_run *run, const char *file, const char *rpath,
			   const char *name)
{
	const char *at = rpath;
	char *origin = realpath(file, NULL), *winner = NULL;

	if (origin && strrchr(origin, '/'))
		*strrchr(origin, '/') = '\0';
	while (at && *at && !winner) {
		size_t length = strcspn(at, ":");
		char *dir = hfi_tool_print("%.*s", (int)length, at);
		const char *rest = NULL;

		if (!strncmp(dir, "$ORIGIN", 7))
			rest = dir + 7;
		else if (!strncmp(dir, "${ORIGIN}", 9))
			rest = dir + 9;
		if (rest && origin) {
			char *expanded = hfi_tool_print("%s%s", origin, rest);

			free(dir);
			dir = expanded;
		}
		if (hfi_exists(dir, name)) {
			char *there = realpath(dir, NULL), *shim = realpath(run->shim_dir, NULL);

			if (!there || !shim || strcmp(there, shim))
				winner = hfi_tool_print("%s", dir);
			free(there);
			free(shim);
		}
		free(dir);
		at += length + (at[length] == ':');
	}
	free(origin);
	return winner;
}

/* The path of another libibverbs in LD_PRELOAD, or NULL. The loader loads it first. */
static char *preload_winner(const struct hf_run *run)
{
	const char *at = getenv("LD_PRELOAD");
	char *winner = NULL;

	while (at && *at && !winner) {
		size_t length = strcspn(at, " :");
		char *file = hfi_tool_print("%.*s", (int)length, at);
		const char *name = strrchr(file, '/');

		if (name && !strncmp(name + 1, HF_SHIM_LINK, strlen(HF_SHIM_LINK)) &&
		    !access(file, R_OK)) {
			char *shim = hfi_tool_print("%s/%s", run->shim_dir, HF_SHIM_FILE);

			if (!hfi_run_same_file(file, shim))
				winner = hfi_tool_print("%s", file);
			free(shim);
		}
		free(file);
		at += length + (at[length] != '\0');
	}
	return winner;
}

/* Returns 0, or an exit status after printing why the program would not use Holdfast. */
static int examine(struct hf_run *run)
{
	char *winner;
	int err;

	err = hfi_program_read(run->path, &run->program);
	if (err == -EACCES || err == -EPERM)
		return 0; /* executable but not readable: run it unchecked */
	if (err) {
		hfi_complain("%s: %s", run->path, strerror(-err));
		return HF_EXIT_CANNOT_RUN;
	}
	if (run->program.kind == HF_PROGRAM_STATIC) {
		hfi_complain("%s is statically linked: it cannot use another libibverbs",
			     run->path);
		return HF_EXIT_CANNOT_RUN;
	}
	if (run->program.kind == HF_PROGRAM_BROKEN) {
		hfi_complain("%s is not a valid ELF file", run->path);
		return HF_EXIT_CANNOT_RUN;
	}
	if (gains_rights(run->path)) {
		hfi_complain("%s runs with more privileges than its user, so the loader ignores "
			     "LD_LIBRARY_PATH. Make Holdfast the system's libibverbs instead: see "
			     "libholdfast-compat(7)",
			     run->path);
		return HF_EXIT_CANNOT_RUN;
	}
	if (run->program.bits && run->program.bits != (int)sizeof(void *) * CHAR_BIT) {
		hfi_complain("%s is a %d-bit program, and Holdfast was built for %zu bits",
			     run->path, run->program.bits, sizeof(void *) * CHAR_BIT);
		return HF_EXIT_CANNOT_RUN;
	}
	winner = hfi_run_rpath_winner(run, run->path, run->program.rpath, HF_SHIM_FILE);
	if (!winner)
		winner = hfi_run_rpath_winner(run, run->path, run->program.rpath, HF_SHIM_LINK);
	if (winner) {
		hfi_complain("%s has an RPATH, which the loader searches first: it would use the "
			     "libibverbs in %s",
			     run->path, winner);
		free(winner);
		return HF_EXIT_CANNOT_RUN;
	}
	if (run->preloaded) {
		hfi_complain("LD_PRELOAD has another libibverbs, which %s would use: %s", run->path,
			     run->preloaded);
		return HF_EXIT_CANNOT_RUN;
	}
	return 0;
}

/* The whole path: the program may change its directory before it looks for providers. */
static char *provider_dir(const char *given)
{
	char *dir = realpath(given, NULL), *here;

	if (dir)
		return dir;
	here = *given == '/' ? NULL : getcwd(NULL, 0);
	dir = hfi_tool_print("%s%s%s", here ? here : "", here ? "/" : "", given);
	free(here);
	return dir;
}

/* Sets the variables of the roots and of the providers from the options. 0, or -EINVAL after an error. */
static int export_roots_and_dirs(const struct hf_tool *tool)
{
	char *roots = hfi_tool_print("%s", ""), *dirs = hfi_tool_print("%s", ""), *next;
	int err = 0;

	for (size_t i = 0; i < tool->num_roots; i++) {
		const struct hf_root *root = &tool->roots[i];

		if (strpbrk(root->sysfs, ",:") || strpbrk(root->dev, ",:")) {
			hfi_complain(
				"--root: %s has a comma or colon, which HOLDFAST_ROOTS cannot hold",
				root->sysfs);
			err = -EINVAL;
		}
		next = hfi_tool_print("%s%s%s:%s", roots, i ? "," : "", root->sysfs, root->dev);
		free(roots);
		roots = next;
	}
	for (size_t i = 0; i < tool->num_provider_dirs; i++) {
		char *dir = provider_dir(tool->provider_dirs[i]);

		if (strchr(dir, ':')) {
			hfi_complain("--provider-dir: %s has a colon, which HOLDFAST_PROVIDER_PATH "
				     "cannot hold",
				     dir);
			err = -EINVAL;
		}
		next = hfi_tool_print("%s%s%s", dirs, i ? ":" : "", dir);
		free(dir);
		free(dirs);
		dirs = next;
	}
	if (*roots)
		setenv("HOLDFAST_ROOTS", roots, 1);
	if (*dirs) {
		setenv("HOLDFAST_PROVIDER_PATH", dirs, 1);
		setenv("HOLDFAST_PROVIDER_ONLY", "1", 1);
	}
	free(roots);
	free(dirs);
	return err;
}

static int start_program(const struct hf_tool *tool, const struct hf_run *run, char **args)
{
	int err;

	if (export_roots_and_dirs(tool))
		return HF_EXIT_USAGE;
	if (tool->revoke)
		setenv("HOLDFAST_REVOKE", "1", 1);
	if (tool->prefer)
		setenv("HOLDFAST_PREFER", tool->prefer, 1);
	if (tool->verbose)
		setenv("HOLDFAST_LOG", tool->verbose > 1 ? "debug" : "info", 1);
	setenv("LD_LIBRARY_PATH", run->libraries, 1);
	/* That of another "holdfast run", in which this one runs, may name other roots. */
	unsetenv("HOLDFAST_SHOWN_ROOTS");
	if (run->preload) {
		setenv("LD_PRELOAD", run->preload, 1);
		setenv("HOLDFAST_SHOWN_ROOTS", run->shown, 1);
	}
	execv(run->path, args);
	err = errno;
	/* A script without a "#!" line: execvp() runs it with the shell. */
	if (err == ENOEXEC) {
		execvp(run->path, args);
		err = errno;
	}
	if (err == ENOENT && !access(run->path, F_OK))
		hfi_complain("%s: its interpreter does not exist", run->path);
	else
		hfi_complain("%s: %s", run->path, strerror(err));
	return err == ENOENT ? HF_EXIT_NOT_FOUND : HF_EXIT_CANNOT_RUN;
}

static int run_run(struct hf_tool *tool, char **args)
{
	const char *given = getenv("LD_LIBRARY_PATH");
	struct hf_run run = {.shim_dir = shim_directory()};
	int status;

	status = find_program(args[0], tool->check ? R_OK : X_OK, &run.path);
	if (status)
		goto out_shim_dir;
	if (!hfi_exists(run.shim_dir, HF_SHIM_FILE)) {
		hfi_complain("%s/%s: no such file", run.shim_dir, HF_SHIM_FILE);
		status = HF_EXIT_CANNOT_RUN;
		goto out_path;
	}
	if (strpbrk(run.shim_dir, ":;$")) {
		hfi_complain("%s: LD_LIBRARY_PATH cannot hold this name", run.shim_dir);
		status = HF_EXIT_CANNOT_RUN;
		goto out_path;
	}
	run.libraries = given && *given ? hfi_tool_print("%s:%s", run.shim_dir, given)
					: hfi_tool_print("%s", run.shim_dir);
	run.preloaded = preload_winner(&run);
	if (tool->check) {
		int err = hfi_program_read(run.path, &run.program);

		if (err)
			hfi_complain("%s: %s", run.path, strerror(-err));
		status = err ? HF_EXIT_CANNOT_RUN : hfi_run_check(tool, &run);
	} else {
		status = examine(&run);
		if (!status) {
			hfi_run_show_paths(tool, &run);
			status = start_program(tool, &run, args);
		}
	}
	free(run.preload);
	free(run.shown);
	free(run.preloaded);
	free(run.libraries);
	hfi_program_free(&run.program);
out_path:
	free(run.path);
out_shim_dir:
	free(run.shim_dir);
	return status;
}

static int set_run_option(struct hf_tool *tool, int option, const char *value)
{
	switch (option) {
	case OPT_CHECK:
		tool->check = true;
		return 0;
	case OPT_REVOKE:
		tool->revoke = true;
		return 0;
	case OPT_PROVIDERS:
		if (strcmp(value, "native") && strcmp(value, "distribution")) {
			hfi_complain("--providers: expected native or distribution, not \"%s\"",
				     value);
			return -EINVAL;
		}
		tool->prefer = value;
		return 0;
	default:
		return -EINVAL;
	}
}

static const struct option options[] = {
	{"check", no_argument, NULL, OPT_CHECK},
	{"revoke", no_argument, NULL, OPT_REVOKE},
	{"providers", required_argument, NULL, OPT_PROVIDERS},
	{0},
};

const struct hf_command hf_command_run = {
	.name = "run",
	.args = "PROG...",
	.summary = "run a program on Holdfast's libibverbs",
	.about = "Runs a program that was built for libibverbs, with its arguments, on Holdfast's "
		 "libibverbs.so.1. Options for Holdfast come before the program's name.",
	.options_help =
		"      --check             do not run it: show whether Holdfast has every\n"
		"                          symbol of libibverbs that it and its libraries\n"
		"                          need\n"
		"      --revoke            when a device is unplugged, release its resources\n"
		"                          even if the program does not react\n"
		"      --providers=KIND    native or distribution: prefer providers of this kind\n",
	.options = options,
	.set = set_run_option,
	.min_args = 1,
	.max_args = INT_MAX,
	.rest = true,
	.run = run_run,
};
