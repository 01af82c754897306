/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads the ELF file of a program or library: kind, loader, versioned symbols. Runs nothing. */
#ifndef HF_TOOLS_PROGRAM_H
#define HF_TOOLS_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

enum hf_program_kind {
	HF_PROGRAM_SCRIPT,  /* not ELF: a script, or not executable at all */
	HF_PROGRAM_DYNAMIC, /* an executable that needs a loader */
	HF_PROGRAM_STATIC,  /* an executable without a loader */
	HF_PROGRAM_LIBRARY, /* a shared library */
	HF_PROGRAM_BROKEN,  /* an invalid ELF file */
};

/* A versioned symbol, such as ibv_open_device@IBVERBS_1.1. */
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
	char *rpath;  /* NULL: none, or ignored because there is a RUNPATH */
};

/* Returns 0, or -errno if the file cannot be read. */
int hfi_program_read(const char *path, struct hf_program *ret);
void hfi_program_free(struct hf_program *program);

/*
 * Lists the symbols that a file imports from the library `soname`, or those it exports if soname is
 * NULL. Returns 0, -errno, or -ENOEXEC for an invalid ELF file.
 */
int hfi_program_symbols(const char *path, const char *soname, struct hf_symbols *ret);
/*
 * Gives `take` the initial data that a file is loaded with, section by section, without code and without the
 * loader's own tables. Returns 0, -errno, or -ENOEXEC for an invalid ELF file.
 */
int hfi_program_data(const char *path, void (*take)(void *arg, const char *bytes, size_t size),
		     void *arg);
const struct hf_symbol *hfi_symbol_find(const struct hf_symbols *list, const char *name,
					const char *version);
void hfi_symbols_free(struct hf_symbols *symbols);

#endif
