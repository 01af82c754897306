/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Programs and libraries that `holdfast run` looks into: files of anybody. */
#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>

#include "t/fuzz/fuzz.h"
#include "tools/common.h"
#include "tools/program.h"

const char fuzz_name[] = "elf";

/* The command's own, without the rest of the command. */
void *hfi_tool_alloc(void *old, size_t count, size_t size)
{
	void *memory = reallocarray(old, count, size);

	fuzz_check(memory != NULL);
	return memory;
}

char *hfi_tool_print(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	fuzz_check(vasprintf(&text, format, args) >= 0);
	va_end(args);
	return text;
}

static void check_symbols(const char *path, const char *soname)
{
	struct hf_symbols symbols;
	int err;

	fuzz_fill(&symbols, sizeof(symbols));
	err = hfi_program_symbols(path, soname, &symbols);
	if (err) {
		fuzz_check(err == -ENOEXEC);
		fuzz_check(fuzz_untouched(&symbols, sizeof(symbols)));
		return;
	}
	for (size_t i = 0; i < symbols.count; i++) {
		const struct hf_symbol *symbol = &symbols.v[i];

		fuzz_check(hfi_symbol_find(&symbols, symbol->name, symbol->version) != NULL);
		if (i == 64)
			break;
	}
	hfi_symbols_free(&symbols);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("elf", MFD_CLOEXEC);
	struct hf_program program;
	char path[32];

	fuzz_check(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fuzz_check(hfi_program_read(path, &program) == 0);
	fuzz_check(program.kind <= HF_PROGRAM_BROKEN);
	fuzz_check((program.kind == HF_PROGRAM_DYNAMIC) <= (program.loader != NULL));
	hfi_program_free(&program);
	check_symbols(path, "libibverbs.so.1");
	check_symbols(path, NULL);
	close(fd);
	return 0;
}
