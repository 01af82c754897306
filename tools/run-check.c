/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * holdfast run --check: which symbols of libibverbs a program and its libraries need and lack, and by which
 * names they may open it.
 */
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/json.h"
#include "tools/opened.h"
#include "tools/output.h"
#include "tools/run.h"

enum { FILES_MAX = 4096 };

struct need {
	char *symbol;
	char *version;
	char *file;
};

struct check {
	struct hf_symbols shim;
	char *files[FILES_MAX]; /* the program, then its libraries */
	size_t num_files;
	char *libibverbs_path; /* where the loader found libibverbs.so.1; NULL: not needed */
	char *absent[FILES_MAX];
	size_t num_absent;
	struct need *missing;
	size_t num_missing;
	size_t num_symbols; /* symbols of libibverbs that the files import */
	size_t num_users;   /* files that import one */
	struct hf_opened_list opened;
};

const char *hfi_run_loader(void)
{
	static struct hf_program self;

	if (!self.loader && hfi_program_read("/proc/self/exe", &self))
		return NULL;
	return self.loader;
}

/* Parses a line of the loader: "NAME => PATH (0x...)", "PATH (0x...)" or "NAME => not found". */
static void parse_ldd_line(struct check *check, char *line)
{
	char *name = line + strspn(line, " \t"), *path, *end;

	name[strcspn(name, "\n")] = '\0';
	path = strstr(name, " => ");
	if (path) {
		*path = '\0';
		path += 4;
	} else {
		path = name;
	}
	if (path != name && !strcmp(path, "not found")) {
		if (check->num_absent < FILES_MAX)
			check->absent[check->num_absent++] = hfi_tool_print("%s", name);
		return;
	}
	end = strstr(path, " (0x");
	if (!end || *path != '/' || check->num_files == FILES_MAX)
		return;
	*end = '\0';
	if (!strcmp(name, HF_SHIM_FILE) && !check->libibverbs_path)
		check->libibverbs_path = hfi_tool_print("%s", path);
	check->files[check->num_files++] = hfi_tool_print("%s", path);
}

static char **environment_with(const char *libraries)
{
	size_t count = 0, kept = 0;
	char **copy;

	while (environ[count])
		count++;
	copy = hfi_tool_alloc(NULL, count + 2, sizeof(*copy));
	for (size_t i = 0; i < count; i++)
		if (strncmp(environ[i], "LD_", 3))
			copy[kept++] = environ[i];
	copy[kept++] = hfi_tool_print("LD_LIBRARY_PATH=%s", libraries);
	copy[kept] = NULL;
	return copy;
}

/* Runs the loader with --list: it prints what it would load and runs nothing of the program. */
static int ask_loader(struct check *check, const struct hf_run *run)
{
	const char *loader = hfi_run_loader();
	char *args[] = {(char *)loader, (char *)"--list", run->path, NULL};
	posix_spawn_file_actions_t actions;
	char **environment;
	char *line = NULL;
	size_t size = 0;
	int pipes[2], err, status = 0;
	FILE *output;
	pid_t pid;

	if (!loader)
		return -ENOEXEC;
	if (pipe(pipes))
		return -errno;
	environment = environment_with(run->libraries);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pipes[1], STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addclose(&actions, pipes[0]);
	posix_spawn_file_actions_addclose(&actions, pipes[1]);
	err = posix_spawn(&pid, loader, &actions, NULL, args, environment);
	posix_spawn_file_actions_destroy(&actions);
	for (size_t i = 0; environment[i]; i++)
		if (!environment[i + 1])
			free(environment[i]);
	free(environment);
	close(pipes[1]);
	if (err) {
		close(pipes[0]);
		return -err;
	}
	output = fdopen(pipes[0], "r");
	while (output && getline(&line, &size, output) > 0)
		parse_ldd_line(check, line);
	free(line);
	if (output)
		fclose(output);
	else
		close(pipes[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return check->num_files > 1 || !status ? 0 : -ENOEXEC;
}

static int compare_symbols(struct check *check, const char *file)
{
	struct hf_symbols imports;
	int err;

	err = hfi_program_symbols(file, HF_SHIM_FILE, &imports);
	if (err)
		return err;
	check->num_users += imports.count > 0;
	check->num_symbols += imports.count;
	for (size_t i = 0; i < imports.count; i++) {
		const struct hf_symbol *symbol = &imports.v[i];

		if (symbol->weak || hfi_symbol_find(&check->shim, symbol->name, symbol->version))
			continue;
		check->missing = hfi_tool_alloc(check->missing, check->num_missing + 1,
						sizeof(*check->missing));
		check->missing[check->num_missing++] = (struct need){
			hfi_tool_print("%s", symbol->name), hfi_tool_print("%s", symbol->version),
			hfi_tool_print("%s", file)};
	}
	hfi_symbols_free(&imports);
	return 0;
}

/* Strings of Holdfast's own libraries are no matter. */
static int add_opened_names(struct check *check, const char *file)
{
	static const char own[] = "libholdfast.so";
	const char *name = strrchr(file, '/');

	name = name ? name + 1 : file;
	if (!strncmp(name, own, sizeof(own) - 1) || !strcmp(name, HF_SHIM_FILE))
		return 0;
	return hfi_opened_add(&check->opened, file);
}

/* The loader searches the RPATH of the file that opens a name, then the program's, then LD_LIBRARY_PATH. */
static char *directory_of(const struct hf_run *run, const struct hf_opened *opened)
{
	struct hf_program file;
	char *dir = NULL;

	if (!hfi_program_read(opened->file, &file)) {
		dir = hfi_run_rpath_winner(run, opened->file, file.rpath, opened->name);
		hfi_program_free(&file);
	}
	if (!dir)
		dir = hfi_run_rpath_winner(run, run->path, run->program.rpath, opened->name);
	if (!dir && hfi_exists(run->shim_dir, opened->name))
		dir = hfi_tool_print("%s", run->shim_dir);
	return dir;
}

/* What the loader would open then; NULL: nothing, or it cannot be told. */
static char *library_of(const struct hf_run *run, const struct hf_opened *opened)
{
	char *dir, *library = NULL;

	if (opened->kind == HF_OPENED_PATH && !access(opened->name, F_OK))
		return hfi_tool_print("%s", opened->name);
	dir = opened->kind == HF_OPENED_NAME ? directory_of(run, opened) : NULL;
	if (dir)
		library = hfi_tool_print("%s/%s", dir, opened->name);
	free(dir);
	return library;
}

static bool is_another(const char *library, const char *shim)
{
	return library && !hfi_run_same_file(library, shim);
}

static bool opens_another(const struct check *check, const struct hf_run *run, const char *shim)
{
	bool another = false;

	for (size_t i = 0; i < check->opened.count && !another; i++) {
		char *library = library_of(run, &check->opened.v[i]);

		another = is_another(library, shim);
		free(library);
	}
	return another;
}

bool hfi_run_same_file(const char *a, const char *b)
{
	char *real_a = realpath(a, NULL), *real_b = realpath(b, NULL);
	bool same = real_a && real_b && !strcmp(real_a, real_b);

	free(real_a);
	free(real_b);
	return same;
}

static void print_check_json(const struct check *check, const struct hf_run *run, bool ok)
{
	struct hf_json json;

	hfi_json_begin(&json, stdout, false);
	hfi_json_object(&json, NULL);
	hfi_json_string(&json, "program", run->path);
	hfi_json_bool(&json, "ok", ok);
	hfi_json_optional(&json, "libibverbs",
			  check->libibverbs_path ? check->libibverbs_path : "");
	hfi_json_uint(&json, "files", check->num_files);
	hfi_json_uint(&json, "users", check->num_users);
	hfi_json_uint(&json, "symbols", check->num_symbols);
	hfi_json_array(&json, "missing");
	for (size_t i = 0; i < check->num_missing; i++) {
		hfi_json_object(&json, NULL);
		hfi_json_string(&json, "symbol", check->missing[i].symbol);
		hfi_json_string(&json, "version", check->missing[i].version);
		hfi_json_string(&json, "file", check->missing[i].file);
		hfi_json_close(&json);
	}
	hfi_json_close(&json);
	hfi_json_array(&json, "not_found");
	for (size_t i = 0; i < check->num_absent; i++)
		hfi_json_string(&json, NULL, check->absent[i]);
	hfi_json_close(&json);
	hfi_json_array(&json, "opens");
	for (size_t i = 0; i < check->opened.count; i++) {
		const struct hf_opened *opened = &check->opened.v[i];
		char *library = library_of(run, opened);

		hfi_json_object(&json, NULL);
		hfi_json_string(&json, "name", opened->name);
		hfi_json_string(&json, "file", opened->file);
		hfi_json_optional(&json, "library", library ? library : "");
		hfi_json_close(&json);
		free(library);
	}
	hfi_json_close(&json);
	hfi_json_close(&json);
}

static void print_opened(const struct check *check, const struct hf_run *run, const char *shim)
{
	for (size_t i = 0; i < check->opened.count; i++) {
		const struct hf_opened *opened = &check->opened.v[i];
		char *library = library_of(run, opened);

		if (is_another(library, shim)) {
			fputs("may open another libibverbs: ", stdout);
			hfi_put_safe(stdout, library);
		} else {
			fputs("may open by name: ", stdout);
			hfi_put_safe(stdout, opened->name);
			if (opened->kind == HF_OPENED_COMPOSED)
				fputs(" in a directory that cannot be told", stdout);
			else if (!library)
				fputs(opened->kind == HF_OPENED_PATH
					      ? ", which is not there"
					      : ", which Holdfast does not have",
				      stdout);
		}
		fputs(", a string of ", stdout);
		hfi_put_safe(stdout, opened->file);
		putchar('\n');
		free(library);
	}
}

static void print_check(const struct check *check, const struct hf_run *run, const char *shim,
			bool ours)
{
	for (size_t i = 0; i < check->num_missing; i++) {
		fputs("missing: ", stdout);
		hfi_put_safe(stdout, check->missing[i].symbol);
		putchar('@');
		hfi_put_safe(stdout, check->missing[i].version);
		fputs(", needed by ", stdout);
		hfi_put_safe(stdout, check->missing[i].file);
		putchar('\n');
	}
	for (size_t i = 0; i < check->num_absent; i++) {
		fputs("not found, so not checked: ", stdout);
		hfi_put_safe(stdout, check->absent[i]);
		putchar('\n');
	}
	if (!ours) {
		fputs("another libibverbs would be used: ", stdout);
		hfi_put_safe(stdout, check->libibverbs_path);
		putchar('\n');
	}
	print_opened(check, run, shim);
	hfi_put_safe(stdout, run->path);
	if (!check->num_users && !check->libibverbs_path)
		puts(check->opened.count ? ": not linked to libibverbs, but may open it by name"
					 : ": neither the program nor a library it is linked to "
					   "uses libibverbs");
	else
		printf(": %zu symbols needed by %zu of %zu files, %zu missing\n",
		       check->num_symbols, check->num_users, check->num_files, check->num_missing);
}

static void check_free(struct check *check)
{
	hfi_symbols_free(&check->shim);
	for (size_t i = 0; i < check->num_files; i++)
		free(check->files[i]);
	for (size_t i = 0; i < check->num_absent; i++)
		free(check->absent[i]);
	for (size_t i = 0; i < check->num_missing; i++) {
		free(check->missing[i].symbol);
		free(check->missing[i].version);
		free(check->missing[i].file);
	}
	free(check->missing);
	free(check->libibverbs_path);
	hfi_opened_free(&check->opened);
	free(check);
}

int hfi_run_check(const struct hf_tool *tool, const struct hf_run *run)
{
	struct check *check = hfi_tool_alloc(NULL, 1, sizeof(*check));
	char *shim = hfi_tool_print("%s/%s", run->shim_dir, HF_SHIM_FILE);
	int status = HF_EXIT_FAILED;
	bool ours, ok;
	int err;

	memset(check, 0, sizeof(*check));
	if (run->program.kind != HF_PROGRAM_DYNAMIC && run->program.kind != HF_PROGRAM_LIBRARY) {
		hfi_complain("%s: %s", run->path,
			     run->program.kind == HF_PROGRAM_STATIC ? "statically linked"
			     : run->program.kind == HF_PROGRAM_BROKEN
				     ? "invalid ELF file"
				     : "not an ELF file: check its interpreter");
		goto out;
	}
	err = hfi_program_symbols(shim, NULL, &check->shim);
	if (err) {
		hfi_complain("%s: %s", shim, strerror(-err));
		goto out;
	}
	check->files[check->num_files++] = hfi_tool_print("%s", run->path);
	err = ask_loader(check, run);
	if (err) {
		hfi_complain("%s: the loader cannot list its libraries", run->path);
		goto out;
	}
	if (check->libibverbs_path && run->preloaded) {
		free(check->libibverbs_path);
		check->libibverbs_path = hfi_tool_print("%s", run->preloaded);
	}
	for (size_t i = 0; i < check->num_files; i++) {
		err = compare_symbols(check, check->files[i]);
		if (!err)
			err = add_opened_names(check, check->files[i]);
		if (err) {
			hfi_complain("%s: %s", check->files[i], strerror(-err));
			goto out;
		}
	}
	ours = !check->libibverbs_path || hfi_run_same_file(check->libibverbs_path, shim);
	ok = ours && !check->num_missing && !check->num_absent && !opens_another(check, run, shim);
	if (tool->json)
		print_check_json(check, run, ok);
	else
		print_check(check, run, shim, ours);
	if (ok)
		status = HF_EXIT_OK;
out:
	free(shim);
	check_free(check);
	return status;
}
