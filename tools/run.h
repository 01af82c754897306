/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* holdfast run: what its two halves share. */
#ifndef HF_TOOLS_RUN_H
#define HF_TOOLS_RUN_H

#include "tools/common.h"
#include "tools/program.h"

#define HF_FACE "libibverbs.so.1"

struct hf_run {
	char *face;	 /* the directory of Holdfast's libibverbs.so.1 */
	char *path;	 /* the program's file */
	char *libraries; /* LD_LIBRARY_PATH for it */
	char *preloaded; /* another libibverbs, that LD_PRELOAD has in front; or NULL */
	struct hf_program program;
};

/* The loader that runs this command: asked what a program would load, without running it. */
const char *hfi_run_loader(void);

/* Whether both names lead to one file. */
bool hfi_run_same_file(const char *a, const char *b);

/* An exit status, after a complaint where the answer is no. */
int hfi_run_check(const struct hf_tool *tool, const struct hf_run *run);

#endif
