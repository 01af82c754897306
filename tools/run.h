/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* holdfast run: shared by run.c and run-check.c. */
#ifndef HF_TOOLS_RUN_H
#define HF_TOOLS_RUN_H

#include "tools/common.h"
#include "tools/program.h"

#define HF_SHIM_FILE "libibverbs.so.1"
#define HF_PATHS_FILE \
	"libholdfast-paths.so"	     /* beside the shim: shows soft devices at fixed paths */
#define HF_SHIM_LINK "libibverbs.so" /* the name that some programs open it by */

struct hf_run {
	char *shim_dir;	 /* directory of Holdfast's libibverbs.so.1 */
	char *path;	 /* the program's file */
	char *libraries; /* LD_LIBRARY_PATH for it */
	char *preload;	 /* LD_PRELOAD for it; NULL: as it is */
	char *shown;	 /* HOLDFAST_SHOWN_ROOTS for it */
	char *preloaded; /* another libibverbs that LD_PRELOAD loads first; NULL: none */
	struct hf_program program;
};

/* The dynamic loader of this command. With --list it prints what a program would load. */
const char *hfi_run_loader(void);

/*
 * The directory of the file's RPATH that has another library of that name, or NULL. The loader searches it before
 * LD_LIBRARY_PATH.
 */
char *hfi_run_rpath_winner(const struct hf_run *run, const char *file, const char *rpath,
			   const char *name);

/* Whether both paths resolve to the same file. */
bool hfi_run_same_file(const char *a, const char *b);

/*
 * Sets what the program needs to see soft devices at the paths of the kernel's: nothing if there is no soft root,
 * or no such library.
 */
void hfi_run_show_paths(const struct hf_tool *tool, struct hf_run *run);

/* Checks the program and prints the result. Returns an exit status. */
int hfi_run_check(const struct hf_tool *tool, const struct hf_run *run);

#endif
