/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the ELF file of a program or library says of itself. Nothing of it is run. */
#ifndef HF_TOOLS_PROGRAM_H
#define HF_TOOLS_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

enum hf_program_kind {
	HF_PROGRAM_SCRIPT,  /* not ELF: a script, or nothing the kernel runs */
	HF_PROGRAM_DYNAMIC, /* needs a loader */
	HF_PROGRAM_STATIC,  /* an executable without one */
	HF_PROGRAM_LIBRARY, /* a shared library */
	HF_PROGRAM_BROKEN,  /* ELF that cannot be read */
};

/* A version of a symbol, as in ibv_open_device@IBVERBS_1.1. */
struct hf_symbol {
	char *name;
	char *version; /* empty: none */
	bool weak;
};

struct hf_symbols {
	struct hf_symbol *v;
	size_t count;
};

struct hf_program {
	enum hf_program_kind kind;
	int bits;     /* 32 or 64 */
	int machine;  /* EM_* */
	char *loader; /* NULL: none */
	char *rpath;  /* NULL: none, or one that a RUNPATH makes void */
};

/* 0 or -errno: the file cannot be read. */
int hfi_program_read(const char *path, struct hf_program *ret);
void hfi_program_free(struct hf_program *program);

/*
 * The symbols that a file wants of the library `soname`, or, where soname is NULL, those it has.
 * 0, -errno, or -ENOEXEC where it is no ELF file that can be understood.
 */
int hfi_program_symbols(const char *path, const char *soname, struct hf_symbols *ret);
const struct hf_symbol *hfi_symbol_find(const struct hf_symbols *list, const char *name,
					const char *version);
void hfi_symbols_free(struct hf_symbols *symbols);

#endif
